//! Changing what an open stream follows.

use std::time::Duration;

use axum::{body::Body, http::Request};
use logs_gateway::config::Settings;
use logs_shared::{
    RecordId, ServerEvent, StreamChanged,
    api::{MAX_CHANGE_BYTES, STREAMS_PATH},
    change::EntryStatus,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::app::{Answer, TestApp, TestStream, gzip, settings};

type Headers<'a> = &'a [(&'a str, &'a str)];

/// A stream that has caught up, and its id.
async fn open(app: &TestApp, query: &str, headers: Headers<'_>) -> (TestStream, String) {
    let mut stream = app.stream_with(query, headers).await;
    let Some((ServerEvent::Connection(connection), _)) = stream.next().await else {
        panic!("{}", stream.text)
    };
    assert!(stream.history().await.is_empty());
    (stream, connection.stream_id)
}

async fn patch(app: &TestApp, stream_id: &str, headers: Headers<'_>, body: impl Into<Body>) -> Answer {
    let mut request = Request::patch(format!("{STREAMS_PATH}/{stream_id}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(request.body(body.into()).expect("a request")).await
}

/// Changes a stream. Checks that the answer has the form of one.
async fn change(app: &TestApp, stream_id: &str, change: &Value) -> StreamChanged {
    let json = [("content-type", "application/json")];
    let answer = patch(app, stream_id, &json, change.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    assert_eq!(answer.headers["cache-control"], "no-store");
    let changed: StreamChanged = serde_json::from_slice(&answer.body).expect("an answer");
    assert!(changed.success);
    assert_eq!(changed.stream_id, stream_id);
    changed
}

fn channels(changed: &StreamChanged) -> Vec<&str> {
    changed.channels.iter().map(|channel| channel.as_str()).collect()
}

fn statuses(changed: &StreamChanged) -> Vec<EntryStatus> {
    changed.results.iter().map(|result| result.status).collect()
}

/// The set that the stream says it follows now. Other events before it are passed over.
async fn subscription(stream: &mut TestStream) -> Vec<String> {
    loop {
        match stream.next().await {
            Some((ServerEvent::Subscription(now), _)) => {
                return now.channels.iter().map(ToString::to_string).collect();
            }
            Some(_) => {}
            None => panic!("the stream ended: {}", stream.text),
        }
    }
}

#[tokio::test]
async fn an_added_channel_delivers_and_a_removed_one_no_longer() {
    let app = TestApp::new();
    let (mut stream, id) = open(&app, "channels=logs:etl:w", &[]).await;
    let before = app.publish("logs:faas:w:x", json!("before")).await;
    let changed = change(&app, &id, &json!({ "add": ["logs:faas:w:*"] })).await;
    assert_eq!(channels(&changed), ["logs:etl:w", "logs:faas:w:*"]);
    assert_eq!(statuses(&changed), [EntryStatus::Added]);
    assert!(changed.from_id >= before);
    assert_eq!(subscription(&mut stream).await, channels(&changed));
    // Channels that exist, that come into being, and the one from the beginning.
    let mut published = Vec::new();
    for channel in ["logs:faas:w:x", "logs:faas:w:new", "logs:etl:w"] {
        published.push(app.publish(channel, json!("after")).await);
    }
    for id in &published {
        assert!(*id > changed.from_id);
        assert_eq!(stream.next_record().await.id, *id);
    }
    let changed = change(&app, &id, &json!({ "remove": ["logs:etl:w", "logs:faas:w:*"] })).await;
    assert_eq!(channels(&changed), [""; 0]);
    assert_eq!(subscription(&mut stream).await, channels(&changed));
    app.publish("logs:etl:w", json!("unheard")).await;
    app.publish("logs:faas:w:newer", json!("unheard")).await;
    change(&app, &id, &json!({ "add": ["logs:last:w"] })).await;
    app.publish("logs:last:w", json!("heard")).await;
    assert_eq!(stream.next_record().await.message, "heard");
    assert!(!stream.text.contains("unheard"), "{}", stream.text);
}

#[tokio::test]
async fn everything_after_from_id_is_sent_and_history_has_the_rest() {
    let app = TestApp::new();
    let (mut stream, id) = open(&app, "channels=logs:etl:w", &[]).await;
    let mut published = Vec::new();
    let mut from_id = RecordId::ZERO;
    for n in 0..20 {
        if n == 10 {
            from_id = change(&app, &id, &json!({ "add": ["logs:faas:w"] }))
                .await
                .from_id;
        }
        published.push(app.publish("logs:faas:w", json!(n.to_string())).await);
    }
    let earlier = app
        .get(&format!("/api/logs/history?channels=logs:faas:w&until={from_id}"))
        .await
        .json();
    assert_eq!(earlier["records"].as_array().map(Vec::len), Some(10));
    // A stream that was behind may send earlier ones too: in their order, and none twice.
    let mut received = vec![stream.next_record().await.id];
    while received.last() != published.last() {
        received.push(stream.next_record().await.id);
    }
    assert!(published.ends_with(&received), "{received:?}");
    assert!(received.len() >= 10, "{received:?}");
}

#[tokio::test]
async fn a_record_is_sent_once_when_any_entry_wants_it() {
    let app = TestApp::new();
    let (mut stream, id) = open(&app, "channels=logs:etl:w&level=error", &[]).await;
    let add = json!({ "add": [
        { "channel": "logs:faas:w", "where": { "run_id": "42", "ok": true } },
        { "channel": "logs:faas:*", "level": "fatal" },
    ] });
    change(&app, &id, &add).await;
    let wanted = [
        (
            "logs:etl:w",
            json!({ "message": "as the query says", "level": "error" }),
        ),
        (
            "logs:faas:w",
            json!({ "message": "by number", "run_id": 42, "ok": true }),
        ),
        (
            "logs:faas:w",
            json!({ "message": "by text", "run_id": "42", "ok": "true", "more": {} }),
        ),
        ("logs:faas:v", json!({ "message": "by level", "level": "fatal" })),
        (
            "logs:faas:w",
            json!({ "message": "by both", "level": "fatal", "run_id": 42, "ok": true }),
        ),
    ];
    let unwanted = [
        (
            "logs:etl:w",
            json!({ "message": "unheard", "level": "warn", "run_id": 42, "ok": true }),
        ),
        ("logs:faas:w", json!({ "message": "unheard", "run_id": 42 })),
        (
            "logs:faas:w",
            json!({ "message": "unheard", "run_id": 421, "ok": true }),
        ),
        (
            "logs:faas:v",
            json!({ "message": "unheard", "run_id": 42, "ok": true }),
        ),
        ("logs:faas:w", json!("unheard")),
    ];
    for ((wanted_in, wanted), (unwanted_in, unwanted)) in wanted.iter().zip(unwanted) {
        app.publish(unwanted_in, unwanted).await;
        app.publish(wanted_in, wanted.clone()).await;
    }
    for (_, wanted) in &wanted {
        assert_eq!(json!(stream.next_record().await.message), wanted["message"]);
    }
    // Without the narrower entry the wider one stays, and the other way round.
    let narrow = json!({ "channel": "logs:etl:w", "where": { "run_id": 1 } });
    change(&app, &id, &json!({ "add": [narrow] })).await;
    change(
        &app,
        &id,
        &json!({ "remove": [{ "channel": "logs:etl:w", "level": "ERROR" }] }),
    )
    .await;
    for (message, run_id) in [("unheard", 2), ("heard", 1)] {
        let log_data = json!({ "message": message, "level": "error", "run_id": run_id });
        app.publish("logs:etl:w", log_data).await;
    }
    assert_eq!(stream.next_record().await.message, "heard");
    assert!(!stream.text.contains("unheard"), "{}", stream.text);
}

#[tokio::test]
async fn each_entry_is_answered_by_itself() {
    let app = TestApp::new();
    let (mut stream, id) = open(&app, "channels=logs:etl:w", &[]).await;
    let body = json!({
        "add": ["logs:etl:w", "logs:a:w", "logs:a:w", "etl", 7, { "channel": "logs:b:w", "level": "loud" }],
        "remove": ["logs:none:w", "logs:*"],
    });
    let answer = patch(&app, &id, &[], body.to_string()).await.json();
    let rows = answer["results"].as_array().unwrap().iter();
    let rows: Vec<_> = rows
        .map(|row| {
            (
                row["channel"].as_str(),
                row["status"].as_str(),
                row["code"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            (Some("logs:etl:w"), Some("unchanged"), None),
            (Some("logs:a:w"), Some("added"), None),
            (Some("logs:a:w"), Some("unchanged"), None),
            (Some("etl"), Some("invalid"), Some("invalid_channel")),
            (Some("7"), Some("invalid"), Some("invalid_interest")),
            (Some("logs:b:w"), Some("invalid"), Some("invalid_level")),
            (Some("logs:none:w"), Some("unchanged"), None),
            (Some("logs:*"), Some("invalid"), Some("invalid_channel")),
        ]
    );
    assert_eq!(answer["channels"], json!(["logs:etl:w", "logs:a:w"]));
    assert_eq!(subscription(&mut stream).await, ["logs:etl:w", "logs:a:w"]);
    app.publish("logs:a:w", json!("once")).await;
    app.publish("logs:etl:w", json!("then")).await;
    assert_eq!(stream.next_record().await.message, "once");
    assert_eq!(stream.next_record().await.message, "then");
}

#[tokio::test]
async fn a_stream_follows_at_most_128_and_what_is_over_it_is_denied() {
    let app = TestApp::new();
    let (_stream, id) = open(&app, "channels=logs:etl:w", &[]).await;
    let many: Vec<String> = (0..130).map(|n| format!("logs:etl:w{n}")).collect();
    let changed = change(&app, &id, &json!({ "add": many })).await;
    assert_eq!(changed.channels.len(), 128);
    let denied: Vec<_> = changed
        .results
        .iter()
        .filter(|result| result.status == EntryStatus::Denied)
        .map(|result| (result.channel.as_str(), result.code.as_deref()))
        .collect();
    let code = Some("too_many_channels");
    assert_eq!(
        denied,
        [
            ("logs:etl:w127", code),
            ("logs:etl:w128", code),
            ("logs:etl:w129", code)
        ]
    );
    let swapped = change(
        &app,
        &id,
        &json!({ "add": ["logs:etl:w129"], "remove": ["logs:etl:w"] }),
    )
    .await;
    assert_eq!(statuses(&swapped), [EntryStatus::Added, EntryStatus::Removed]);
}

#[tokio::test]
async fn the_statistics_show_what_a_stream_follows_now() {
    let app = TestApp::new();
    let (_stream, id) = open(&app, "channels=logs:etl:w", &[]).await;
    let body = json!({
        "add": ["logs:faas:w", { "channel": "logs:faas:w", "level": "warn" }],
        "remove": ["logs:etl:w"],
    });
    change(&app, &id, &body).await;
    let stats = app.get("/admin/logs/stats").await.json();
    assert_eq!(stats["by_connection"][0]["channels"], json!(["logs:faas:w"]));
    assert!(!stats.to_string().contains(&id), "an id is a key to its stream");
    let with_readers: Vec<_> = stats["by_channel"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["channel"].as_str(), row["readers"].as_u64()))
        .collect();
    assert_eq!(with_readers, [(Some("logs:faas:w"), Some(1))]);
}

#[tokio::test]
async fn only_its_user_changes_a_named_stream_and_whoever_knows_the_id_an_anonymous_one() {
    let app = TestApp::new();
    let (ann, bob) = ([("x-user-id", "ann")], [("x-user-id", "bob")]);
    let (stream, of_ann) = open(&app, "channels=logs:etl:w", &ann).await;
    let unknown = (404, "unknown_stream".to_owned());
    for headers in [&bob[..], &[]] {
        assert_eq!(patch(&app, &of_ann, headers, "{}").await.refusal(), unknown);
    }
    for id in ["", "none", "%ff", "00000000000000000000000000000000"] {
        let refused = patch(&app, id, &ann, "{}").await.refusal();
        assert_eq!(refused.0, 404, "{id:?}");
        assert!(id.is_empty() || refused == unknown, "{id:?}");
    }
    assert_eq!(patch(&app, &of_ann, &ann, "{}").await.status, 200);
    drop(stream);
    assert_eq!(patch(&app, &of_ann, &ann, "{}").await.refusal(), unknown);
    let (_stream, anonymous) = open(&app, "channels=logs:etl:w", &[]).await;
    for headers in [&bob[..], &[]] {
        assert_eq!(patch(&app, &anonymous, headers, "{}").await.status, 200);
    }
    let closed = TestApp::with(Settings {
        node_env: Some("production".to_owned()),
        ..Settings::default()
    });
    let refused = patch(&closed, &anonymous, &[], "{}").await.refusal();
    assert_eq!(refused, (401, "auth_not_configured".to_owned()));
}

#[tokio::test]
async fn a_body_that_is_no_change_is_refused_and_changes_nothing() {
    let app = TestApp::new();
    let (_stream, id) = open(&app, "channels=logs:etl:w", &[]).await;
    let long = format!(r#"{{"add":["{}"]}}"#, "x".repeat(MAX_CHANGE_BYTES));
    let json = ("content-type", "application/json");
    let cases: [(Headers<'_>, &str, u16, &str); 8] = [
        (&[json], "", 400, "broken_json"),
        (&[json], r#"{"add":["logs:a:w"]"#, 400, "broken_json"),
        (&[json], r#"["logs:a:w"]"#, 400, "invalid_body"),
        (&[json], r#"{"add":"logs:a:w"}"#, 400, "invalid_body"),
        (&[json], &long, 413, "body_too_large"),
        (
            &[("content-type", "text/plain")],
            "{}",
            415,
            "unsupported_media_type",
        ),
        (
            &[("content-type", "application/x-ndjson")],
            "{}",
            415,
            "unsupported_media_type",
        ),
        (
            &[json, ("content-encoding", "br")],
            "{}",
            415,
            "unsupported_media_type",
        ),
    ];
    for (headers, body, status, code) in cases {
        let refused = patch(&app, &id, headers, body.to_owned()).await.refusal();
        assert_eq!(
            refused,
            (status, code.to_owned()),
            "{headers:?} {}",
            &body[..body.len().min(40)]
        );
    }
    let packed = gzip(r#"{"add":["logs:a:w"]}"#);
    let gzipped = patch(&app, &id, &[json, ("content-encoding", "gzip")], packed).await;
    assert_eq!(gzipped.json()["channels"], json!(["logs:etl:w", "logs:a:w"]));
    let other = Request::post(format!("{STREAMS_PATH}/{id}")).body(Body::empty());
    assert_eq!(app.send(other.unwrap()).await.refusal().0, 405);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_is_told_at_once() {
    let app = TestApp::new();
    let (mut stream, id) = open(&app, "channels=logs:etl:w", &[]).await;
    let began = Instant::now();
    let told = tokio::spawn(async move { (subscription(&mut stream).await, began.elapsed()) });
    tokio::task::yield_now().await;
    change(&app, &id, &json!({ "add": ["logs:faas:w"] })).await;
    let (channels, took) = told.await.unwrap();
    assert_eq!(channels, ["logs:etl:w", "logs:faas:w"]);
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_changes_nothing_is_not_told() {
    let app = TestApp::with(Settings {
        heartbeat_ms: Some("1000".to_owned()),
        ..settings()
    });
    let (mut stream, id) = open(&app, "channels=logs:etl:w", &[]).await;
    let mark = app.publish("logs:other:w", json!("m")).await;
    for body in [
        json!({}),
        json!({ "add": ["logs:etl:w", "etl"], "remove": ["logs:none:w"] }),
    ] {
        let changed = change(&app, &id, &body).await;
        assert_eq!((channels(&changed), changed.from_id), (vec!["logs:etl:w"], mark));
    }
    assert!(matches!(
        stream.next().await,
        Some((ServerEvent::Heartbeat(_), _))
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_at_once_while_records_come_lose_neither_a_change_nor_a_record() {
    const AT_ONCE: usize = 8;
    let app = std::sync::Arc::new(TestApp::new());
    let (mut stream, id) = open(&app, "channels=logs:etl:w", &[]).await;
    let changes = (0..AT_ONCE).map(|n| {
        let (app, id) = (app.clone(), id.clone());
        tokio::spawn(async move {
            let channel = format!("logs:etl:w:{n}");
            let changed = change(&app, &id, &json!({ "add": [channel] })).await;
            let published = app.publish(&channel, json!("m")).await;
            assert!(published > changed.from_id);
            published
        })
    });
    let mut published = Vec::new();
    for change in changes.collect::<Vec<_>>() {
        published.push(change.await.unwrap());
    }
    published.sort();
    // The reader is told at least once, and the last time of everything.
    let (mut received, mut told) = (Vec::new(), 0);
    while received.len() < AT_ONCE || told <= AT_ONCE {
        match stream.next().await {
            Some((ServerEvent::Log(record), _)) => received.push(record.id),
            Some((ServerEvent::Subscription(now), _)) => told = now.channels.len(),
            Some(_) => {}
            None => panic!("the stream ended: {}", stream.text),
        }
    }
    assert_eq!(received, published);
    let now = change(&app, &id, &json!({})).await;
    assert_eq!(now.channels.len(), AT_ONCE + 1);
}

#[tokio::test]
async fn a_page_of_another_origin_may_ask_whether_it_may_change_its_stream() {
    let app = TestApp::new();
    let preflight = Request::options(format!("{STREAMS_PATH}/any"))
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "PATCH")
        .header("access-control-request-headers", "content-type")
        .body(Body::empty());
    let answer = app.send(preflight.unwrap()).await;
    let methods = answer.headers["access-control-allow-methods"].to_str().unwrap();
    assert!(methods.contains("PATCH"), "{methods}");
}
