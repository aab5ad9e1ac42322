//! What a right is worth: how it is shown, what it covers, and how it ends.

use axum::{body::Body, http::Request};
use logs_gateway::config::Settings;
use logs_shared::{ServerEvent, api};
use serde_json::{Value, json};

use crate::{
    app::{TestApp, TestStream},
    callers::{ADMIN, Expected, OK, PUBLISHER, jwt, open, refused, with_jwt},
};

/// A stream's end: what is said before, and whether there is a way back.
async fn end(stream: &mut TestStream) -> (Vec<&'static str>, Value) {
    let mut names = Vec::new();
    while let Some((event, _)) = stream.next().await {
        names.extend(event.name().filter(|name| *name != "heartbeat"));
        if let ServerEvent::Close(close) = event {
            assert_eq!(stream.next().await, None, "a stream that was closed goes on");
            return (names, serde_json::to_value(close).expect("it is JSON"));
        }
    }
    panic!("the stream ended without a word: {}", stream.text);
}

#[tokio::test]
async fn a_stream_is_told_that_its_token_ends_and_ends_with_it() {
    let app = TestApp::with(with_jwt());
    let (mut stream, _) = open(&app, &jwt("ann", &["w"], 2)).await;
    let (mut names, close) = end(&mut stream).await;
    assert_eq!(names.last(), Some(&"close"));
    names.sort_unstable();
    assert_eq!(names, ["caught_up", "close", "expiring"]);
    assert_eq!(close["reason"], "expired");
    assert!(
        close["retry_ms"].is_u64(),
        "with another token it may come back: {close}"
    );
}

#[tokio::test]
async fn a_token_may_hold_longer_than_a_clock_can_count() {
    let app = TestApp::with(with_jwt());
    for seconds in [9_000_000_000, 9_000_000_000_000_000] {
        let (mut stream, _) = open(&app, &jwt("ann", &["w"], seconds)).await;
        assert_eq!(app.publish_as(PUBLISHER, "logs:etl:w:x", "m").await.status, 200);
        assert_eq!(stream.next_record().await.entry.message, "m");
    }
}

#[tokio::test]
async fn an_operator_closes_a_stream_by_id_or_number_and_it_may_come_back() {
    let app = TestApp::with(with_jwt());
    let stats = app.get_as(api::STATS_PATH, ADMIN).await.json();
    assert_eq!(stats["by_connection"], json!([]));
    for by_number in [false, true] {
        let (mut stream, id) = open(&app, &jwt("ann", &["w"], 600)).await;
        let stats = app.get_as(api::STATS_PATH, ADMIN).await;
        let name = match by_number {
            true => stats.json()["by_connection"][0]["number"].to_string(),
            false => id.clone(),
        };
        assert!(
            !String::from_utf8_lossy(&stats.body).contains(&id),
            "a stream's id is a key to it"
        );
        let path = format!("{}/{name}/close", api::ADMIN_STREAMS_PATH);
        let answer = app.post_as(&path, ADMIN, &Value::Null).await;
        assert_eq!(answer.json(), json!({ "success": true, "closed": 1 }));
        let (_, close) = end(&mut stream).await;
        assert_eq!(close["reason"], "closed");
        assert!(close["retry_ms"].is_u64());
        drop(stream);
        assert_eq!(
            app.post_as(&path, ADMIN, &Value::Null).await.refusal().1,
            "unknown_stream"
        );
    }
}

