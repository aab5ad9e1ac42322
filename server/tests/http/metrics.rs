//! What `/metrics` counts.

use axum::{body::Body, http::Request};
use logs_gateway::config::Settings;
use logs_shared::{ServerEvent, overview::Stats};
use serde_json::json;

use crate::app::{TestApp, settings};

async fn stats(app: &TestApp) -> Stats {
    serde_json::from_slice(&app.get("/admin/logs/stats").await.body).expect("statistics")
}

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

/// What a Prometheus of today accepts.
const PROMETHEUS: &str = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                          text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

#[tokio::test]
async fn it_is_open_metrics_for_who_reads_that_and_the_older_text_for_everybody_else() {
    let app = TestApp::new();
    for (accept, kind, is_open_metrics) in [
        (
            PROMETHEUS,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            true,
        ),
        ("*/*", "text/plain; version=0.0.4; charset=utf-8", false),
        ("", "text/plain; version=0.0.4; charset=utf-8", false),
    ] {
        let mut request = Request::get("/metrics");
        if !accept.is_empty() {
            request = request.header("accept", accept);
        }
        let answer = app.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.headers["content-type"], kind, "{accept}");
        assert_eq!(answer.headers["cache-control"], "no-store");
        let mut varies = answer.headers.get_all("vary").iter();
        assert!(
            varies.any(|names| names == "accept"),
            "{accept}: {:?}",
            answer.headers
        );
        assert_eq!(answer.body.ends_with(b"# EOF\n"), is_open_metrics, "{accept}");
    }
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
        ("logs_gateway_writer_batch_records_count ", 1),
        ("logs_gateway_writer_batch_records_bucket{le=\"1.0\"}", 1),
        ("logs_gateway_append_duration_seconds_count ", 1),
        ("logs_gateway_append_duration_seconds_bucket{le=\"+Inf\"}", 1),
        ("logs_gateway_streams_limit ", 20_000),
    ] {
        assert_eq!(figure(&app, row).await, expected, "{row}");
    }
    let (published, delivered) = (
        figure(&app, "logs_gateway_published_bytes_total ").await,
        figure(&app, "logs_gateway_delivered_bytes_total ").await,
    );
    // The record as it was sent, and what was sent besides.
    assert!(published > 20 && delivered > published, "{published} {delivered}");
    assert_eq!(delivered, stream.text.len() as u64);
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

#[tokio::test]
async fn what_became_of_records_is_told_by_service() {
    let app = TestApp::new();
    let row = |service: &str, outcome: &str| {
        format!("logs_gateway_service_records_total{{service=\"{service}\",outcome=\"{outcome}\"}}")
    };
    let body = json!([
        { "channel": "logs:etl:w", "logData": ["a", "b"] },
        { "channel": "logs:faas:w", "logData": "c" },
        { "channel": "?", "logData": "of nobody" },
    ]);
    for _ in 0..2 {
        let key = [("idempotency-key", "k")];
        assert_eq!(app.publish_body(&key, body.to_string()).await.status, 200);
    }
    // Of a service that the token is not for, which has a row already, and of one that has none.
    for channel in ["logs:faas:w", "logs:stranger:w"] {
        assert_eq!(app.publish_as("etl-token", channel, "m").await.status, 403);
    }
    for (service, outcome, count) in [
        ("etl", "accepted", 2),
        ("etl", "repeated", 2),
        ("etl", "rejected", 0),
        ("faas", "accepted", 1),
        ("faas", "repeated", 1),
        ("faas", "rejected", 1),
        ("other", "accepted", 0),
        ("other", "rejected", 3),
    ] {
        assert_eq!(
            figure(&app, &row(service, outcome)).await,
            count,
            "{service} {outcome}"
        );
    }
    let services = stats(&app).await.by_service;
    let names: Vec<_> = services.iter().map(|row| row.service.as_str()).collect();
    assert_eq!(names, ["etl", "faas", "other"]);
    assert_eq!(
        (services[0].accepted, services[0].repeated, services[2].rejected),
        (2, 2, 3)
    );
}

#[tokio::test]
async fn a_stream_that_takes_nothing_is_behind_until_it_does() {
    let app = TestApp::new();
    let mut quick = app.stream("channels=logs:etl:*").await;
    let mut slow = app.stream("channels=logs:etl:*").await;
    // Follows what nothing comes to: up to date, although its cursor stands still.
    let mut quiet = app.stream("channels=logs:faas:*").await;
    for stream in [&mut quick, &mut slow, &mut quiet] {
        assert!(stream.history().await.is_empty());
    }
    app.publish("logs:etl:w", "m".into()).await;
    quick.next_record().await;
    // Long enough to be told from nothing.
    tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    let told = stats(&app).await;
    assert!((30..20_000).contains(&told.lag_ms), "{told:?}");
    assert_eq!(told.streams_behind, 1);
    let lags: Vec<_> = told.by_connection.iter().map(|row| row.lag_ms > 0).collect();
    assert_eq!(lags, [false, true, false]);
    assert_eq!(figure(&app, "logs_gateway_streams_behind ").await, 1);
    slow.next_record().await;
    let told = stats(&app).await;
    assert_eq!((told.lag_ms, told.streams_behind), (0, 0), "{told:?}");
}

