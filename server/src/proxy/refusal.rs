//! [`Refusal`]: every way the proxy itself answers in the gateway's place.

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use logs_shared::{Problem, api::PROBLEM_TYPE, problem::code};

use crate::http::ApiError;

/// Every way the proxy itself answers in the gateway's place. What it says goes to the caller: no secret is in it, and no
/// address of anything behind the proxy.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// What a gateway would have refused likewise.
    #[error(transparent)]
    AsGateway(#[from] ApiError),
    /// 400: a part of the channel is not named.
    #[error("{0} is missing: name workspace_id and workflow_id, or channels=…")]
    MissingParameter(&'static str),
    /// 401: the request does not say whose it is.
    #[error("nobody is signed in: {0} is missing")]
    MissingIdentity(HeaderName),
    /// 401: the request says more than once whose it is.
    #[error("it is not clear who is signed in: {0} came more than once")]
    AmbiguousIdentity(HeaderName),
    /// 401: who was asked does not know the caller; with the way to sign in, where it was told.
    #[error("nobody is signed in")]
    NotSignedIn(Option<HeaderValue>),
    /// 403: who was asked knows the caller and says no.
    #[error("who is signed in may not read here")]
    NotAllowed,
    /// 502: who knows the callers does not answer as it should.
    #[error("it cannot be told who is signed in: who knows that does not answer as it should")]
    IdentityUnavailable,
    /// 502: the gateway does not answer.
    #[error("the logs gateway behind this proxy cannot be reached")]
    Unreachable,
    /// 504: the gateway's answer does not begin.
    #[error("the logs gateway behind this proxy did not answer within {0} s")]
    Timeout(u64),
}

/// When to come back after a refusal that will pass.
const RETRY_AFTER_SECONDS: u16 = 2;

impl Refusal {
    fn status_and_code(&self) -> (StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::AsGateway(error) => error.status_and_code(),
            Self::MissingParameter(_) => (S::BAD_REQUEST, code::MISSING_CHANNELS),
            Self::MissingIdentity(_) | Self::AmbiguousIdentity(_) | Self::NotSignedIn(_) => {
                (S::UNAUTHORIZED, code::MISSING_IDENTITY)
            }
            Self::NotAllowed => (S::FORBIDDEN, code::proxy::IDENTITY_REFUSED),
            Self::IdentityUnavailable => (S::BAD_GATEWAY, code::proxy::IDENTITY_UNAVAILABLE),
            Self::Unreachable => (S::BAD_GATEWAY, code::proxy::UPSTREAM_UNREACHABLE),
            Self::Timeout(_) => (S::GATEWAY_TIMEOUT, code::proxy::UPSTREAM_TIMEOUT),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if let Self::AsGateway(error) = self {
            return error.into_response();
        }
        let (status, code) = self.status_and_code();
        let detail = self.to_string();
        tracing::debug!(status = status.as_u16(), code, detail, "refused");
        let problem = Problem {
            status: status.as_u16(),
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            success: false,
            code: code.to_owned(),
            detail,
            rejected: Vec::new(),
        };
        let mut response = (status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::BAD_GATEWAY || status == StatusCode::GATEWAY_TIMEOUT {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS.into());
        }
        if let Self::NotSignedIn(Some(how)) = self {
            headers.insert(header::WWW_AUTHENTICATE, how);
        }
        response
    }
}
