//! [`ProxyConfig`]: how the proxy was set up. The [`ProxySettings`] are checked as a whole, so that all mistakes are told at
//! once.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Uri};
use logs_shared::Channel;

use super::{
    identity::{Identity, IdentityHeaders, IdentitySource},
    settings::ProxySettings,
    upstream::{BaseUrl, PROXY_TOKEN},
};
use crate::{
    config::{self, ConfigErrors, LogFormat, Reading, given},
    quantity,
    tls::Tls,
};

/// The port a proxy listens on unless told otherwise.
pub(super) const DEFAULT_PORT: u16 = 3000;
const DEFAULT_PREFIX: &str = "/api/dapadmin/l5-etl/sse/logs";

/// How the proxy was set up. Whole and checked.
#[derive(Clone, Debug)]
pub struct ProxyConfig {
    /// Where to listen: host and port.
    pub listen: (String, u16),
    /// The certificate of encrypted connections; without it they are plain.
    pub tls: Option<Tls>,
    /// Whether nothing is made up.
    pub production: bool,
    /// The gateway.
    pub upstream: BaseUrl,
    /// Where the routes are: empty, or a path with a slash before and none behind.
    pub prefix: String,
    /// The service of a channel of which workspace and workflow are named.
    pub service: String,
    /// What the gateway knows the proxy by.
    pub token: Option<HeaderValue>,
    /// Who is behind a request.
    pub identity: IdentitySource,
    /// How long the gateway may take until its answer begins.
    pub answer_within: Duration,
    /// The longest a polite stop may take.
    pub drain: Duration,
    /// The filter of the proxy's own log.
    pub log_filter: String,
    /// The form of the proxy's own log.
    pub log_format: LogFormat,
}

impl ProxyConfig {
    /// Makes sense of the settings.
    ///
    /// # Errors
    /// [`ConfigErrors`] with every mistake there is. No secret is in it.
    pub fn from_settings(settings: &ProxySettings) -> Result<Self, ConfigErrors> {
        let mut reading = Reading::default();
        let production = config::production(&mut reading, settings.node_env.as_deref());
        let config = Self {
            listen: config::listen(&mut reading, &settings.host, &settings.port, DEFAULT_PORT),
            tls: config::tls(&mut reading, &settings.tls_cert, &settings.tls_key),
            production,
            upstream: reading.value(
                "SSE_BACKEND_URL",
                settings.upstream.as_deref(),
                BaseUrl::default(),
                str::parse,
            ),
            prefix: reading.value(
                "PROXY_PREFIX",
                settings.prefix.as_deref(),
                DEFAULT_PREFIX.to_owned(),
                prefix,
            ),
            service: reading.value(
                "PROXY_SERVICE",
                settings.service.as_deref(),
                "etl".to_owned(),
                |text| match Channel::new(text, "w", None) {
                    Ok(_) => Ok(text.to_owned()),
                    Err(error) => Err(format!("{text:?} is no service: {error}")),
                },
            ),
            token: reading.value("PROXY_TOKEN", settings.token.as_deref(), None, |text| {
                token(text).map(Some)
            }),
            identity: identity(&mut reading, settings, production),
            answer_within: reading.value(
                "PROXY_ANSWER_WITHIN",
                settings.answer_within.as_deref(),
                Duration::from_secs(30),
                |text| match quantity::parse_age(text)? {
                    Duration::ZERO => Err("no answer begins at once".to_owned()),
                    within => Ok(within),
                },
            ),
            drain: Duration::from_millis(reading.number(
                "DRAIN_MS",
                settings.drain_ms.as_deref(),
                10_000,
                "a number of milliseconds",
            )),
            log_filter: reading.value(
                "LOG_LEVEL",
                settings.log_level.as_deref(),
                "info".to_owned(),
                config::log_filter,
            ),
            log_format: config::log_format(&mut reading, settings.log_format.as_deref(), production),
        };
        reading.done(config)
    }
}

/// One token. What is wrong with it does not show it.
fn token(text: &str) -> Result<HeaderValue, &'static str> {
    if text.contains(',') {
        return Err("a gateway may know several, apart by commas; a proxy shows one");
    }
    let mut token = HeaderValue::from_str(text).map_err(|_| "it has characters that no header may have")?;
    token.set_sensitive(true);
    Ok(token)
}

