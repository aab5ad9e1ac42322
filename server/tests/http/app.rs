//! The whole gateway without a socket: requests go straight into its router.

use std::{io::Write, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, Response, StatusCode},
};
use flate2::{Compression, write::GzEncoder};
use http_body_util::BodyExt;
use logs_gateway::{
    config::{Config, Settings},
    engine::{Engine, Storage},
    gateway::Gateway,
    http::app,
};
use logs_shared::{
    Channel, LogRecord, RecordId, ServerEvent, api::PUBLISH_PATH, publish::PublishAnswer, sse,
};
use serde_json::{Value, json};
use tower::ServiceExt;

/// The token that may publish everywhere.
pub(crate) const TOKEN: &str = "test-token";

pub(crate) struct TestApp(Router);

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// Status and code: what a refusal is known by. Checks that the answer has the form of one.
    pub(crate) fn refusal(&self) -> (u16, String) {
        let problem = self.json();
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(problem["success"], false);
        assert_eq!(problem["status"], self.status.as_u16());
        assert!(
            problem["detail"].as_str().is_some_and(|detail| detail.len() > 5),
            "{problem}"
        );
        (
            self.status.as_u16(),
            problem["code"].as_str().unwrap_or_default().to_owned(),
        )
    }
}

pub(crate) fn settings() -> Settings {
    Settings {
        service_tokens: Some(format!("{TOKEN}=*;etl-token=etl@w")),
        ..Settings::default()
    }
}

impl TestApp {
    pub(crate) fn new() -> Self {
        Self::with(settings())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let settings = Settings {
            store: settings.store.or_else(|| Some("memory".to_owned())),
            ..settings
        };
        let config = Config::from_settings(&settings).expect("the settings are right");
        let engine = Engine::open(&Storage::Memory, config.retention).expect("the log opens");
        Self(app(Gateway::open(config, engine).expect("the gateway opens")))
    }

    pub(crate) async fn open(&self, request: Request<Body>) -> Response<Body> {
        self.0
            .clone()
            .oneshot(request)
            .await
            .unwrap_or_else(|never| match never {})
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        Self::whole(self.open(request).await).await
    }

    /// An answer with all of its body, which must have an end.
    pub(crate) async fn whole(response: Response<Body>) -> Answer {
        let (parts, body) = response.into_parts();
        let body = body
            .collect()
            .await
            .expect("the body is whole")
            .to_bytes()
            .to_vec();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).expect("a request"))
            .await
    }

    pub(crate) async fn get_as(&self, path: &str, token: &str) -> Answer {
        let request = Request::get(path).header("authorization", format!("Bearer {token}"));
        self.send(request.body(Body::empty()).expect("a request")).await
    }

    pub(crate) async fn post_as(&self, path: &str, token: &str, body: &Value) -> Answer {
        let request = Request::post(path).header("authorization", format!("Bearer {token}"));
        self.send(request.body(Body::from(body.to_string())).expect("a request"))
            .await
    }

    /// Publishes one record with this token.
    pub(crate) async fn publish_as(&self, token: &str, channel: &str, message: &str) -> Answer {
        let body = json!({ "channel": channel, "logData": message });
        self.post_as(PUBLISH_PATH, token, &body).await
    }

    /// Publishes a body with these headers beside the token.
    pub(crate) async fn publish_body(&self, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::post(PUBLISH_PATH).header("x-service-token", TOKEN);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body.into()).expect("a request")).await
    }

    /// Publishes one record.
    pub(crate) async fn publish(&self, channel: &str, log_data: Value) -> RecordId {
        let body = json!({ "channel": channel, "logData": log_data }).to_string();
        let answer = self
            .publish_body(&[("content-type", "application/json")], body)
            .await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        let answer: PublishAnswer = serde_json::from_slice(&answer.body).expect("an answer");
        assert_eq!(answer.channel, channel.parse::<Channel>().expect("a channel"));
        answer.id
    }

    pub(crate) async fn stream(&self, query: &str) -> TestStream {
        self.stream_with(query, &[]).await
    }

    pub(crate) async fn stream_with(&self, query: &str, headers: &[(&str, &str)]) -> TestStream {
        let mut request = Request::get(format!("/api/logs/stream?{query}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.open(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        TestStream {
            body: response.into_body(),
            parser: sse::Parser::default(),
            events: Vec::new().into_iter(),
            text: String::new(),
        }
    }
}

pub(crate) struct TestStream {
    body: Body,
    parser: sse::Parser,
    events: std::vec::IntoIter<(ServerEvent, String)>,
    /// Everything that was received.
    pub(crate) text: String,
}

impl TestStream {
    /// The next event, and the cursor as it stands there; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<(ServerEvent, String)> {
        loop {
            if let Some(event) = self.events.next() {
                return Some(event);
            }
            let frame = self.body.frame();
            let frame = tokio::time::timeout(Duration::from_secs(100), frame)
                .await
                .expect("an event in time")?;
            let data = frame.expect("a stream without errors").into_data().expect("data");
            self.text.push_str(std::str::from_utf8(&data).expect("text"));
            let mut events = Vec::new();
            self.parser.feed(&data, |event, id| {
                events.push((
                    ServerEvent::parse(&event.data).expect("a known event"),
                    id.to_owned(),
                ));
            });
            self.events = events.into_iter();
        }
    }

    /// What names it, as its first event says.
    pub(crate) async fn stream_id(&mut self) -> String {
        match self.next().await {
            Some((ServerEvent::Connection(connection), _)) => connection.stream_id,
            other => panic!("a stream begins with its connection: {other:?}"),
        }
    }

    /// The next record. Other events before it are passed over.
    pub(crate) async fn next_record(&mut self) -> LogRecord {
        loop {
            match self.next().await {
                Some((ServerEvent::Log(record), id)) => {
                    assert_eq!(id, record.id.to_string());
                    return record;
                }
                Some(_) => {}
                None => panic!("the stream ended: {}", self.text),
            }
        }
    }

    /// The messages of the records up to where history ends.
    pub(crate) async fn history(&mut self) -> Vec<String> {
        let mut messages = Vec::new();
        loop {
            match self.next().await {
                Some((ServerEvent::Log(record), _)) => messages.push(record.entry.message),
                Some((ServerEvent::CaughtUp(_), _)) => return messages,
                Some(_) => {}
                None => panic!("the stream ended: {}", self.text),
            }
        }
    }
}

pub(crate) fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder
        .write_all(text.as_bytes())
        .expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

/// A path that a route answers at: something in the place of each of its names.
pub(crate) fn at(route: &str) -> String {
    route
        .split('/')
        .map(|segment| if segment.starts_with('{') { "x" } else { segment })
        .collect::<Vec<_>>()
        .join("/")
}
