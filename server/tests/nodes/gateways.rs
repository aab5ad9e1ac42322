//! Gateways without sockets that share a real Redis.

use std::{future::Future, net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, StatusCode, request::Builder},
};
use http_body_util::BodyExt;
use logs_gateway::{
    config::{Config, Settings},
    engine::Engine,
    gateway::Gateway,
    http::app,
};
use logs_shared::{ServerEvent, overview::Stats, sse};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

use crate::testing::RedisServer;

/// How long something may take that takes moments.
const PATIENCE: Duration = Duration::from_secs(30);

/// Gateways that share a Redis.
pub(crate) struct Gateways {
    pub(crate) redis: RedisServer,
    pub(crate) all: Vec<TestGateway>,
}

pub(crate) struct TestGateway {
    gateway: Gateway,
    engine: Engine,
    router: Router,
}

/// What a gateway answered: the status, and the body as JSON.
pub(crate) type Answer = (StatusCode, Value);

impl Gateways {
    /// So many, which know of each other.
    pub(crate) async fn start(count: usize) -> Self {
        Self::with(count, Settings::default()).await
    }

    pub(crate) async fn with(count: usize, settings: Settings) -> Self {
        let redis = RedisServer::start();
        let all = (0..count)
            .map(|_| TestGateway::on(&redis, settings.clone()))
            .collect();
        let gateways = Self { redis, all };
        gateways.know_of_each_other().await;
        gateways
    }

    pub(crate) async fn know_of_each_other(&self) {
        for gateway in &self.all {
            let all_answer = async || {
                let nodes = gateway.stats().await.nodes;
                nodes.len() == self.all.len() && nodes.iter().all(|node| node.status == "healthy")
            };
            eventually("the gateways to know of each other", all_answer).await;
        }
    }

    /// What Redis answers.
    pub(crate) fn ask_redis<T: redis::FromRedisValue>(&self, command: &[&str]) -> T {
        self.redis.command(command)
    }
}

impl TestGateway {
    pub(crate) fn on(redis: &RedisServer, settings: Settings) -> Self {
        Self::at(&format!("redis://127.0.0.1:{}", redis.port()), settings)
    }

    pub(crate) fn at(url: &str, settings: Settings) -> Self {
        let settings = Settings {
            redis_url: Some(url.to_owned()),
            redis_prefix: Some("t:".to_owned()),
            service_tokens: Some("test-token=*".to_owned()),
            ..settings
        };
        let config = Config::from_settings(&settings).unwrap();
        let engine = Engine::open(&config.storage, config.retention).unwrap();
        let gateway = Gateway::open(config, engine.clone()).unwrap();
        let router = app(gateway.clone());
        Self {
            gateway,
            engine,
            router,
        }
    }

    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    /// Ends it as it ends when it is asked to.
    pub(crate) async fn stop(self) {
        self.gateway.leave().await;
    }

    /// Lets it take no more records.
    pub(crate) async fn close_log(&self) {
        let engine = self.engine.clone();
        tokio::task::spawn_blocking(move || engine.close()).await.unwrap();
    }

