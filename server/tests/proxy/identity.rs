//! In whose name the gateway is asked.

use axum::http::StatusCode;
use logs_gateway::proxy::ProxySettings;

use crate::{
    behind::{Behind, sign_on},
    through::{ALICE, PREFIX, TestProxy, settings, some},
};

#[tokio::test]
async fn the_gateway_is_told_who_it_is_and_sees_nothing_of_the_browsers() {
    let (behind, _streams) = Behind::start().await;
    let proxy = TestProxy::start(&ProxySettings {
        identity: some("fixed"),
        user_id: some("alice"),
        workspace_id: some("w1"),
        ..settings(&behind)
    })
    .await;
    let forged = [
        ("x-user-id", "mallory"),
        ("x-workspace-id", "*"),
        ("x-proxy-token", "guess"),
        ("cookie", "session=s"),
        ("authorization", "Bearer s"),
        ("last-event-id", "5-0"),
        ("x-forwarded-for", "1.2.3.4"),
        ("te", "trailers"),
    ];
    proxy
        .get(&format!("{PREFIX}/stream?channels=logs:a:w1"), &forged)
        .await;
    let asked = behind.last();
    let expected = [
        ("x-user-id", Some("alice")),
        ("x-workspace-id", Some("w1")),
        ("x-proxy-token", Some("proxy-token")),
        ("last-event-id", Some("5-0")),
        ("x-forwarded-for", Some("1.2.3.4, 127.0.0.1")),
        ("x-forwarded-proto", Some("http")),
        ("cookie", None),
        ("authorization", None),
        ("te", None),
    ];
    for (name, value) in expected {
        assert_eq!(asked.header(name), value, "{name}");
        assert!(asked.headers.get_all(name).iter().count() < 2, "{name}");
    }
}

#[tokio::test]
async fn headers_of_other_names_say_who_it_is_and_the_usual_ones_say_nothing() {
    let (behind, _streams) = Behind::start().await;
    let proxy = TestProxy::start(&ProxySettings {
        user_header: some("X-Auth-Email"),
        workspace_header: some("X-Auth-Groups"),
        ..settings(&behind)
    })
    .await;
    let path = format!("{PREFIX}/channels");
    let named = [
        ("x-auth-email", "alice@example.com"),
        ("x-auth-groups", "w1, w2"),
        ("x-user-id", "mallory"),
    ];
    proxy.get(&path, &named).await;
    assert_eq!(behind.last().header("x-user-id"), Some("alice@example.com"));
    assert_eq!(behind.last().header("x-workspace-id"), Some("w1, w2"));
    let asked = behind.count();
    for headers in [&ALICE[..], &[("x-auth-email", "alice")], &[]] {
        let answer = proxy.get(&path, headers).await;
        assert_eq!(answer.refusal(), (401, "missing_identity".to_owned()));
    }
    assert_eq!(behind.count(), asked, "somebody without a name got through");
}

#[tokio::test]
async fn development_makes_up_who_and_what_is_missing_and_production_refuses() {
    let (behind, _streams) = Behind::start().await;
    let proxy = TestProxy::start(&ProxySettings {
        node_env: None,
        identity: None,
        ..settings(&behind)
    })
    .await;
    proxy.get(&format!("{PREFIX}/stream"), &[]).await;
    let asked = behind.last();
    assert_eq!(
        asked.line,
        "GET /api/logs/stream?channels=logs:etl:workspace123:workflow456"
    );
    assert_eq!(asked.header("x-user-id"), Some("user123"));
    assert_eq!(asked.header("x-workspace-id"), Some("workspace123"));
    proxy.get(&format!("{PREFIX}/stream"), &ALICE).await;
    assert_eq!(
        behind.last().line,
        "GET /api/logs/stream?channels=logs:etl:w1:workflow456"
    );

    let proxy = TestProxy::start(&settings(&behind)).await;
    for (query, code) in [
        ("", "missing_channels"),
        ("?workspace_id=w1", "missing_channels"),
        ("?workflow_id=f", "missing_channels"),
        ("?workspace_id=w%201&workflow_id=f", "invalid_channel"),
    ] {
        let answer = proxy.get(&format!("{PREFIX}/stream{query}"), &ALICE).await;
        assert_eq!(answer.refusal(), (400, code.to_owned()), "{query}");
    }
}

#[tokio::test]
async fn a_hook_names_the_caller_by_a_cookie_and_its_no_is_passed_on() {
    let (behind, _streams) = Behind::start().await;
    let hook = |url: String| ProxySettings {
        identity: some("hook"),
        identity_url: some(url),
        ..settings(&behind)
    };
    let proxy = TestProxy::start(&hook(format!("http://{}/whoami", sign_on().await))).await;
    let path = format!("{PREFIX}/channels");
    let forged = [("cookie", "session=alice"), ("x-user-id", "mallory")];
    assert_eq!(proxy.get(&path, &forged).await.status, StatusCode::OK);
    let asked = behind.last();
    assert_eq!(
        (asked.header("x-user-id"), asked.header("x-workspace-id")),
        (Some("alice"), Some("w1,w2"))
    );
    assert_eq!(asked.header("cookie"), None);
    // As HTTP/2 may bring them.
    let apart = [("cookie", "theme=dark"), ("cookie", "session=alice")];
    assert_eq!(proxy.get(&path, &apart).await.status, StatusCode::OK);

    let count = behind.count();
    for (cookie, refusal) in [
        ("session=mallory", (403, "identity_refused")),
        ("session=nameless", (401, "missing_identity")),
        ("session=broken", (502, "identity_unavailable")),
        ("session=nobody", (401, "missing_identity")),
    ] {
        let answer = proxy.get(&path, &[("cookie", cookie), ALICE[0], ALICE[1]]).await;
        assert_eq!(answer.refusal(), (refusal.0, refusal.1.to_owned()), "{cookie}");
        if cookie == "session=nobody" {
            assert_eq!(answer.headers["www-authenticate"], "Session");
        }
    }
    let nobody_there = TestProxy::start(&hook("http://127.0.0.1:1/whoami".to_owned())).await;
    let answer = nobody_there.get(&path, &forged).await;
    assert_eq!(answer.refusal(), (502, "identity_unavailable".to_owned()));
    assert_eq!(behind.count(), count, "somebody unknown got through");
}
