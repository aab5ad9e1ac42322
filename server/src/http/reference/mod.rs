//! `GET /docs`: what `/openapi.json` says, for people.
//!
//! Written once, into one page that needs neither a script nor another file.

mod codes;
mod curl;
mod html;
mod json;
mod operation;
mod page;
mod schema;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::IntoResponse,
};

use self::json::Json;
use super::openapi;
use crate::{access::hash, page::protection};

/// The project's colours, sizes and page heads, and what this page makes of them.
const STYLE: &str = concat!(
    include_str!("../../../../style/tokens.css"),
    include_str!("../../../../style/page.css"),
    include_str!("../../../../style/reference.css")
);

/// What is answered.
struct Reference {
    html: String,
    headers: HeaderMap,
}

static REFERENCE: LazyLock<Reference> = LazyLock::new(|| {
    // The document is a part of this program, and the tests read it too.
    let document: Json = serde_json::from_str(openapi::text()).unwrap_or(Json::Null);
    let mut headers = protection();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(policy) = HeaderValue::from_str(&policy(STYLE)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    Reference {
        html: page::page(&document, STYLE),
        headers,
    }
});

/// Nothing runs and nothing is loaded: the page's one style sheet is in it, and named by its hash (CSP 3, section 2.3.1).
fn policy(style: &str) -> String {
    format!(
        "default-src 'self'; script-src 'none'; style-src 'sha256-{}'; img-src data:; connect-src 'none'; \
         object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
        base64(&hash(style.as_bytes()))
    )
}

/// Describes everything that can be asked of the gateway, for people.
pub(super) async fn show() -> impl IntoResponse {
    (REFERENCE.headers.clone(), REFERENCE.html.as_str())
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, at| {
            bits << 8 | u32::from(three.get(at).copied().unwrap_or(0))
        });
        for at in 0..4 {
            let letter = (bits >> (18 - 6 * at) & 63) as usize;
            text.push(match at <= three.len() {
                true => char::from(LETTERS[letter]),
                false => '=',
            });
        }
    }
    text
}