#[tokio::test]
async fn statistics_have_as_many_rows_as_are_asked_for_and_say_how_many_more_there_are() {
    let app = TestApp::new();
    let mut slow = app.stream("channels=logs:etl:*").await;
    assert!(slow.history().await.is_empty());
    let mut quick = app.stream("channels=logs:etl:*").await;
    assert!(quick.history().await.is_empty());
    for channel in ["logs:etl:b", "logs:etl:a", "logs:etl:a", "logs:etl:c"] {
        app.publish(channel, "m".into()).await;
        quick.next_record().await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let app = &app;
    let asked = |rows: usize| {
        let path = format!("/admin/logs/stats?rows={rows}");
        async move { serde_json::from_slice::<Stats>(&app.get(&path).await.body).expect("statistics") }
    };
    let names = |of: &Stats| {
        let names = of.by_channel.iter().map(|row| row.channel.to_string());
        names.collect::<Vec<_>>().join(" ")
    };
    let told = asked(1).await;
    assert_eq!(names(&told), "logs:etl:a");
    assert_eq!(told.by_connection.len(), 1);
    assert!(told.by_connection[0].lag_ms > 0, "{told:?}");
    assert_eq!((told.channels, told.more_channels), (3, 2));
    assert_eq!((told.connections, told.more_connections), (2, 1));
    assert_eq!(told.streams_behind, 1);
    // Of two that are as busy, the one with something newer.
    assert_eq!(names(&asked(2).await), "logs:etl:a logs:etl:c");
    let told = asked(0).await;
    assert_eq!((told.more_channels, told.more_connections), (3, 2));
    let told = stats(app).await;
    assert_eq!(names(&told), "logs:etl:a logs:etl:b logs:etl:c");
    assert_eq!((told.more_channels, told.more_connections), (0, 0));
    assert_eq!(app.get("/admin/logs/stats?rows=x").await.status, 400);
}

#[tokio::test]
async fn what_a_stream_catches_up_on_is_no_delivery_that_took_long() {
    let app = TestApp::new();
    let deliveries = "logs_gateway_delivery_duration_seconds_count ";
    app.publish("logs:etl:w", "before".into()).await;
    let mut stream = app.stream("channels=logs:etl:*&since=0").await;
    assert_eq!(stream.history().await, ["before"]);
    assert_eq!(figure(&app, deliveries).await, 0);
    app.publish("logs:etl:w", "live".into()).await;
    stream.next_record().await;
    assert_eq!(figure(&app, deliveries).await, 1);
    let told = stats(&app).await;
    assert_eq!((told.delivery.count, told.append.count), (1, 2));
    assert!(
        told.delivery.p99_ms.is_some_and(|ms| ms > 0.0 && ms < 10_000.0),
        "{told:?}"
    );
}

#[tokio::test]
async fn gaps_are_counted_by_their_reason() {
    let app = TestApp::with(Settings {
        retention_records: Some("2".to_owned()),
        ..settings()
    });
    for n in 0..5 {
        app.publish("logs:etl:w", json!(n.to_string())).await;
    }
    let cursor = app.get("/api/logs/channels").await.json()["channels"][0]["first_id"].clone();
    let cursor = cursor.as_str().expect("an id").to_owned();
    for n in 0..5 {
        app.publish("logs:etl:w", json!(n.to_string())).await;
    }
    let mut stream = app
        .stream(&format!("channels=logs:etl:w&last_event_id={cursor}"))
        .await;
    stream.history().await;
    let mut stream = app.stream("channels=logs:etl:w&last_event_id=what").await;
    loop {
        match stream.next().await {
            Some((ServerEvent::Gap(_), _)) => break,
            Some(_) => {}
            None => panic!("{}", stream.text),
        }
    }
    for (reason, count) in [
        ("retention", 1),
        ("unknown_cursor", 1),
        ("restart", 0),
        ("other", 0),
    ] {
        let row = format!("logs_gateway_gaps_total{{reason=\"{reason}\"}}");
        assert_eq!(figure(&app, &row).await, count, "{reason}");
    }
    assert_eq!(stats(&app).await.gaps, 2);
}

#[tokio::test]
async fn a_channels_rate_and_size_are_told() {
    let app = TestApp::new();
    for n in 0..20 {
        app.publish("logs:etl:w", json!(n.to_string())).await;
    }
    let told = stats(&app).await;
    let channel = &told.by_channel[0];
    assert_eq!(channel.bytes, told.kept_bytes);
    assert!((channel.per_second - 2.0).abs() < f64::EPSILON, "{channel:?}");
}
