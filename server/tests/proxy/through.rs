//! [`TestProxy`]: a proxy of one's own, and what comes through it.

use std::{net::SocketAddr, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, Method, Request, Response, StatusCode},
};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use logs_gateway::proxy::{Proxy, ProxyConfig, ProxySettings, serve};
use serde_json::Value;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle, time::timeout};

use crate::behind::Behind;

pub(crate) const SOON: Duration = Duration::from_secs(10);
pub(crate) const PREFIX: &str = "/api/dapadmin/l5-etl/sse/logs";

/// A proxy on a free port.
pub(crate) struct TestProxy {
    pub(crate) address: SocketAddr,
    pub(crate) stop: Option<oneshot::Sender<()>>,
    pub(crate) serving: JoinHandle<()>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// Status and code; checks that it has the form of a refusal.
    pub(crate) fn refusal(&self) -> (u16, String) {
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

pub(crate) fn some(text: impl Into<String>) -> Option<String> {
    Some(text.into())
}

/// In production, in front of this.
pub(crate) fn settings(behind: &Behind) -> ProxySettings {
    ProxySettings {
        node_env: some("production"),
        upstream: some(behind.url()),
        identity: some("header"),
        token: some("proxy-token"),
        ..ProxySettings::default()
    }
}

impl TestProxy {
    pub(crate) async fn start(settings: &ProxySettings) -> Self {
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

    pub(crate) async fn open(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Response<Incoming> {
        ask(method, &format!("http://{}{path}", self.address), headers, body).await
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        whole(self.open(Method::GET, path, headers, Body::empty()).await).await
    }

    pub(crate) async fn patch(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        whole(self.open(Method::PATCH, path, headers, body.into()).await).await
    }
}

pub(crate) async fn ask(
    method: Method,
    url: &str,
    headers: &[(&str, &str)],
    body: Body,
) -> Response<Incoming> {
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

pub(crate) async fn get(url: &str, headers: &[(&str, &str)]) -> Answer {
    whole(ask(Method::GET, url, headers, Body::empty()).await).await
}

pub(crate) async fn whole(answer: Response<Incoming>) -> Answer {
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

pub(crate) const ALICE: [(&str, &str); 2] = [("x-user-id", "alice"), ("x-workspace-id", "w1")];
