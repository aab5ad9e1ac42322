//! Answers of a gateway, held against the document.

use super::{document, schema};
use crate::app::{Answer, TOKEN, TestApp, settings};
use axum::{
    body::Body,
    http::{Method, Request},
};
use logs_gateway::config::Settings;
use logs_shared::ServerEvent;
use serde_json::Value;

/// A gateway, and what its document says.
struct Described {
    app: TestApp,
    document: Value,
}

impl Described {
    async fn new(settings: Settings) -> Self {
        let document = document().await;
        let app = TestApp::with(settings);
        Self { app, document }
    }

    /// Asks, and holds the answer against the description of `operation` (`get /path`).
    async fn ask(&self, operation: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let (method, described) = operation.split_once(' ').expect("a method and a path");
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
        let mut request = Request::builder().method(&method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).expect("a request");
        let answer = self.app.send(request).await;
        let method = method.as_str().to_lowercase();
        let responses = &self.document["paths"][described][method]["responses"];
        let mut response = &responses[answer.status.as_str()];
        if let Some(reference) = response["$ref"].as_str() {
            response = schema::resolve(&self.document, reference);
        }
        let kind = answer.headers["content-type"].to_str().expect("text");
        let kind = kind.split(';').next().unwrap_or_default();
        let content = &response["content"][kind];
        assert!(
            content.is_object(),
            "{operation} {path}: {} {kind} is not described",
            answer.status
        );
        if !kind.ends_with("ndjson") && kind.ends_with("json") {
            let faults = schema::faults(&self.document, &content["schema"], &answer.json());
            assert!(faults.is_empty(), "{operation} {path}: {faults:#?}");
        }
        answer
    }
}

