//! How much each may do, and what is said where it is more.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{Request, Response},
};
use logs_gateway::config::Settings;
use logs_shared::api::PUBLISH_PATH;
use serde_json::json;

use crate::app::{Answer, TOKEN, TestApp, settings};

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

async fn publish(app: &TestApp, token: &str, channels: &[&str]) -> Answer {
    let records = channels
        .iter()
        .map(|channel| json!({ "channel": channel, "logData": "m" }));
    app.post_as(PUBLISH_PATH, token, &records.collect()).await
}

/// Seconds after which to come back.
fn retry_after(answer: &Answer) -> Option<u64> {
    let value = answer.headers.get("retry-after")?.to_str().ok()?;
    value.parse().ok()
}

#[tokio::test]
async fn a_token_publishes_no_faster_than_it_may_and_is_told_when_to_come_back() {
    let app = TestApp::with(Settings {
        publish_rate: text("10"),
        ..settings()
    });
    let (eight, eleven) = (["logs:etl:w"; 8], ["logs:etl:w"; 11]);
    assert_eq!(publish(&app, TOKEN, &eight).await.status, 200);
    let refused = publish(&app, TOKEN, &eight).await;
    assert_eq!(refused.refusal(), (429, "publish_rate_exceeded".to_owned()));
    assert_eq!(retry_after(&refused), Some(1));
    assert!(
        refused.json()["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("10 records a second"))
    );
    assert_eq!(
        publish(&app, "etl-token", &eight).await.status,
        200,
        "another token"
    );
    // What can never come at once is not to be tried again as it is.
    let never = publish(&app, "etl-token", &eleven).await;
    assert_eq!(never.refusal(), (429, "batch_over_rate".to_owned()));
    assert_eq!(retry_after(&never), None);
    // Nothing of what was refused was stored.
    let history = app.get("/api/logs/history?channels=logs:etl:w").await.json();
    assert_eq!(history["records"].as_array().map(Vec::len), Some(16));
}

#[tokio::test]
async fn a_token_uses_no_more_channels_than_it_may() {
    let app = TestApp::with(Settings {
        max_channels_per_token: text("2"),
        ..settings()
    });
    let some = publish(&app, TOKEN, &["logs:a:w", "logs:b:w", "logs:c:w", "logs:a:w"])
        .await
        .json();
    assert_eq!(
        (&some["accepted"], &some["rejected"][0]["index"]),
        (&json!(3), &json!(2))
    );
    assert_eq!(some["rejected"][0]["code"], "too_many_token_channels");
    let none = publish(&app, TOKEN, &["logs:d:w"]).await;
    assert_eq!(none.refusal(), (429, "too_many_token_channels".to_owned()));
    assert_eq!(
        publish(&app, "etl-token", &["logs:etl:w"]).await.status,
        200,
        "another token"
    );
}

/// Opens a stream from an address, under a name.
async fn open(app: &TestApp, peer: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let mut request = Request::get("/api/logs/stream?channels=logs:etl:w");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).expect("a request");
    let peer: SocketAddr = format!("{peer}:1234").parse().expect("an address");
    request.extensions_mut().insert(ConnectInfo(peer));
    app.open(request).await
}

/// A host with IPv6 has more addresses of its own than there are of the other kind in all.
#[tokio::test]
async fn all_addresses_of_a_network_of_its_own_are_one_reader() {
    let app = TestApp::with(Settings {
        max_streams_per_user: text("2"),
        max_streams_per_address: text("3"),
        ..settings()
    });
    let mut kept = Vec::new();
    for host in 1..=2 {
        kept.push(open(&app, &format!("[2001:db8::{host}]"), &[]).await);
    }
    let nameless = open(&app, "[2001:db8::3]", &[]).await;
    assert_eq!(
        refusal(nameless).await,
        (429, "too_many_streams_per_user".to_owned())
    );
    kept.push(open(&app, "[2001:db8::4]", &[("x-user-id", "ann")]).await);
    let named = open(&app, "[2001:db8::5]", &[("x-user-id", "bob")]).await;
    assert_eq!(
        refusal(named).await,
        (429, "too_many_streams_per_address".to_owned())
    );
    kept.push(open(&app, "[2001:db8:0:1::1]", &[]).await);
    // This machine's own addresses tell nobody apart, so names do.
    for name in 0..4 {
        kept.push(open(&app, "[::1]", &[("x-user-id", &format!("user{name}"))]).await);
    }
    assert!(kept.iter().all(|response| response.status() == 200));
}

async fn refusal(response: Response<Body>) -> (u16, String) {
    // A stream has no end to wait for.
    assert_ne!(response.status(), 200);
    TestApp::whole(response).await.refusal()
}

