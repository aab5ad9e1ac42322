//! Streams: where they start, what they send, and what is refused.

use std::time::Duration;

use crate::app::{TestApp, settings};
use axum::{body::Body, http::Request};
use logs_gateway::config::Settings;
use logs_shared::{RecordId, ServerEvent, event::GapReason};
use serde_json::json;

type Headers<'a> = &'a [(&'a str, &'a str)];

#[tokio::test]
async fn the_connection_comes_first_and_at_once() {
    let app = TestApp::new();
    let request = Request::get("/api/logs/stream?service=etl&workspace_id=w&workflow_id=x")
        .header("x-user-id", "user123");
    let response = app.open(request.body(Body::empty()).unwrap()).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    let mut stream = app
        .stream_with(
            "service=etl&workspace_id=w&workflow_id=x",
            &[("x-user-id", "user123")],
        )
        .await;
    let Some((ServerEvent::Connection(connection), id)) = stream.next().await else {
        panic!("{}", stream.text)
    };
    assert!(stream.text.starts_with("retry: "), "{}", stream.text);
    assert_eq!(
        (connection.status.as_str(), connection.user_id.as_str()),
        ("connected", "user123")
    );
    assert_eq!(connection.heartbeat_ms, 15_000);
    assert_eq!(connection.channels[0].as_str(), "logs:etl:w:x");
    assert!(connection.stream_id.len() >= 32);
    assert!(id.parse::<RecordId>().is_ok());
    assert!(matches!(stream.next().await, Some((ServerEvent::CaughtUp(_), _))));
}

#[tokio::test]
async fn a_stream_starts_where_it_is_asked_to() {
    let app = TestApp::new();
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(
            app.publish(
                "logs:etl:w",
                json!({ "message": format!("m{n}"), "level": if n % 2 == 0 { "info" } else { "error" } }),
            )
            .await,
        );
    }
    let all = ["m0", "m1", "m2", "m3", "m4"];
    let second = ids[1].to_string();
    let since_ms = ids[0].ms.to_string();
    let header = [("last-event-id", second.as_str())];
    let cases: [(String, Headers<'_>, &[&str]); 13] = [
        (String::new(), &[], &[]),
        ("&since=0-0".into(), &[], &all),
        (format!("&since={since_ms}"), &[], &all),
        (format!("&since={second}"), &[], &all[2..]),
        (format!("&last_event_id={second}"), &[], &all[2..]),
        ("&since=0-0".into(), &header, &all[2..]),
        ("&tail=2".into(), &[], &all[3..]),
        ("&tail=0".into(), &[], &[]),
        ("&tail=99".into(), &[], &all),
        ("&tail=1&level=error".into(), &[], &["m3"]),
        ("&since=0-0&level=error".into(), &[], &["m1", "m3"]),
        (format!("&tail=1&last_event_id={second}"), &[], &all[2..]),
        ("&since=2999-01-01T00:00:00Z".into(), &[], &[]),
    ];
    for (query, headers, messages) in cases {
        let mut stream = app
            .stream_with(&format!("channels=logs:etl:w{query}"), headers)
            .await;
        assert_eq!(stream.history().await, messages, "{query} {headers:?}");
    }
}

#[tokio::test]
async fn a_cursor_from_the_future_starts_live_and_misses_nothing_from_then_on() {
    let app = TestApp::new();
    let mut stream = app
        .stream("channels=logs:etl:w&last_event_id=99999999999999-0")
        .await;
    assert_eq!(stream.history().await, Vec::<String>::new());
    app.publish("logs:etl:w", json!("now")).await;
    assert_eq!(stream.next_record().await.message, "now");
}

#[tokio::test]
async fn a_cursor_that_cannot_be_read_starts_live_with_a_gap() {
    let app = TestApp::new();
    app.publish("logs:etl:w", json!("before")).await;
    let mut stream = app
        .stream_with("channels=logs:etl:w,logs:*:v:*", &[("last-event-id", "nonsense")])
        .await;
    stream.next().await;
    for channel in ["logs:etl:w", "logs:*:v:*"] {
        let Some((ServerEvent::Gap(gap), _)) = stream.next().await else {
            panic!("{}", stream.text)
        };
        assert_eq!(
            (gap.channel.as_str(), gap.reason),
            (channel, GapReason::UnknownCursor)
        );
    }
    app.publish("logs:etl:w", json!("after")).await;
    assert_eq!(stream.next_record().await.message, "after");
}

#[tokio::test]
async fn a_cursor_from_before_the_start_is_told_that_records_may_be_missing() {
    let app = TestApp::new();
    let mut stream = app
        .stream("channels=logs:etl:w&last_event_id=1758796200000-7")
        .await;
    stream.next().await;
    let Some((ServerEvent::Gap(gap), id)) = stream.next().await else {
        panic!("{}", stream.text)
    };
    assert_eq!(
        (gap.from.to_string().as_str(), gap.reason),
        ("1758796200000-7", GapReason::Restart)
    );
    assert!(gap.to > gap.from);
    assert_eq!(id, "1758796200000-7", "a gap does not move the cursor");
}

