//! What `/metrics` counts.

use crate::app::{TestApp, settings};
use logs_gateway::config::Settings;

async fn figure(app: &TestApp, row: &str) -> u64 {
    let answer = app.get("/metrics").await;
    assert_eq!(answer.status, 200);
    let text = String::from_utf8(answer.body).expect("text");
    let value = text.lines().find_map(|line| line.strip_prefix(row));
    let value = value.unwrap_or_else(|| panic!("no {row} in\n{text}"));
    value.trim().parse().expect("a number")
}

fn rejections(code: &str) -> String {
    format!("logs_gateway_rejections_total{{reason=\"{code}\"}}")
}

#[tokio::test]
async fn it_is_open_metrics() {
    let app = TestApp::new();
    let answer = app.get("/metrics").await;
    assert_eq!(
        answer.headers["content-type"],
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(answer.body.ends_with(b"# EOF\n"));
}

#[tokio::test]
async fn refused_requests_are_counted_by_their_code() {
    let app = TestApp::new();
    let row = rejections("missing_channels");
    assert_eq!(figure(&app, &row).await, 0);
    for _ in 0..2 {
        app.get("/api/logs/stream").await;
    }
    assert_eq!(figure(&app, &row).await, 2);
    app.get("/nowhere").await;
    assert_eq!(figure(&app, &rejections("not_found")).await, 1);
}

#[tokio::test]
async fn records_refused_within_a_batch_are_counted_by_their_code() {
    let app = TestApp::new();
    let body = r#"[{"channel":"logs:etl:w","logData":"m"},{"channel":"?","logData":"m"},{"channel":"logs:etl:w"},{"channel":"!","logData":"m"}]"#;
    let answer = app.publish_body(&[], body).await.json();
    assert_eq!(answer["accepted"], 1, "{answer}");
    assert_eq!(figure(&app, &rejections("invalid_channel")).await, 2);
    assert_eq!(figure(&app, &rejections("invalid_log_data")).await, 1);
}

/// A batch of which nothing is accepted is one refusal.
#[tokio::test]
async fn a_batch_that_is_refused_as_a_whole_counts_once() {
    let app = TestApp::new();
    let body = r#"[{"channel":"?","logData":"m"},{"channel":"!","logData":"m"}]"#;
    assert_eq!(app.publish_body(&[], body).await.status, 400);
    assert_eq!(figure(&app, &rejections("invalid_channel")).await, 1);
}

#[tokio::test]
async fn what_goes_in_and_out_is_counted() {
    let app = TestApp::new();
    let mut stream = app.stream("channels=logs:etl:*").await;
    app.publish("logs:etl:w", "m".into()).await;
    stream.next_record().await;
    for (row, expected) in [
        ("logs_gateway_streams ", 1),
        ("logs_gateway_channels ", 1),
        ("logs_gateway_records_published_total ", 1),
        ("logs_gateway_records_delivered_total ", 1),
        ("logs_gateway_stalled_connections_total ", 0),
        ("logs_gateway_healthy ", 1),
    ] {
        assert_eq!(figure(&app, row).await, expected, "{row}");
    }
    assert!(figure(&app, "logs_gateway_kept_bytes ").await > 0);
}

#[tokio::test]
async fn it_is_for_who_may_administer() {
    let app = TestApp::with(Settings {
        admin_token: Some("s3cret".to_owned()),
        ..settings()
    });
    assert_eq!(
        app.get("/metrics").await.refusal(),
        (401, "missing_token".to_owned())
    );
}