#[tokio::test]
async fn who_is_revoked_loses_its_streams_and_gets_no_others() {
    let app = TestApp::with(with_jwt());
    let (of_ann, of_bob) = (jwt("ann", &["w"], 600), jwt("bob", &["w"], 600));
    for (revocation, token, other) in [
        (json!({ "user": "ann" }), &of_ann, &of_bob),
        (
            json!({ "token": of_bob }),
            &of_bob,
            &jwt("bob", &["w", "w2"], 600),
        ),
    ] {
        let (mut revoked, id) = open(&app, token).await;
        let (mut kept, _) = open(&app, other).await;
        let answer = app.post_as(api::REVOKE_PATH, ADMIN, &revocation).await;
        assert_eq!(answer.json()["closed"], 1, "{}", answer.json());
        let (_, close) = end(&mut revoked).await;
        assert_eq!(close, json!({ "reason": "revoked" }), "there is no way back");
        for path in [
            "/api/logs/stream?channels=logs:etl:w:x",
            "/api/logs/history?channels=logs:etl:w:x",
        ] {
            assert_eq!(
                app.get_as(path, token).await.refusal(),
                (401, "revoked".to_owned())
            );
        }
        let change = Request::patch(format!("{}/{id}", api::STREAMS_PATH))
            .header("authorization", format!("Bearer {token}"))
            .body(Body::from("{}"));
        assert_eq!(app.send(change.expect("a request")).await.refusal().1, "revoked");
        let published = app.publish_as(PUBLISHER, "logs:etl:w:x", "for the others").await;
        assert_eq!(published.status, 200);
        assert_eq!(kept.next_record().await.entry.message, "for the others");
    }
    // A service's token, and back again.
    for (for_s, status) in [(60, 401), (0, 200)] {
        let revocation = json!({ "token": PUBLISHER, "for_s": for_s });
        assert_eq!(
            app.post_as(api::REVOKE_PATH, ADMIN, &revocation).await.status,
            200
        );
        assert_eq!(
            app.publish_as(PUBLISHER, "logs:etl:w:x", "m").await.status,
            status
        );
    }
}

#[tokio::test]
async fn a_pattern_gives_what_may_be_seen_of_it_also_of_channels_that_come_later() {
    let app = TestApp::with(Settings {
        service_tokens: Some(format!("{PUBLISHER}=*")),
        ..with_jwt()
    });
    let publish = |channel: &'static str| {
        let app = &app;
        async move { assert_eq!(app.publish_as(PUBLISHER, channel, channel).await.status, 200) }
    };
    publish("logs:etl:w:before").await;
    publish("logs:etl:w2:before").await;
    let token = jwt("ann", &["w"], 600);
    let bearer = format!("Bearer {token}");
    let mut stream = app
        .stream_with("channels=logs:*:*:*&since=0-0", &[("authorization", &bearer)])
        .await;
    let id = stream.stream_id().await;
    assert_eq!(stream.history().await, ["logs:etl:w:before"]);
    for channel in ["logs:faas:w2:later", "logs:faas:w:later"] {
        publish(channel).await;
    }
    assert_eq!(stream.next_record().await.entry.message, "logs:faas:w:later");
    // A change gives no more than the token does either.
    let change =
        json!({ "add": ["logs:etl:w2:x", "logs:*:w2:*", "logs:function:*:*"], "remove": ["logs:*:*:*"] });
    let request = Request::patch(format!("{}/{id}", api::STREAMS_PATH)).header("authorization", &bearer);
    let changed = app
        .send(request.body(Body::from(change.to_string())).expect("a request"))
        .await
        .json();
    assert_eq!(changed["channels"], json!(["logs:function:*:*"]));
    let statuses: Vec<_> = changed["results"]
        .as_array()
        .expect("results")
        .iter()
        .map(|one| &one["status"])
        .collect();
    assert_eq!(statuses, ["denied", "denied", "added", "removed"]);
    for channel in ["logs:function:w2:x", "logs:etl:w:x", "logs:function:w:x"] {
        publish(channel).await;
    }
    assert_eq!(stream.next_record().await.entry.message, "logs:function:w:x");
    let history = app
        .get_as("/api/logs/history?channels=logs:*:*:*", &token)
        .await
        .json();
    let messages: Vec<_> = history["records"]
        .as_array()
        .expect("records")
        .iter()
        .map(|record| &record["message"])
        .collect();
    assert_eq!(
        messages,
        [
            "logs:etl:w:before",
            "logs:faas:w:later",
            "logs:etl:w:x",
            "logs:function:w:x"
        ]
    );
    let channels = app.get_as(api::CHANNELS_PATH, &token).await.json();
    let channels = channels["channels"].as_array().expect("channels");
    assert_eq!(channels.len(), 4);
    assert!(channels.iter().all(|channel| channel["workspace_id"] == "w"));
}

