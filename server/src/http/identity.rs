//! Who reads: the extractor of [`ReaderIdentity`].

use std::net::IpAddr;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use logs_shared::api::{PROXY_TOKEN_HEADER, TOKEN_PARAMETER, USER_ID_HEADER, WORKSPACE_ID_HEADER};

use super::{
    ApiError,
    extract::{bearer, peer, text},
};
use crate::{
    access::{
        Credential, IdentityError, JwtAccess, ProxyAccess, ProxyIdentity, ReadAccess, ReadScope,
        ReaderIdentity,
    },
    addresses::host,
    gateway::Gateway,
};

const ANONYMOUS: &str = "anonymous";
const LONGEST_USER_ID: usize = 128;

impl FromRequestParts<Gateway> for ReaderIdentity {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, ApiError> {
        let reader = match &gateway.config().read {
            ReadAccess::NotConfigured => return Err(ApiError::AuthNotConfigured),
            ReadAccess::Open => whoever(parts, gateway),
            ReadAccess::Proxy(proxy) => of_proxy(proxy, &parts.headers)?,
            ReadAccess::Jwt(jwt) => of_token(jwt, parts)?,
        };
        gateway.revoked().admits(&reader)?;
        // Where all come from one machine, a proxy's or this one, its address tells nobody apart.
        let address = match &gateway.config().read {
            ReadAccess::Proxy(_) => None,
            _ => origin(parts, gateway)
                .filter(|address| !address.is_loopback())
                .map(host),
        };
        Ok(Self { address, ..reader })
    }
}

/// A reader where reading is open: it is called what it says, or nothing.
fn whoever(parts: &Parts, gateway: &Gateway) -> ReaderIdentity {
    let name = text(&parts.headers, USER_ID_HEADER)
        .map(str::trim)
        .filter(|name| !name.is_empty() && name.len() <= LONGEST_USER_ID);
    match name {
        Some(name) => ReaderIdentity::named(name.to_owned(), ReadScope::Everything, Credential::default()),
        None => ReaderIdentity {
            owner: origin(parts, gateway)
                .map_or_else(|| ANONYMOUS.to_owned(), |address| host(address).to_string()),
            is_named: false,
            ..ReaderIdentity::named(ANONYMOUS.to_owned(), ReadScope::Everything, Credential::default())
        },
    }
}

/// Whom a proxy has logged in.
fn of_proxy(proxy: &ProxyAccess, headers: &HeaderMap) -> Result<ReaderIdentity, ApiError> {
    let token = text(headers, PROXY_TOKEN_HEADER).ok_or(ApiError::MissingToken(
        "reading goes through the proxy, which sends X-Proxy-Token",
    ))?;
    if !proxy.knows(token) {
        return Err(ApiError::InvalidToken);
    }
    let user_id = only(headers, USER_ID_HEADER)?;
    let workspaces = only(headers, WORKSPACE_ID_HEADER)?;
    let ProxyIdentity { user_id, scope } = ProxyIdentity::read(user_id, workspaces)?;
    Ok(ReaderIdentity::named(user_id, scope, Credential::default()))
}

/// The value of a header that is there once at most. Of two, one may be the browser's, which the proxy has let through.
fn only<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, IdentityError> {
    let mut values = headers.get_all(name).iter();
    let value = values.next();
    if values.next().is_some() {
        return Err(IdentityError::Invalid(format!("{name} is there twice")));
    }
    let text = value.map(|value| std::str::from_utf8(value.as_bytes()));
    text.transpose()
        .map_err(|_| IdentityError::Invalid(format!("{name} is not UTF-8")))
}

/// Who shows a token: in a header, the query or a cookie. What a program sends by itself comes before what a browser adds.
fn of_token(jwt: &JwtAccess, parts: &Parts) -> Result<ReaderIdentity, ApiError> {
    let given = |token: &String| !token.is_empty();
    let in_header = bearer(&parts.headers).map(str::to_owned);
    let in_query = || {
        let query = parts.uri.query().unwrap_or_default();
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs
            .find(|(name, _)| name == TOKEN_PARAMETER)
            .map(|(_, token)| token.into_owned())
            .filter(given)
    };
    let in_cookie = || cookie(&parts.headers, jwt.settings().cookie.as_deref()?).filter(given);
    let token = in_header.filter(given).or_else(in_query).or_else(in_cookie);
    let token = token.ok_or(ApiError::MissingToken(
        "send Authorization: Bearer, ?token= or the cookie of your login",
    ))?;
    let verified = jwt.verify(&token)?;
    Ok(ReaderIdentity::named(
        verified.user_id,
        verified.scope,
        verified.credential,
    ))
}

/// The value of a cookie (RFC 6265, section 5.4).
fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    for list in headers.get_all(header::COOKIE) {
        // Others beside it may be in any encoding.
        let list = String::from_utf8_lossy(list.as_bytes());
        let mut pairs = list.split(';').filter_map(|pair| pair.split_once('='));
        if let Some((_, value)) = pairs.find(|(known, _)| known.trim() == name) {
            return Some(value.trim().trim_matches('"').to_owned());
        }
    }
    None
}

/// Where a request comes from, as far as proxies that are trusted tell.
pub(super) fn origin(parts: &Parts, gateway: &Gateway) -> Option<IpAddr> {
    let proxies = &gateway.config().trusted_proxies;
    peer(parts).map(|peer| proxies.origin(peer.ip(), &parts.headers))
}
