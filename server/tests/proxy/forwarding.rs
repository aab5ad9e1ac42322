//! What goes on to the gateway, and what the proxy answers itself.

use axum::http::StatusCode;
use logs_gateway::proxy::ProxySettings;
use logs_shared::api::MAX_CHANGE_BYTES;

use crate::{
    behind::Behind,
    through::{ALICE, PREFIX, TestProxy, settings, some},
};

#[tokio::test]
async fn each_path_is_one_of_the_gateways_and_no_other_is_reached() {
    let (behind, _streams) = Behind::start().await;
    let proxy = TestProxy::start(&settings(&behind)).await;
    let cases = [
        (
            "/stream?workspace_id=w1&workflow_id=f&since=1-0&token=s3cret",
            "GET /api/logs/stream?channels=logs:etl:w1:f&since=1-0",
        ),
        (
            "/history?channels=logs:faas:w1&after=5-0",
            "GET /api/logs/history?channels=logs:faas:w1&after=5-0",
        ),
        (
            "/channels?workspace_id=w1",
            "GET /api/logs/channels?workspace_id=w1",
        ),
        ("/channels", "GET /api/logs/channels"),
    ];
    for (path, asked) in cases {
        let answer = proxy.get(&format!("{PREFIX}{path}"), &ALICE).await;
        assert_eq!((answer.status, &answer.body[..]), (StatusCode::OK, &b"fine"[..]));
        assert_eq!(behind.last().line, asked);
    }
    for path in [
        "/logs-widget.js",
        "/assets/widget-1a2b.wasm",
        "/assets/fonts/a_b~c.woff2",
    ] {
        proxy.get(path, &[]).await;
        assert_eq!(behind.last().line, format!("GET {path}"));
        assert_eq!(behind.last().header("x-proxy-token"), None);
    }
    let asked = behind.count();
    for path in [
        "/",
        "/api/logs/stream?channels=logs:a:b",
        "/admin/logs/stats",
        "/assets/../admin/logs/stats",
        "/assets/%2e%2e/admin/logs/stats",
        "/assets/a//b",
        &format!("{PREFIX}/publish"),
    ] {
        let answer = proxy.get(path, &ALICE).await;
        assert_eq!(answer.refusal(), (404, "not_found".to_owned()), "{path}");
    }
    for id in ["..", "a%2fb", "a%3fb", "%2e%2e", "a%0d%0ab"] {
        let answer = proxy.patch(&format!("{PREFIX}/streams/{id}"), &ALICE, "{}").await;
        assert_eq!(answer.refusal(), (404, "unknown_stream".to_owned()), "{id}");
    }
    let answer = proxy.patch(&format!("{PREFIX}/stream"), &ALICE, "{}").await;
    assert_eq!(answer.refusal(), (405, "method_not_allowed".to_owned()));
    assert_eq!(behind.count(), asked, "something was asked for");
}

#[tokio::test]
async fn a_refusal_of_the_gateway_comes_as_it_is_but_for_other_origins() {
    let (behind, _streams) = Behind::start().await;
    let proxy = TestProxy::start(&settings(&behind)).await;
    let path = format!("{PREFIX}/stream?channels=logs:a:b&level=limited");
    let answer = proxy.get(&path, &ALICE).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers["retry-after"], "7");
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(&answer.body[..], br#"{"code":"too_many_streams_per_user"}"#);
    assert!(!answer.headers.contains_key("access-control-expose-headers"));
}

#[tokio::test]
async fn a_gateway_that_is_away_or_slow_is_told_apart_and_not_named() {
    let (behind, _streams) = Behind::start().await;
    let proxy = TestProxy::start(&ProxySettings {
        answer_within: some("300ms"),
        ..settings(&behind)
    })
    .await;
    let slow = format!("{PREFIX}/stream?channels=logs:a:b&level=slow");
    let answer = proxy.get(&slow, &ALICE).await;
    assert_eq!(answer.refusal(), (504, "upstream_timeout".to_owned()));
    assert_eq!(proxy.get("/health", &[]).await.status, StatusCode::OK);

    let proxy = TestProxy::start(&ProxySettings {
        upstream: some("http://127.0.0.1:1"),
        ..settings(&behind)
    })
    .await;
    let answer = proxy.get(&format!("{PREFIX}/channels"), &ALICE).await;
    assert_eq!(answer.refusal(), (502, "upstream_unreachable".to_owned()));
    assert_eq!(answer.headers["retry-after"], "2");
    assert!(!String::from_utf8_lossy(&answer.body).contains("127.0.0.1"));
    let health = proxy.get("/health", &[]).await;
    assert_eq!(health.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(proxy.get("/health/live", &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_change_goes_on_with_its_body_and_one_that_is_too_large_does_not() {
    let (behind, _streams) = Behind::start().await;
    let proxy = TestProxy::start(&settings(&behind)).await;
    let path = format!("{PREFIX}/streams/0123abcd?token=s3cret");
    let headers = [ALICE[0], ALICE[1], ("content-type", "application/json")];
    let change = r#"{"add":["logs:a:b"]}"#;
    assert_eq!(proxy.patch(&path, &headers, change).await.status, StatusCode::OK);
    let asked = behind.last();
    assert_eq!(asked.line, "PATCH /api/logs/streams/0123abcd");
    assert_eq!(&asked.body[..], change.as_bytes());
    assert_eq!(asked.header("content-type"), Some("application/json"));
    let most = vec![b' '; MAX_CHANGE_BYTES];
    assert_eq!(proxy.patch(&path, &headers, most).await.status, StatusCode::OK);
    let more = vec![b' '; MAX_CHANGE_BYTES + 1];
    let answer = proxy.patch(&path, &headers, more).await;
    assert_eq!(answer.refusal(), (413, "body_too_large".to_owned()));
}
