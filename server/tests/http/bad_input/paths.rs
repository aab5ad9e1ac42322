//! Paths that lead nowhere, and methods that a path does not take.

use super::Row;
use axum::http::Method;

pub(super) fn rows() -> Vec<Row> {
    let get = |path: &str| Row::new(Method::GET, path);
    let mut rows = vec![
        get(&format!("/{}", "a".repeat(10_000))).is(404, "not_found"),
        get(&format!("/{}", "a".repeat(65_000))).is(414, "uri_too_long"),
        get(&format!("/health?{}", "a".repeat(65_000))).is(414, "uri_too_long"),
        get(&"/..".repeat(1_000)).is(404, "not_found"),
        get("/\u{9b}2J").is(404, "not_found"),
        get("/api/logs/caf\u{e9}").is(404, "not_found"),
    ];
    for path in [
        "//",
        "//health",
        "/health/",
        "/health//live",
        "/health/../admin/logs/stats",
        "/./health",
        "/%2e%2e/health",
        "/health%2flive",
        "/health%00",
        "/HEALTH",
        "/api/logs/stream/",
        "/api/logs/publish/..",
        "/api/logs/streams",
        "/assets/",
        "/assets/../../Cargo.toml",
        "/assets/..%2f..%2fetc%2fpasswd",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "/assets/%00",
        "/assets/c:%5cwindows%5cwin.ini",
        "/index.html",
        "/.git/config",
        "/.env",
        "/%3cscript%3ealert(1)%3c/script%3e",
        "/%0d%0aset-cookie:%20a=b",
        "/%1b[2J",
        "/%zz",
        "/admin/logs",
    ] {
        rows.push(get(path).is(404, "not_found"));
    }
    for (method, path) in [
        (Method::DELETE, "/api/logs/publish"),
        (Method::GET, "/api/logs/publish"),
        (Method::PUT, "/api/logs/stream"),
        (Method::POST, "/api/logs/stream"),
        (Method::DELETE, "/logs/stream"),
        (Method::GET, "/api/logs/streams/x"),
        (Method::POST, "/api/logs/history"),
        (Method::POST, "/health"),
        (Method::TRACE, "/health"),
        (Method::CONNECT, "/health"),
        (Method::POST, "/"),
        (Method::PATCH, "/logs-widget.js"),
    ] {
        rows.push(Row::new(method, path).is(405, "method_not_allowed"));
    }
    let unheard_of = Method::from_bytes(b"BREW").expect("a method");
    rows.push(Row::new(unheard_of, "/health").is(405, "method_not_allowed"));
    rows
}