fn prefix(text: &str) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'.' | b'_' | b'~');
    let path = text.trim_end_matches('/');
    let has_dots = path.split('/').any(|segment| matches!(segment, "." | ".."));
    if !text.starts_with('/') || !path.bytes().all(plain) || path.contains("//") || has_dots {
        return Err(format!("{text:?} is no path such as {DEFAULT_PREFIX}"));
    }
    Ok(path.to_owned())
}

fn identity(reading: &mut Reading, settings: &ProxySettings, production: bool) -> IdentitySource {
    let mode = given(&settings.identity);
    let user = settings.user_header.as_deref();
    let workspaces = settings.workspace_header.as_deref();
    let names = IdentityHeaders {
        user: header(reading, "PROXY_USER_HEADER", user, "x-user-id"),
        workspaces: header(reading, "PROXY_WORKSPACE_HEADER", workspaces, "x-workspace-id"),
    };
    if names.user == names.workspaces {
        let same = "PROXY_WORKSPACE_HEADER: it is the same as PROXY_USER_HEADER";
        reading.errors.push(same.to_owned());
    }
    for (name, value, of) in [
        ("PROXY_USER_ID", &settings.user_id, "fixed"),
        ("PROXY_WORKSPACE_ID", &settings.workspace_id, "fixed"),
        ("PROXY_IDENTITY_URL", &settings.identity_url, "hook"),
    ] {
        match given(value) {
            None if mode == Some(of) => reading
                .errors
                .push(format!("{name}: PROXY_IDENTITY={of} needs it")),
            // Who has set it expects it to have an effect.
            Some(_) if mode != Some(of) => reading
                .errors
                .push(format!("{name}: it is for PROXY_IDENTITY={of}")),
            _ => {}
        }
    }
    match mode {
        None if production => {
            let unset = "PROXY_IDENTITY: in production it must be said who is behind a request: header, fixed or hook";
            reading.errors.push(unset.to_owned());
        }
        None | Some("header") => {}
        Some("fixed") => return fixed(reading, settings),
        Some("hook") => {
            let url = settings.identity_url.as_deref();
            if let Some(url) = reading.value("PROXY_IDENTITY_URL", url, None, |text| hook(text).map(Some)) {
                return IdentitySource::Hook { url, headers: names };
            }
        }
        Some(other) => reading.errors.push(format!(
            "PROXY_IDENTITY: {other:?} is neither header, fixed nor hook"
        )),
    }
    IdentitySource::Header(names)
}

fn header(reading: &mut Reading, name: &str, text: Option<&str>, default: &'static str) -> HeaderName {
    let default = HeaderName::from_static(default);
    reading.value(name, text, default, |text| match text.parse::<HeaderName>() {
        Ok(header) if header != PROXY_TOKEN => Ok(header),
        _ => Err(format!("{text:?} is no name of a header that could say it")),
    })
}

fn hook(text: &str) -> Result<Uri, String> {
    // As of the gateway's address; but a path and a query may well be its.
    let (base, _) = text.split_once('?').unwrap_or((text, ""));
    base.parse::<BaseUrl>()?;
    text.parse().map_err(|_| "this is no address".to_owned())
}

fn fixed(reading: &mut Reading, settings: &ProxySettings) -> IdentitySource {
    let nobody = HeaderValue::from_static("");
    let user = settings.user_id.as_deref();
    let user = reading.value("PROXY_USER_ID", user, nobody.clone(), |text| {
        HeaderValue::from_str(text).map_err(|_| format!("{text:?} cannot stand in a header"))
    });
    let workspaces = settings.workspace_id.as_deref();
    let workspaces = reading.value("PROXY_WORKSPACE_ID", workspaces, nobody, |text| {
        let is_workspace = |name: &str| Channel::new("s", name.trim(), None).is_ok();
        match HeaderValue::from_str(text) {
            Ok(value) if text == "*" || text.split(',').all(is_workspace) => Ok(value),
            _ => Err(format!("{text:?} is neither a list of workspaces nor *")),
        }
    });
    IdentitySource::Fixed(Identity { user, workspaces })
}

#[cfg(test)]
mod tests;
