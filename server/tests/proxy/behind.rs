//! What stands behind a proxy under test: something in the gateway's place, and something that knows the callers.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use http_body_util::BodyExt;
use tokio::{net::TcpListener, sync::mpsc, time::sleep};

/// What was asked, as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("a text"))
    }
}

/// Something in the gateway's place, which writes down what it is asked. It ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct Behind {
    address: SocketAddr,
    state: Arc<Behaviour>,
}

struct Behaviour {
    asked: Mutex<Vec<Asked>>,
    /// Takes the part of a stream's bytes, until it is dropped.
    streams: mpsc::UnboundedSender<mpsc::Sender<&'static str>>,
}

impl Behind {
    /// With it, the streams that are opened: what is sent into one is its bytes, and it is closed when nobody reads it.
    pub(crate) async fn start() -> (Self, mpsc::UnboundedReceiver<mpsc::Sender<&'static str>>) {
        let (streams, opened) = mpsc::unbounded_channel();
        let state = Arc::new(Behaviour {
            asked: Mutex::default(),
            streams,
        });
        let app = Router::new().fallback(answer).with_state(Arc::clone(&state));
        (
            Self {
                address: serve(app).await,
                state,
            },
            opened,
        )
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The last thing it was asked.
    pub(crate) fn last(&self) -> Asked {
        self.state
            .asked
            .lock()
            .expect("nobody panicked")
            .last()
            .cloned()
            .expect("something was asked")
    }

    pub(crate) fn count(&self) -> usize {
        self.state.asked.lock().expect("nobody panicked").len()
    }
}

/// Serves on a free port.
pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

async fn answer(State(state): State<Arc<Behaviour>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let query = head.uri.query().unwrap_or_default().to_owned();
    let body = body.collect().await.expect("a body").to_bytes();
    state.asked.lock().expect("nobody panicked").push(Asked {
        line: format!("{} {}", head.method, head.uri),
        headers: head.headers,
        body,
    });
    if query.contains("tail=1") {
        let (sender, bytes) = mpsc::channel(1);
        let _ = state.streams.send(sender);
        let bytes = stream::unfold(bytes, |mut bytes| async {
            let next = bytes.recv().await?;
            if next == "broken" {
                return Some((Err(io::Error::other(next)), bytes));
            }
            Some((Ok(Bytes::from_static(next.as_bytes())), bytes))
        });
        let headers = [
            ("content-type", "text/event-stream"),
            ("cache-control", "no-store"),
            ("x-accel-buffering", "no"),
            ("access-control-allow-origin", "*"),
        ];
        return (headers, Body::from_stream(bytes)).into_response();
    }
    if query.contains("level=slow") {
        sleep(Duration::from_secs(60)).await;
    }
    if query.contains("level=limited") {
        let headers = [
            ("content-type", "application/problem+json"),
            ("retry-after", "7"),
            ("access-control-expose-headers", "retry-after"),
        ];
        let problem = r#"{"code":"too_many_streams_per_user"}"#;
        return (StatusCode::TOO_MANY_REQUESTS, headers, problem).into_response();
    }
    "fine".into_response()
}

/// Knows one caller by a cookie, one to be kept out, and for the others how to sign in.
pub(crate) async fn sign_on() -> SocketAddr {
    let who = |headers: HeaderMap| async move {
        let cookie = headers.get("cookie").map(HeaderValue::as_bytes);
        match cookie.unwrap_or_default() {
            b"session=alice" | b"theme=dark; session=alice" => {
                [("x-user-id", "alice"), ("x-workspace-id", "w1,w2")].into_response()
            }
            b"session=nameless" => StatusCode::OK.into_response(),
            b"session=mallory" => StatusCode::FORBIDDEN.into_response(),
            b"session=broken" => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            _ => (StatusCode::UNAUTHORIZED, [("www-authenticate", "Session")]).into_response(),
        }
    };
    serve(Router::new().fallback(who)).await
}
