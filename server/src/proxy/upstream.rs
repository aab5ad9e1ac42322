//! [`Upstream`]: the gateway behind the proxy.

use std::{fmt, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri},
};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use logs_shared::api::{
    DEFAULT_URL, HEALTH_LIVE_PATH, PROXY_TOKEN_HEADER, USER_ID_HEADER, WORKSPACE_ID_HEADER,
};
use tokio::time::timeout;

use super::{
    headers,
    identity::{Identity, IdentityHeaders},
    refusal::Refusal,
};
use crate::{cause, cli::connector, http::ApiError};

const WORKSPACE_ID: HeaderName = HeaderName::from_static(WORKSPACE_ID_HEADER);
pub(super) const PROXY_TOKEN: HeaderName = HeaderName::from_static(PROXY_TOKEN_HEADER);
const USER_ID: HeaderName = HeaderName::from_static(USER_ID_HEADER);

/// How long who knows the callers may take to answer.
const IDENTITY_WITHIN: Duration = Duration::from_secs(5);
/// How long the gateway may take to say that it is there.
const HEALTH_WITHIN: Duration = Duration::from_secs(2);

/// The address of something behind the proxy: `http` or `https`, without user, query or a slash at its end.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(String);

impl Default for BaseUrl {
    fn default() -> Self {
        Self(DEFAULT_URL.to_owned())
    }
}

impl std::str::FromStr for BaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The text is not shown: there may be a password in it, and that is one of the mistakes.
        let bad = |what: &str| {
            Err(format!(
                "{what}; it is an address such as http://localhost:3002 or https://logs.example.com"
            ))
        };
        let Ok(uri) = text.parse::<Uri>() else {
            return bad("this is no address");
        };
        match (uri.scheme_str(), uri.authority()) {
            (Some("http" | "https"), Some(authority)) if authority.as_str().contains('@') => {
                bad("a user in the address is not taken")
            }
            (Some("http" | "https"), Some(_)) if uri.query().is_some() => {
                bad("a query in the address is not taken")
            }
            (Some("http" | "https"), Some(_)) => Ok(Self(text.trim_end_matches('/').to_owned())),
            _ => bad("this is no http or https address"),
        }
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The gateway behind the proxy, and how to ask it.
pub(super) struct Upstream {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: BaseUrl,
    token: Option<HeaderValue>,
    answer_within: Duration,
}

/// A request for the gateway.
pub(super) struct Onward {
    pub(super) method: Method,
    /// From the gateway's root, with the query.
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// On whose behalf; nobody's for what everybody may have.
    pub(super) identity: Option<Identity>,
}

impl Upstream {
    pub(super) fn new(url: BaseUrl, token: Option<HeaderValue>, answer_within: Duration) -> Self {
        Self {
            client: connector::client(),
            url,
            token,
            answer_within,
        }
    }

    /// The gateway's answer, with the body as it comes: it is read no faster than it is taken on, and the request ends when
    /// the body is dropped.
    pub(super) async fn ask(&self, onward: Onward) -> Result<Response<Incoming>, Refusal> {
        let mut request = Request::new(Full::new(onward.body));
        *request.method_mut() = onward.method;
        *request.uri_mut() = self.uri(&onward.path)?;
        *request.headers_mut() = onward.headers;
        if let Some(Identity { user, workspaces }) = onward.identity {
            let headers = request.headers_mut();
            headers.insert(USER_ID, user);
            headers.insert(WORKSPACE_ID, workspaces);
            if let Some(token) = &self.token {
                headers.insert(PROXY_TOKEN, token.clone());
            }
        }
        let answer = timeout(self.answer_within, self.client.request(request)).await;
        let mut answer = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                tracing::warn!(upstream = %self.url, error = cause::innermost(&error), "the gateway does not answer");
                return Err(Refusal::Unreachable);
            }
            Err(_) => {
                tracing::warn!(upstream = %self.url, within = ?self.answer_within, "the gateway does not answer in time");
                return Err(Refusal::Timeout(self.answer_within.as_secs().max(1)));
            }
        };
        if answer.status() == StatusCode::UNAUTHORIZED {
            let why = if self.token.is_some() {
                "the gateway refuses who this proxy says it is: compare PROXY_TOKEN and AUTH on both"
            } else {
                "the gateway wants to know who this proxy is: set PROXY_TOKEN as on the gateway"
            };
            tracing::warn!(upstream = %self.url, "{why}");
        }
        headers::clean(answer.headers_mut());
        // Of the connection to the gateway, and nothing to the one to the browser.
        answer.extensions_mut().clear();
        Ok(answer)
    }

    /// Whether the gateway says that it is there.
    pub(super) async fn answers(&self) -> bool {
        let onward = Onward {
            method: Method::GET,
            path: HEALTH_LIVE_PATH.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            identity: None,
        };
        let answer = timeout(HEALTH_WITHIN, self.ask(onward)).await;
        answer.is_ok_and(|answer| answer.is_ok_and(|answer| answer.status().is_success()))
    }

    fn uri(&self, path: &str) -> Result<Uri, Refusal> {
        // Both parts were read as what they are before; together they may be too long.
        let uri = format!("{}{path}", self.url).parse();
        uri.map_err(|_| ApiError::UriTooLong(path.len()).into())
    }
}

/// Asks a URL who it is, with what the request has to show for it, as `auth_request` of nginx does: an answer of 2xx names the
/// caller in its headers, 401 and 403 are passed on, anything else is nothing to rely on.
pub(super) struct Hook {
    client: Client<HttpsConnector<HttpConnector>, Body>,
}

impl Hook {
    pub(super) fn new() -> Self {
        Self {
            client: connector::client(),
        }
    }

    pub(super) async fn identity(
        &self,
        url: &Uri,
        names: &IdentityHeaders,
        request: &HeaderMap,
        production: bool,
    ) -> Result<Identity, Refusal> {
        use axum::http::header::{AUTHORIZATION, COOKIE, WWW_AUTHENTICATE};
        let mut asking = Request::new(Body::empty());
        *asking.uri_mut() = url.clone();
        if let Some(value) = request.get(AUTHORIZATION) {
            asking.headers_mut().insert(AUTHORIZATION, value.clone());
        }
        // HTTP/2 may bring cookies apart, which HTTP/1.1 knows as one header only (RFC 9113, section 8.2.3).
        let cookies: Vec<&[u8]> = request
            .get_all(COOKIE)
            .iter()
            .map(HeaderValue::as_bytes)
            .collect();
        if let Ok(cookies) = HeaderValue::from_bytes(&cookies.join(&b"; "[..]))
            && !cookies.is_empty()
        {
            asking.headers_mut().insert(COOKIE, cookies);
        }
        let unavailable = |reason: String| {
            tracing::warn!(reason, "PROXY_IDENTITY_URL does not say who it is");
            Refusal::IdentityUnavailable
        };
        let answer = timeout(IDENTITY_WITHIN, self.client.request(asking)).await;
        let answer = answer
            .map_err(|_| unavailable(format!("no answer within {} s", IDENTITY_WITHIN.as_secs())))?
            .map_err(|error| unavailable(cause::innermost(&error)))?;
        match answer.status() {
            status if status.is_success() => names.identity(answer.headers(), production),
            StatusCode::UNAUTHORIZED => Err(Refusal::NotSignedIn(
                answer.headers().get(WWW_AUTHENTICATE).cloned(),
            )),
            StatusCode::FORBIDDEN => Err(Refusal::NotAllowed),
            other => Err(unavailable(format!("it answered {other}"))),
        }
    }
}