#[tokio::test]
async fn answers_are_as_described() {
    let described = Described::new(settings()).await;
    let mut stream = described.app.stream("channels=logs:etl:*").await;
    let Some((ServerEvent::Connection(connection), _)) = stream.next().await else {
        panic!("a stream begins with its connection");
    };
    let id = connection.stream_id;
    let token = [("x-service-token", TOKEN)];
    let record = r#"{"channel":"logs:etl:w:x","logData":{"message":"m","rows":42}}"#;
    let mixed =
        format!(r#"[{record},{{"channel":"?","logData":"m"}},{{"channel":"logs:etl:w","logData":"m"}}]"#);
    let mut otlp = crate::otlp::request(&["m", "n"]);
    otlp["resourceLogs"][0]["scopeLogs"][0]["logRecords"][1]["timeUnixNano"] = "soon".into();
    let otlp = otlp.to_string();
    let change =
        r#"{"add":["logs:faas:w","?",{"channel":"logs:etl:w","level":"loud"}],"remove":["logs:etl:*"]}"#;
    let changed = format!("/api/logs/streams/{id}");
    let with_key = [token[0], ("idempotency-key", "k")];
    type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, u16);
    let cases: &[Case<'_>] = &[
        ("post /api/logs/publish", "/api/logs/publish", &token, record, 200),
        ("post /api/logs/publish", "/api/logs/publish", &token, &mixed, 200),
        ("post /api/logs/publish", "/api/logs/publish", &token, "{", 400),
        (
            "post /api/logs/publish",
            "/api/logs/publish",
            &token,
            r#"[{},{"channel":"?"}]"#,
            400,
        ),
        ("post /api/logs/publish", "/api/logs/publish", &[], record, 401),
        (
            "post /api/logs/publish",
            "/api/logs/publish",
            &[("x-service-token", "etl-token")],
            record,
            200,
        ),
        (
            "post /api/logs/publish",
            "/api/logs/publish",
            &[("x-service-token", "etl-token")],
            r#"{"channel":"logs:faas:w","logData":"m"}"#,
            403,
        ),
        (
            "post /api/logs/publish",
            "/api/logs/publish",
            &[token[0], ("content-type", "a/b")],
            record,
            415,
        ),
        (
            "post /api/logs/publish",
            "/api/logs/publish",
            &with_key,
            record,
            200,
        ),
        (
            "post /api/logs/publish",
            "/api/logs/publish",
            &with_key,
            &mixed,
            422,
        ),
        ("post /logs/stream", "/logs/stream", &token, record, 200),
        ("post /v1/logs", "/v1/logs", &token, &otlp, 200),
        (
            "post /v1/logs",
            "/v1/logs",
            &[("x-service-token", "etl-token")],
            &otlp,
            200,
        ),
        ("post /v1/logs", "/v1/logs", &token, "{", 400),
        ("post /v1/logs", "/v1/logs", &[], &otlp, 401),
        (
            "post /v1/logs",
            "/v1/logs",
            &[token[0], ("content-type", "a/b")],
            &otlp,
            415,
        ),
        ("get /test/logs", "/test/logs?rows=7", &[], "", 200),
        ("post /test/logs", "/test/logs", &[], "", 200),
        (
            "get /api/logs/history",
            "/api/logs/history?channels=logs:*:w:*",
            &[],
            "",
            200,
        ),
        (
            "get /api/logs/history",
            "/api/logs/history?channels=logs:no:w",
            &[],
            "",
            200,
        ),
        (
            "get /api/logs/history",
            "/api/logs/history?channels=logs:*:w:*",
            &[("accept", "application/x-ndjson")],
            "",
            200,
        ),
        ("get /api/logs/history", "/api/logs/history", &[], "", 400),
        ("get /api/logs/channels", "/api/logs/channels", &[], "", 200),
        (
            "get /api/logs/channels",
            "/api/logs/channels?workspace_id=:",
            &[],
            "",
            400,
        ),
        ("patch /api/logs/streams/{stream_id}", &changed, &[], change, 200),
        ("patch /api/logs/streams/{stream_id}", &changed, &[], "[]", 400),
        (
            "patch /api/logs/streams/{stream_id}",
            "/api/logs/streams/x",
            &[],
            "{}",
            404,
        ),
        ("get /api/logs/stream", "/api/logs/stream", &[], "", 400),
        ("get /health", "/health", &[], "", 200),
        ("get /health/live", "/health/live", &[], "", 200),
        ("get /health/ready", "/health/ready", &[], "", 200),
        ("get /admin/logs/stats", "/admin/logs/stats", &[], "", 200),
        (
            "post /admin/logs/streams/{stream_id}/close",
            "/admin/logs/streams/77/close",
            &[],
            "",
            404,
        ),
        (
            "post /admin/logs/streams/{stream_id}/close",
            "/admin/logs/streams/1/close",
            &[],
            "",
            200,
        ),
        (
            "post /admin/logs/revoke",
            "/admin/logs/revoke",
            &[],
            r#"{"user":"u","for_s":1}"#,
            200,
        ),
        (
            "post /admin/logs/revoke",
            "/admin/logs/revoke",
            &[],
            r#"{"token":"t"}"#,
            200,
        ),
        ("post /admin/logs/revoke", "/admin/logs/revoke", &[], "{}", 400),
        ("get /admin/logs/stats", "/admin/logs/stats?rows=1", &[], "", 200),
        (
            "get /admin/logs/stats",
            "/admin/logs/stats?rows=all",
            &[],
            "",
            400,
        ),
        ("get /metrics", "/metrics", &[], "", 200),
        ("get /openapi.json", "/openapi.json", &[], "", 200),
        ("get /", "/", &[], "", 200),
        ("get /logs-widget.js", "/logs-widget.js", &[], "", 200),
        ("get /assets/{path}", "/assets/none", &[], "", 404),
    ];
    for (operation, path, headers, body, status) in cases {
        let answer = described.ask(operation, path, headers, body).await;
        assert_eq!(answer.status.as_u16(), *status, "{operation} {path} {body}");
    }
}

#[tokio::test]
async fn what_nothing_was_opened_for_answers_as_described() {
    let closed = Settings {
        node_env: Some("production".to_owned()),
        ..Settings::default()
    };
    let described = Described::new(closed).await;
    for (operation, path) in [
        ("get /api/logs/stream", "/api/logs/stream?channels=logs:etl:w"),
        ("get /api/logs/history", "/api/logs/history?channels=logs:etl:w"),
        ("post /api/logs/publish", "/api/logs/publish"),
        ("get /admin/logs/stats", "/admin/logs/stats"),
        ("get /metrics", "/metrics"),
    ] {
        let answer = described.ask(operation, path, &[], "{}").await;
        assert_eq!(answer.status, 401, "{operation}");
    }
    let answer = described.ask("get /test/logs", "/test/logs", &[], "").await;
    assert_eq!(answer.status, 404);
}
