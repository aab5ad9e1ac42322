//! Whether the stream may be kept by a cache.

use axum::http::{HeaderMap, header};

use crate::cli::doctor::{
    finding::{Check, Finding},
    party::Party,
};

/// The gateway says `no-store`.
pub(in crate::cli::doctor) fn check(headers: &HeaderMap, party: Party) -> Finding {
    let values = headers.get_all(header::CACHE_CONTROL).iter();
    let control: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
    let control = control.join(", ").to_ascii_lowercase();
    let from_cache = headers
        .get("x-cache")
        .or_else(|| headers.get("cf-cache-status"))
        .and_then(|cache| cache.to_str().ok())
        .is_some_and(|cache| cache.to_ascii_lowercase().contains("hit"));
    let who = party.or_somebody();
    if from_cache || headers.contains_key(header::AGE) {
        return Finding::fail(Check::Caching, format!("{who} answers out of a cache")).change(
            "no cache over the stream's path (nginx: no `proxy_cache`; Cloudflare: cache level bypass)",
        );
    }
    if control.contains("no-store") {
        return Finding::ok(Check::Caching, "cache-control: no-store comes through");
    }
    let seen = if control.is_empty() {
        "cache-control: no-store has been taken out".to_owned()
    } else {
        format!("cache-control is {control:?} where the gateway says no-store")
    };
    Finding::warn(Check::Caching, seen).change(format!(
        "{who}: cache-control goes through as it is (nginx: no `expires` and no `proxy_hide_header Cache-Control` here)"
    ))
}
