//! Headers that every answer has, whatever it is an answer to.

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::Response,
};

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// What is sent is what its content type says (a log line that looks like a page is none), and is loaded into pages of
/// other origins only where it says so itself, as the widget does, or where CORS lets them ask for it (Fetch Standard,
/// sections 3.6 and 3.8).
pub(crate) async fn protect(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers
        .entry(RESOURCE_POLICY)
        .or_insert(HeaderValue::from_static("same-origin"));
    response
}