#[tokio::test]
async fn a_token_may_come_in_a_header_the_query_or_a_cookie_and_is_in_no_answer() {
    let app = TestApp::with(Settings {
        jwt_cookie: Some("login".to_owned()),
        ..with_jwt()
    });
    let (good, other) = (jwt("ann", &["w"], 600), jwt("bob", &["w2"], 600));
    let path = "/api/logs/history?channels=logs:etl:w:x";
    let ask = |query: String, headers: Vec<(&'static str, String)>| {
        let mut request = Request::get(format!("{path}{query}"));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        app.send(request.body(Body::empty()).expect("a request"))
    };
    let bearer = |token: &str| ("authorization", format!("Bearer {token}"));
    let cookie = |token: &str| ("cookie", format!("a=b; login={token}; c=d"));
    let cases = [
        (String::new(), vec![bearer(&good)], 200),
        (format!("&token={good}"), vec![], 200),
        (String::new(), vec![cookie(&good)], 200),
        (
            String::new(),
            vec![("cookie", format!("xlogin={good}; login2={good}"))],
            401,
        ),
        (
            format!("&token={other}"),
            vec![bearer(&good), cookie(&other)],
            200,
        ),
        (format!("&token={good}"), vec![cookie(&other)], 200),
        (format!("&token={other}"), vec![cookie(&good)], 403),
        (
            String::new(),
            vec![("authorization", format!("Basic {good}"))],
            401,
        ),
        ("&token=".to_owned(), vec![], 401),
    ];
    for (query, headers, status) in cases {
        let shown = format!(
            "{} {headers:?}",
            query.replace(&good, "good").replace(&other, "other")
        );
        let answer = ask(query, headers).await;
        assert_eq!(answer.status, status, "{shown}");
        let text = String::from_utf8_lossy(&answer.body);
        assert!(!text.contains(&good) && !text.contains(&other), "{text}");
    }
}

#[tokio::test]
async fn a_proxy_is_believed_with_its_token_and_not_without() {
    let app = TestApp::with(Settings {
        auth: Some("proxy".to_owned()),
        jwt_secret: None,
        proxy_token: Some("hop".to_owned()),
        ..with_jwt()
    });
    let user = ("x-user-id", "ann");
    let (w, two) = (("x-workspace-id", "w"), ("x-workspace-id", "w2, w"));
    let hop = ("x-proxy-token", "hop");
    let cases: [(&[(&str, &str)], Expected); 12] = [
        (&[], refused(401, "missing_token")),
        (&[user, w], refused(401, "missing_token")),
        (
            &[("x-proxy-token", "other"), user, w],
            refused(401, "invalid_token"),
        ),
        (&[hop], refused(401, "missing_identity")),
        (&[hop, user], refused(401, "missing_identity")),
        (&[hop, w], refused(401, "missing_identity")),
        (
            &[hop, user, ("x-workspace-id", "a:b")],
            refused(401, "invalid_identity"),
        ),
        (
            &[hop, user, ("x-workspace-id", "w2")],
            refused(403, "forbidden_channel"),
        ),
        (&[hop, user, user, w], refused(401, "invalid_identity")),
        (&[hop, user, w, w], refused(401, "invalid_identity")),
        (&[hop, user, w], OK),
        (&[hop, user, two], OK),
    ];
    for (headers, (status, code)) in cases {
        let mut request = Request::get("/api/logs/history?channels=logs:etl:w:x");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = app.send(request.body(Body::empty()).expect("a request")).await;
        match code {
            None => assert_eq!(answer.status, status, "{headers:?}"),
            Some(code) => assert_eq!(answer.refusal(), (status, code.to_owned()), "{headers:?}"),
        }
    }
}
