//! `GET /openapi.json`.

use std::sync::LazyLock;

use axum::{http::header, response::IntoResponse};
use logs_shared::api::JSON_TYPE;

use crate::gateway::VERSION;

/// What can be asked and what is answered. Written by hand, and held against the routes, the codes and the answers by
/// the tests.
static DOCUMENT: LazyLock<String> =
    LazyLock::new(|| include_str!("openapi.json").replacen("{version}", VERSION, 1));

/// Describes everything that can be asked of the gateway (OpenAPI 3.1).
pub(super) async fn describe() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, JSON_TYPE),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text())
}

/// The description itself, of this version.
pub(super) fn text() -> &'static str {
    DOCUMENT.as_str()
}