    pub(crate) async fn send(&self, request: Builder, body: String) -> Answer {
        let request = request.body(Body::from(body)).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path), String::new()).await
    }

    pub(crate) async fn stats(&self) -> Stats {
        let (status, body) = self.get("/admin/logs/stats").await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_value(body).unwrap()
    }

    pub(crate) async fn close(&self, name: &str) -> Answer {
        let path = format!("/admin/logs/streams/{name}/close");
        self.send(Request::post(path), String::new()).await
    }

    pub(crate) async fn revoke(&self, body: Value) -> Answer {
        self.send(Request::post("/admin/logs/revoke"), body.to_string())
            .await
    }

    /// Follows one channel more, as this user.
    pub(crate) async fn add(&self, stream_id: &str, user: &str, channel: &str) -> Answer {
        let path = format!("/api/logs/streams/{stream_id}");
        let request = Request::patch(path).header("x-user-id", user);
        self.send(request, json!({ "add": [channel] }).to_string()).await
    }

    pub(crate) async fn publish(&self, channel: &str) -> Value {
        let request = Request::post("/api/logs/publish").header("x-service-token", "test-token");
        let body = json!({ "channel": channel, "logData": "m" }).to_string();
        let (status, body) = self.send(request, body).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    /// A stream of this user, or why there is none.
    pub(crate) async fn try_stream(&self, user: &str) -> Result<TestStream, (u16, String)> {
        self.try_stream_with(user, "x-none", "").await
    }

    pub(crate) async fn try_stream_with(
        &self,
        user: &str,
        header: &str,
        value: &str,
    ) -> Result<TestStream, (u16, String)> {
        let request = Request::get("/api/logs/stream?channels=logs:etl:w").header("x-user-id", user);
        let from = ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1)));
        let request = request.header(header, value).extension(from);
        let request = request.body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let mut body = response.into_body();
        if status != 200 {
            let bytes = body.collect().await.unwrap().to_bytes();
            let problem: Value = serde_json::from_slice(&bytes).unwrap();
            let code = problem["code"].as_str().unwrap_or_default();
            return Err((status.as_u16(), code.to_owned()));
        }
        let mut parser = sse::Parser::default();
        let Some(ServerEvent::Connection(connection)) = next(&mut body, &mut parser).await.pop() else {
            panic!("a stream begins with its connection")
        };
        Ok(TestStream {
            id: connection.stream_id,
            body,
            parser,
        })
    }

    pub(crate) async fn stream(&self, user: &str) -> TestStream {
        let opened = self.try_stream(user).await;
        opened.unwrap_or_else(|refusal| panic!("{refusal:?}"))
    }
}

pub(crate) struct TestStream {
    pub(crate) id: String,
    body: Body,
    parser: sse::Parser,
}

impl TestStream {
    /// Why it ends.
    pub(crate) async fn end(&mut self) -> String {
        self.find(|event| match event {
            ServerEvent::Close(close) => Some(close.reason),
            _ => None,
        })
        .await
    }

    /// What it follows after a change.
    pub(crate) async fn change(&mut self) -> Vec<String> {
        self.find(|event| match event {
            ServerEvent::Subscription(now) => Some(now.channels.iter().map(ToString::to_string).collect()),
            _ => None,
        })
        .await
    }

    /// For how long its gateway has heard nothing of the others, as its next heartbeat has it.
    pub(crate) async fn delay(&mut self) -> Option<u64> {
        self.find(|event| match event {
            ServerEvent::Heartbeat(heartbeat) => Some(heartbeat.delayed_ms),
            _ => None,
        })
        .await
    }

    /// The channel of the next record.
    pub(crate) async fn record(&mut self) -> String {
        self.find(|event| match event {
            ServerEvent::Log(record) => Some(record.channel.to_string()),
            _ => None,
        })
        .await
    }

    async fn find<T>(&mut self, wanted: impl Fn(ServerEvent) -> Option<T>) -> T {
        loop {
            let events = next(&mut self.body, &mut self.parser).await;
            assert!(!events.is_empty(), "the stream has ended");
            if let Some(found) = events.into_iter().find_map(&wanted) {
                return found;
            }
        }
    }
}

/// The next events that come together; none at the end.
async fn next(body: &mut Body, parser: &mut sse::Parser) -> Vec<ServerEvent> {
    let mut events = Vec::new();
    while events.is_empty() {
        let frame = timeout(PATIENCE, body.frame()).await.expect("an event in time");
        let Some(frame) = frame else { break };
        let data = frame.unwrap().into_data().unwrap();
        parser.feed(&data, |event, _| {
            events.push(ServerEvent::parse(&event.data).unwrap());
        });
    }
    events
}

/// Waits until something is so.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let waiting = async {
        while !is_so().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, waiting)
        .await
        .unwrap_or_else(|_| panic!("waited in vain for {what}"));
}