#[tokio::test]
async fn streams_are_counted_in_all_by_user_and_by_address_as_trusted_proxies_tell_it() {
    let app = TestApp::with(Settings {
        max_streams: text("6"),
        max_streams_per_user: text("2"),
        max_streams_per_address: text("3"),
        trusted_proxies: text("10.0.0.0/8"),
        ..settings()
    });
    let mut kept = Vec::new();
    let named = |name: &'static str| [("x-user-id", name)];
    for name in ["ann", "ann", "bob"] {
        let response = open(&app, "192.0.2.1", &named(name)).await;
        assert_eq!(response.status(), 200);
        kept.push(response);
    }
    let of_user = open(&app, "192.0.2.9", &named("ann")).await;
    assert_eq!(
        refusal(of_user).await,
        (429, "too_many_streams_per_user".to_owned())
    );
    let of_address = open(&app, "192.0.2.1", &named("cat")).await;
    assert_eq!(
        refusal(of_address).await,
        (429, "too_many_streams_per_address".to_owned())
    );
    let other = open(&app, "[2001:db8::1]", &named("cat")).await;
    assert_eq!(other.status(), 200);
    drop(other);
    // Who writes the header itself is not believed; the proxy is.
    let forged = open(
        &app,
        "192.0.2.1",
        &[("x-user-id", "cat"), ("x-forwarded-for", "192.0.2.7")],
    )
    .await;
    assert_eq!(forged.status(), 429);
    let forwarded = [("x-forwarded-for", "192.0.2.7")];
    for _ in 0..2 {
        kept.push(open(&app, "10.0.0.1", &forwarded).await);
    }
    assert_eq!(
        open(&app, "10.0.0.1", &forwarded).await.status(),
        429,
        "two without a name of one address"
    );
    kept.push(open(&app, "10.0.0.1", &[("x-forwarded-for", "192.0.2.8")]).await);
    assert!(kept.iter().all(|response| response.status() == 200));
    let in_all = open(&app, "192.0.2.20", &named("dan")).await;
    assert_eq!(refusal(in_all).await, (503, "too_many_streams".to_owned()));
    kept.pop();
    assert_eq!(open(&app, "192.0.2.20", &named("dan")).await.status(), 200);
}

#[tokio::test]
async fn whom_a_proxy_has_logged_in_is_counted_by_name_and_not_by_the_proxys_address() {
    let app = TestApp::with(Settings {
        auth: text("proxy"),
        proxy_token: text("hop"),
        max_streams_per_user: text("1"),
        max_streams_per_address: text("1"),
        ..settings()
    });
    let mut kept = Vec::new();
    for (name, status) in [("ann", 200), ("bob", 200), ("ann", 429)] {
        let headers = [
            ("x-proxy-token", "hop"),
            ("x-user-id", name),
            ("x-workspace-id", "w"),
        ];
        let response = open(&app, "192.0.2.1", &headers).await;
        assert_eq!(response.status(), status, "{name}");
        kept.push(response);
    }
}

#[tokio::test]
async fn streams_are_not_opened_faster_than_one_may_whatever_one_is_called() {
    let app = TestApp::with(Settings {
        stream_rate: text("1"),
        max_streams_per_user: text("5"),
        ..settings()
    });
    // Each is closed again before the next.
    for _ in 0..100 {
        assert_eq!(
            open(&app, "192.0.2.1", &[("x-user-id", "ann")]).await.status(),
            200
        );
    }
    let refused = TestApp::whole(open(&app, "192.0.2.1", &[("x-user-id", "ann")]).await).await;
    assert_eq!(refused.refusal(), (429, "stream_rate_exceeded".to_owned()));
    assert_eq!(retry_after(&refused), Some(1));
    // Another name does not help for ever.
    let mut first_refusal = None;
    for attempt in 0..2_000 {
        let response = open(&app, "192.0.2.1", &[("x-user-id", &format!("user{attempt}"))]).await;
        if response.status() != 200 {
            first_refusal = Some((attempt, refusal(response).await.1));
            break;
        }
    }
    let (attempt, code) = first_refusal.expect("somebody is refused");
    assert_eq!(code, "stream_rate_exceeded");
    assert!(attempt >= 900, "many people may share an address: {attempt}");
    assert_eq!(
        open(&app, "192.0.2.2", &[("x-user-id", "cat")]).await.status(),
        200,
        "another address"
    );
}

/// Nobody publishes while it is found out what a stream follows.
#[tokio::test]
async fn a_reader_of_thousands_of_workspaces_holds_nobody_up() {
    let app = TestApp::with(Settings {
        auth: text("proxy"),
        proxy_token: text("proxy-token"),
        ..settings()
    });
    let workspaces: Vec<_> = (0..4_000).map(|number| format!("w{number}")).collect();
    let channels = workspaces.iter().flat_map(|workspace| {
        ["a", "b"]
            .map(|resource| json!({ "channel": format!("logs:etl:{workspace}:{resource}"), "logData": "m" }))
    });
    let published = app.post_as(PUBLISH_PATH, TOKEN, &channels.collect()).await;
    assert_eq!(published.status, 200);
    let (of_all, began) = (workspaces.join(","), Instant::now());
    let headers = [
        ("x-proxy-token", "proxy-token"),
        ("x-user-id", "ann"),
        ("x-workspace-id", of_all.as_str()),
    ];
    let mut stream = app.stream_with("channels=logs:*:*:*&tail=3", &headers).await;
    // Each with each would be far beyond it, also where the machine has other things to do.
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!(stream.history().await, ["m"; 3]);
}

#[tokio::test]
async fn every_refusal_is_counted_by_its_reason() {
    let app = TestApp::with(Settings {
        publish_rate: text("1"),
        ..settings()
    });
    publish(&app, TOKEN, &["logs:etl:w"; 2]).await;
    publish(&app, "wrong", &["logs:etl:w"]).await;
    publish(&app, "wrong", &["logs:etl:w"]).await;
    let metrics = app.get("/metrics").await;
    let text = String::from_utf8_lossy(&metrics.body);
    for line in [
        r#"logs_gateway_rejections_total{reason="batch_over_rate"} 1"#,
        r#"logs_gateway_rejections_total{reason="invalid_token"} 2"#,
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}