#[tokio::test]
async fn several_channels_come_as_one_stream_in_the_order_of_ids() {
    let app = TestApp::new();
    let mut stream = app
        .stream("channels=logs:etl:w,logs:faas:w:*&channels=logs:etl:w")
        .await;
    let mut published = Vec::new();
    for n in 0..50 {
        let channel = ["logs:etl:w", "logs:faas:w:new", "logs:faas:w", "logs:other:w"][n % 4];
        let id = app.publish(channel, json!(n.to_string())).await;
        if n % 4 != 3 {
            published.push(id);
        }
    }
    let mut received = Vec::new();
    for _ in 0..published.len() {
        received.push(stream.next_record().await.id);
    }
    assert_eq!(received, published);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_beats_and_its_heartbeat_carries_the_cursor() {
    let app = TestApp::with(Settings {
        heartbeat_ms: Some("1000".to_owned()),
        ..settings()
    });
    let mut stream = app.stream("channels=logs:etl:quiet").await;
    assert!(stream.history().await.is_empty());
    let elsewhere = app.publish("logs:etl:busy", json!("m")).await;
    for _ in 0..3 {
        let before = tokio::time::Instant::now();
        let Some((ServerEvent::Heartbeat(_), id)) = stream.next().await else {
            panic!("{}", stream.text)
        };
        assert_eq!(
            id,
            elsewhere.to_string(),
            "the cursor moves although nothing was for this stream"
        );
        assert!(before.elapsed() <= Duration::from_millis(1_001));
    }
    assert!(stream.text.contains("event: heartbeat\nid: "), "{}", stream.text);
}

#[tokio::test]
async fn what_cannot_be_streamed_is_refused_before_any_header() {
    let app = TestApp::new();
    let many: Vec<String> = (0..129).map(|n| format!("logs:etl:w{n}")).collect();
    let cases = [
        ("/api/logs/stream".to_owned(), 400, "missing_channels"),
        ("/logs/stream?service=etl".to_owned(), 400, "missing_channels"),
        ("/api/logs/stream?channels=etl".to_owned(), 400, "invalid_channel"),
        (
            "/api/logs/stream?channels=logs:etl:w&level=loud".to_owned(),
            400,
            "invalid_level",
        ),
        (
            "/api/logs/stream?channels=logs:etl:w&tail=x".to_owned(),
            400,
            "invalid_query",
        ),
        (
            format!("/api/logs/stream?channels={}", many.join(",")),
            400,
            "too_many_channels",
        ),
        ("/nothing/here".to_owned(), 404, "not_found"),
    ];
    for (path, status, code) in cases {
        assert_eq!(
            app.get(&path).await.refusal(),
            (status, code.to_owned()),
            "{path}"
        );
    }
    let wrong_method = Request::delete("/api/logs/stream").body(Body::empty()).unwrap();
    assert_eq!(
        app.send(wrong_method).await.refusal(),
        (405, "method_not_allowed".to_owned())
    );
}

#[tokio::test]
async fn streams_are_limited_per_owner_and_a_closed_one_gives_its_place_back() {
    let app = TestApp::with(Settings {
        max_streams: Some("3".to_owned()),
        max_streams_per_user: Some("2".to_owned()),
        ..settings()
    });
    let path = "/api/logs/stream?channels=logs:etl:w";
    let first = app.stream("channels=logs:etl:w").await;
    let _second = app.stream("channels=logs:etl:w").await;
    let refused = app.get(path).await;
    assert_eq!(refused.refusal(), (429, "too_many_streams_per_user".to_owned()));
    assert!(refused.headers.contains_key("retry-after"));
    let _third = app
        .stream_with("channels=logs:etl:w", &[("x-user-id", "other")])
        .await;
    let full = Request::get(path)
        .header("x-user-id", "another")
        .body(Body::empty())
        .unwrap();
    assert_eq!(
        app.send(full).await.refusal(),
        (503, "too_many_streams".to_owned())
    );
    drop(first);
    let _fourth = app.stream("channels=logs:etl:w").await;
    assert_eq!(app.get("/health").await.json()["connections"], 3);
}

#[tokio::test]
async fn a_reader_that_goes_is_gone_from_the_statistics() {
    let app = TestApp::new();
    let mut stream = app
        .stream_with("channels=logs:etl:w", &[("x-user-id", "user123")])
        .await;
    app.publish("logs:etl:w", json!("m")).await;
    stream.next_record().await;
    let stats = app.get("/admin/logs/stats").await.json();
    assert_eq!(
        (
            &stats["connections"],
            &stats["messages_published"],
            &stats["messages_delivered"]
        ),
        (&json!(1), &json!(1), &json!(1))
    );
    assert_eq!(
        (
            &stats["by_connection"][0]["user_id"],
            &stats["by_channel"][0]["readers"]
        ),
        (&json!("user123"), &json!(1))
    );
    drop(stream);
    let stats = app.get("/admin/logs/stats").await.json();
    assert_eq!(
        (&stats["connections"], &stats["by_channel"][0]["readers"]),
        (&json!(0), &json!(0))
    );
}
