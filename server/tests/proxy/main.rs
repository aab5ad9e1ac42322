//! `logs-gateway proxy` over real connections, with something in the gateway's place behind it.

mod behind;
mod program;

use std::{net::SocketAddr, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, Method, Request, Response, StatusCode},
};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use logs_gateway::proxy::{Proxy, ProxyConfig, ProxySettings, serve};
use logs_shared::api::MAX_CHANGE_BYTES;
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

use self::behind::{Behind, sign_on};

const SOON: Duration = Duration::from_secs(10);
const PREFIX: &str = "/api/dapadmin/l5-etl/sse/logs";

/// A proxy on a free port.
struct TestProxy {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    /// Status and code; checks that it has the form of a refusal.
    fn refusal(&self) -> (u16, String) {
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let problem: Value = serde_json::from_slice(&self.body).expect("JSON");
        assert_eq!(problem["success"], false);
        assert_eq!(problem["status"], self.status.as_u16());
        assert!(
            problem["detail"].as_str().is_some_and(|detail| detail.len() > 5),
            "{problem}"
        );
        let code = problem["code"].as_str().expect("a code");
        (self.status.as_u16(), code.to_owned())
    }
}

fn some(text: impl Into<String>) -> Option<String> {
    Some(text.into())
}

/// In production, in front of this.
fn settings(behind: &Behind) -> ProxySettings {
    ProxySettings {
        node_env: some("production"),
        upstream: some(behind.url()),
        identity: some("header"),
        token: some("proxy-token"),
        ..ProxySettings::default()
    }
}

impl TestProxy {
    async fn start(settings: &ProxySettings) -> Self {
        let config = ProxyConfig::from_settings(settings).expect("the settings are right");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let stopped = async {
            // A test that is done has not asked it to stop.
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let serving = tokio::spawn(async move { serve(listener, Proxy::new(config), stopped).await });
        Self {
            address,
            stop: Some(stop),
            serving,
        }
    }

    async fn open(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Response<Incoming> {
        ask(method, &format!("http://{}{path}", self.address), headers, body).await
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        whole(self.open(Method::GET, path, headers, Body::empty()).await).await
    }

    async fn patch(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        whole(self.open(Method::PATCH, path, headers, body.into()).await).await
    }
}

async fn ask(method: Method, url: &str, headers: &[(&str, &str)], body: Body) -> Response<Incoming> {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let client = Client::builder(TokioExecutor::new()).build_http();
    let asked = client.request(request.body(body).expect("a request"));
    timeout(SOON, asked)
        .await
        .expect("no answer in time")
        .expect("no answer")
}

async fn get(url: &str, headers: &[(&str, &str)]) -> Answer {
    whole(ask(Method::GET, url, headers, Body::empty()).await).await
}

async fn whole(answer: Response<Incoming>) -> Answer {
    let (head, body) = answer.into_parts();
    let body = timeout(SOON, body.collect())
        .await
        .expect("no end")
        .expect("a whole body")
        .to_bytes();
    Answer {
        status: head.status,
        headers: head.headers,
        body,
    }
}

const ALICE: [(&str, &str); 2] = [("x-user-id", "alice"), ("x-workspace-id", "w1")];

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

/// An open stream through this proxy, and the hand that writes it.
async fn stream(
    proxy: &TestProxy,
    streams: &mut mpsc::UnboundedReceiver<mpsc::Sender<&'static str>>,
) -> (Response<Incoming>, mpsc::Sender<&'static str>) {
    let path = format!("{PREFIX}/stream?channels=logs:a:b&tail=1");
    let answer = proxy.open(Method::GET, &path, &ALICE, Body::empty()).await;
    let hand = timeout(SOON, streams.recv())
        .await
        .expect("no stream")
        .expect("the hand of it");
    (answer, hand)
}

async fn next(answer: &mut Response<Incoming>) -> Option<Result<Bytes, hyper::Error>> {
    let frame = timeout(SOON, answer.body_mut().frame())
        .await
        .expect("nothing comes");
    frame.map(|frame| frame.map(|frame| frame.into_data().unwrap_or_default()))
}

#[tokio::test]
async fn what_is_streamed_comes_as_it_is_sent_and_ends_as_it_ends() {
    let (behind, mut streams) = Behind::start().await;
    let proxy = TestProxy::start(&settings(&behind)).await;
    let (mut answer, hand) = stream(&proxy, &mut streams).await;
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store"),
        ("x-accel-buffering", "no"),
    ] {
        assert_eq!(answer.headers()[name], value);
    }
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
    for event in ["data: 1\n\n", "data: 2\n\n"] {
        hand.send(event).await.unwrap();
        assert_eq!(next(&mut answer).await.unwrap().unwrap(), event);
    }
    drop(hand);
    assert!(next(&mut answer).await.is_none(), "the stream goes on");

    let (mut answer, hand) = stream(&proxy, &mut streams).await;
    hand.send("broken").await.unwrap();
    assert!(
        next(&mut answer).await.unwrap().is_err(),
        "a stream that was cut looks as if it had ended"
    );
}

#[tokio::test]
async fn a_reader_that_leaves_ends_the_gateways_stream() {
    let (behind, mut streams) = Behind::start().await;
    let proxy = TestProxy::start(&settings(&behind)).await;
    let (answer, hand) = stream(&proxy, &mut streams).await;
    assert!(!hand.is_closed());
    drop(answer);
    timeout(SOON, hand.closed())
        .await
        .expect("the stream is still read");
}

#[tokio::test]
async fn a_proxy_that_stops_tells_its_readers_and_ends_in_time() {
    let (behind, mut streams) = Behind::start().await;
    let mut proxy = TestProxy::start(&ProxySettings {
        drain_ms: some("2000"),
        ..settings(&behind)
    })
    .await;
    let (mut answer, hand) = stream(&proxy, &mut streams).await;
    hand.send("data: 1\n\n").await.unwrap();
    next(&mut answer).await.unwrap().unwrap();
    proxy.stop.take().unwrap().send(()).unwrap();
    let told = next(&mut answer).await.unwrap().unwrap();
    assert!(told.starts_with(b"event: drain\n"), "{told:?}");
    assert!(next(&mut answer).await.is_none(), "cut instead of ended");
    drop(answer);
    timeout(SOON, &mut proxy.serving)
        .await
        .expect("it does not stop")
        .unwrap();
    timeout(SOON, hand.closed())
        .await
        .expect("the stream is still read");
}
