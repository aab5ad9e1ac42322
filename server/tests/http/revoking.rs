//! What an operator revokes, and what is left of it.

use std::{fs, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::Request,
};
use futures_util::{StreamExt, stream};
use jsonwebtoken::{EncodingKey, Header, encode};
use logs_gateway::config::Settings;
use logs_shared::api;
use serde_json::{Value, json};

use crate::{
    app::{Answer, TestApp},
    callers::{ADMIN, SECRET, jwt, with_jwt},
};

const HISTORY: &str = "/api/logs/history?channels=logs:etl:w:x";

async fn revoke(app: &TestApp, revocation: &Value) -> Answer {
    app.post_as(api::REVOKE_PATH, ADMIN, revocation).await
}

#[tokio::test]
async fn what_the_disk_does_not_take_is_shut_out_all_the_same_and_the_operator_is_told() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("data");
    fs::create_dir(&data).expect("a folder");
    let app = TestApp::with(Settings {
        store: Some("disk".to_owned()),
        data_dir: Some(data.clone()),
        ..with_jwt()
    });
    let ann = jwt("ann", &["w"], 600);
    assert_eq!(app.get_as(HISTORY, &ann).await.status, 200);
    fs::remove_dir(&data).expect("it is empty");
    let answer = revoke(&app, &json!({ "user": "ann" })).await;
    assert_eq!(answer.refusal(), (503, "storage_failed".to_owned()));
    assert_eq!(app.get_as(HISTORY, &ann).await.refusal().1, "revoked");
}

#[tokio::test]
async fn a_publication_under_way_ends_with_its_token() {
    let app = TestApp::with(with_jwt());
    let (send, rest) = tokio::sync::oneshot::channel::<Bytes>();
    let body = json!({ "channel": "logs:etl:w:x", "logData": "m" }).to_string();
    let (first, last) = body.split_at(10);
    let first = stream::iter([Bytes::copy_from_slice(first.as_bytes())]);
    let body = first.chain(stream::once(async { rest.await.unwrap_or_default() }));
    let request = Request::post(api::PUBLISH_PATH)
        .header("x-service-token", "etl-token")
        .body(Body::from_stream(body.map(Ok::<_, std::io::Error>)))
        .expect("a request");
    let publishing = app.send(request);
    let revoking = async {
        // By now it was let in, and waits for the rest.
        tokio::task::yield_now().await;
        assert_eq!(revoke(&app, &json!({ "token": "etl-token" })).await.status, 200);
        send.send(Bytes::copy_from_slice(last.as_bytes()))
            .expect("it is waited for");
    };
    let (published, ()) = tokio::join!(publishing, revoking);
    assert_eq!(published.refusal(), (401, "revoked".to_owned()));
}

#[tokio::test]
async fn a_token_whose_name_begins_like_that_of_another_stays() {
    let app = TestApp::with(Settings {
        service_tokens: Some("etl=etl;etl.old=etl".to_owned()),
        ..with_jwt()
    });
    assert_eq!(revoke(&app, &json!({ "token": "etl.old" })).await.status, 200);
    for (token, status) in [("etl.old", 401), ("etl", 200)] {
        let answer = app.publish_as(token, "logs:etl:w:x", "m").await;
        assert_eq!(answer.status, status, "{token}");
    }
}

#[tokio::test]
async fn a_token_that_says_it_is_of_the_future_ends_with_the_others_of_its_user() {
    let app = TestApp::with(with_jwt());
    let now = jsonwebtoken::get_current_timestamp();
    // Who counts in milliseconds means 1970 plus some ten thousand years.
    for issued_at in [json!(now), json!(now * 1_000), json!(1e300)] {
        let claims = json!({ "sub": "ann", "workspaces": ["w"], "iat": issued_at, "exp": now + 600 });
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        let token = encode(&Header::default(), &claims, &key).expect("it can be signed");
        assert_eq!(
            revoke(&app, &json!({ "user": "ann", "for_s": 0 })).await.status,
            200
        );
        assert_eq!(app.get_as(HISTORY, &token).await.status, 200);
        assert_eq!(revoke(&app, &json!({ "user": "ann" })).await.status, 200);
        assert_eq!(app.get_as(HISTORY, &token).await.status, 401, "{issued_at}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_opens_at_that_very_moment_ends_too() {
    let ann = jwt("ann", &["w"], 600);
    for _ in 0..30 {
        let app = TestApp::with(with_jwt());
        let open = || async {
            let path = "/api/logs/stream?channels=logs:*:*:*&tail=5";
            let request = Request::get(path).header("authorization", format!("Bearer {ann}"));
            let response = app.open(request.body(Body::empty()).expect("a request")).await;
            // Who came before it is told in the stream, which ends; who came after gets none.
            let answer = tokio::time::timeout(Duration::from_secs(20), TestApp::whole(response));
            let answer = answer.await.expect("it ends");
            let text = String::from_utf8(answer.body).expect("text");
            assert!(text.contains("revoked"), "{} {text}", answer.status);
        };
        let whom = json!({ "user": "ann" });
        let (_, _, answer, ..) = tokio::join!(open(), open(), revoke(&app, &whom), open(), open());
        assert_eq!(answer.status, 200);
    }
}
