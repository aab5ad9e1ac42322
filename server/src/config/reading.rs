//! Who may read, as the settings say.

use super::{Reading, Settings, given, given_file};
use crate::access::{JwtAccess, JwtSettings, ProxyAccess, ReadAccess};

/// Who may read. Where no way is chosen, or none that asks for anything, what is set for one is told to be overlooked: it
/// protects nothing.
pub(super) fn read_access(reading: &mut Reading, settings: &Settings, production: bool) -> ReadAccess {
    let auth = given(&settings.auth);
    let (proxy_token, secret) = (given(&settings.proxy_token), given(&settings.jwt_secret));
    let key_file = given_file(&settings.jwt_public_key_file);
    for (name, is_given, mode) in [
        ("PROXY_TOKEN", proxy_token.is_some(), "proxy"),
        ("JWT_SECRET", secret.is_some(), "jwt"),
        ("JWT_PUBLIC_KEY_FILE", key_file.is_some(), "jwt"),
    ] {
        if is_given && auth.is_none_or(|auth| auth == "open") {
            let auth = auth.unwrap_or("not set");
            reading.overlooked.push(format!(
                "{name} is set and does nothing: it is for AUTH={mode}, and AUTH is {auth}"
            ));
        }
    }
    let mut wrong = |error: String| reading.errors.push(error);
    match auth {
        None if production => ReadAccess::NotConfigured,
        None | Some("open") => ReadAccess::Open,
        Some("proxy") => match proxy_token.map(ProxyAccess::new) {
            Some(Ok(proxy)) => ReadAccess::Proxy(proxy),
            Some(Err(error)) => {
                wrong(format!("PROXY_TOKEN: {error}"));
                ReadAccess::NotConfigured
            }
            None => {
                wrong(
                    "PROXY_TOKEN: AUTH=proxy needs the token that the proxy sends as X-Proxy-Token"
                        .to_owned(),
                );
                ReadAccess::NotConfigured
            }
        },
        Some("jwt") => {
            let jwt = JwtSettings {
                key_file: None,
                cookie: given(&settings.jwt_cookie).map(str::to_owned),
                audiences: list(settings.jwt_audience.as_deref()),
                issuers: list(settings.jwt_issuer.as_deref()),
            };
            match (secret, key_file) {
                (Some(secret), None) => ReadAccess::Jwt(JwtAccess::with_secret(secret, jwt)),
                (None, Some(path)) => match JwtAccess::with_key_file(path.to_owned(), jwt) {
                    Ok(jwt) => ReadAccess::Jwt(jwt),
                    Err(error) => {
                        wrong(format!("JWT_PUBLIC_KEY_FILE: {error}"));
                        ReadAccess::NotConfigured
                    }
                },
                (Some(_), Some(_)) => {
                    wrong("JWT_SECRET and JWT_PUBLIC_KEY_FILE: give one of them".to_owned());
                    ReadAccess::NotConfigured
                }
                (None, None) => {
                    wrong("AUTH=jwt needs JWT_SECRET or JWT_PUBLIC_KEY_FILE".to_owned());
                    ReadAccess::NotConfigured
                }
            }
        }
        Some(other) => {
            wrong(format!("AUTH: {other:?} is none of open, proxy, jwt"));
            ReadAccess::NotConfigured
        }
    }
}

fn list(text: Option<&str>) -> Vec<String> {
    let items = text.unwrap_or_default().split(',').map(str::trim);
    items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
}
