//! What strangers send: each row is refused with the right status and code, or is the documented non-error, and the
//! gateway is well afterwards. What no router gets to see (broken HTTP) is in the end-to-end tests.

mod changing;
mod paths;
mod publishing;
mod reading;

use crate::app::{TOKEN, TestApp, settings};
use axum::{
    body::Body,
    http::{HeaderValue, Method, Request},
};
use http_body_util::BodyExt;
use logs_gateway::config::Settings;
use logs_shared::{ServerEvent, api::EVENT_STREAM_TYPE, problem::code, sse};
use serde_json::{Value, json};

/// A token that no gateway knows; no answer may have it.
const WRONG_TOKEN: &str = "wr0ng-s3cret";

/// A request, and what has to come of it.
struct Row {
    method: Method,
    uri: String,
    headers: Vec<(&'static str, Vec<u8>)>,
    body: Vec<u8>,
    expected: String,
}

impl Row {
    fn new(method: Method, uri: impl Into<String>) -> Self {
        Self {
            method,
            uri: uri.into(),
            headers: Vec::new(),
            body: Vec::new(),
            expected: String::new(),
        }
    }

    fn header(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name, value.as_ref().to_vec()));
        self
    }

    fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    /// Refused, with this status and code.
    fn is(mut self, status: u16, code: &str) -> Self {
        assert!(code::ALL.contains(&code), "{code} is no code");
        self.expected = format!("{status} {code}");
        self
    }

    /// No error, as documented.
    fn taken(mut self) -> Self {
        self.expected = "200".to_owned();
        self
    }

    /// A batch or a change is taken, but its first entry is refused with this code.
    fn first_refused(mut self, code: &str) -> Self {
        self.expected = format!("200, but of one {code}");
        self
    }

    /// A stream that begins with a gap, because its cursor is none.
    fn streams_with_gap(mut self) -> Self {
        self.expected = "a stream with a gap".to_owned();
        self
    }

    /// A stream without one.
    fn streams(mut self) -> Self {
        self.expected = "a stream".to_owned();
        self
    }

    /// What the row is called when it fails.
    fn name(&self) -> String {
        let shown = |text: &[u8]| String::from_utf8_lossy(&text[..text.len().min(80)]).into_owned();
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {:?}", shown(value)))
            .collect();
        let (method, uri, body) = (&self.method, shown(self.uri.as_bytes()), shown(&self.body));
        format!("{method} {uri:?} {headers:?} {body:?}")
    }

    fn request(&self) -> Request<Body> {
        let mut request = Request::builder().method(&self.method).uri(&self.uri);
        for (name, value) in &self.headers {
            request = request.header(*name, HeaderValue::from_bytes(value).expect("a header's value"));
        }
        let request = request.body(Body::from(self.body.clone()));
        request.unwrap_or_else(|error| panic!("{}: {error}", self.name()))
    }

    /// What comes of it, in the words of `expected`.
    async fn outcome(&self, app: &TestApp) -> String {
        let response = app.open(self.request()).await;
        let kind = response.headers().get("content-type").cloned();
        if kind.is_some_and(|kind| kind == EVENT_STREAM_TYPE) {
            return opening(response.into_body()).await;
        }
        let answer = TestApp::whole(response).await;
        let text = String::from_utf8(answer.body.clone()).expect("an answer is text");
        for secret in [TOKEN, WRONG_TOKEN] {
            assert!(!text.contains(secret), "{}: {text}", self.name());
        }
        if answer.status != 200 {
            let (status, code) = answer.refusal();
            let detail = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
            // What a terminal would obey.
            let control = text.chars().chain(detail.chars()).find(|c| c.is_control());
            return match control {
                Some(control) => format!("{status} {code}, with {control:?}"),
                None if detail.len() > 2_000 => format!("{status} {code}, with {} bytes", detail.len()),
                None => format!("{status} {code}"),
            };
        }
        let answer = serde_json::from_str(&text).unwrap_or(Value::Null);
        let of_each = answer["rejected"].as_array().or(answer["results"].as_array());
        match of_each.and_then(|of_each| of_each.first()) {
            Some(first) => format!("200, but of one {}", first["code"].as_str().unwrap_or("nothing")),
            None => "200".to_owned(),
        }
    }
}

/// What a stream begins with. Whatever was sent, what comes back are events.
async fn opening(mut body: Body) -> String {
    let frame = body.frame().await.expect("a chunk").expect("no error");
    let mut has_gap = false;
    let data = frame.into_data().expect("data");
    sse::Parser::default().feed(&data, |event, _| {
        let event = ServerEvent::parse(&event.data).expect("a known event");
        has_gap = has_gap || matches!(event, ServerEvent::Gap(_));
    });
    if has_gap {
        "a stream with a gap"
    } else {
        "a stream"
    }
    .to_owned()
}

/// It says so, and takes a record and gives it back.
async fn check_well(app: &TestApp, name: &str) {
    assert_eq!(app.get("/health").await.json()["status"], "healthy", "{name}");
    let id = app.publish("logs:well:being", json!(name)).await;
    let page = app
        .get("/api/logs/history?channels=logs:well:being&limit=1")
        .await
        .json();
    assert_eq!(page["last_id"], id.to_string(), "{name}");
}

async fn check(app: &TestApp, rows: Vec<Row>, least: usize) {
    assert!(rows.len() >= least, "{} rows", rows.len());
    let mut wrong = Vec::new();
    for row in rows {
        let outcome = row.outcome(app).await;
        if outcome != row.expected {
            wrong.push(format!("{}\n    is {outcome}, not {}", row.name(), row.expected));
        }
        check_well(app, &row.name()).await;
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

fn app() -> TestApp {
    TestApp::with(Settings {
        max_body_bytes: Some("1MiB".to_owned()),
        ..settings()
    })
}

#[tokio::test]
async fn a_bad_publication_is_refused_and_the_gateway_is_well() {
    check(&app(), publishing::rows(), 110).await;
}

#[tokio::test]
async fn a_bad_question_is_refused_and_the_gateway_is_well() {
    check(&app(), reading::rows(), 80).await;
}

#[tokio::test]
async fn a_bad_path_or_method_is_refused_and_the_gateway_is_well() {
    check(&app(), paths::rows(), 40).await;
}

#[tokio::test]
async fn a_bad_change_of_a_stream_is_refused_and_the_stream_is_well() {
    let app = app();
    let mut stream = app.stream("channels=logs:etl:w").await;
    let Some((ServerEvent::Connection(connection), _)) = stream.next().await else {
        panic!("a stream begins with its connection");
    };
    check(&app, changing::rows(&connection.stream_id), 30).await;
    let id = app.publish("logs:etl:w", json!("still here")).await;
    assert_eq!(stream.next_record().await.id, id);
}
