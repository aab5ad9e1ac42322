//! What the gateway's own log says of requests.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use axum::{body::Body, http::Request};
use logs_shared::api;
use tracing_subscriber::fmt::MakeWriter;

use crate::app::TestApp;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panicked").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Whoever knows the id of a stream without a name may change it.
#[tokio::test]
async fn the_id_of_a_stream_is_not_in_the_log_wherever_it_was_sent() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let app = TestApp::new();
    let id = app.stream("channels=logs:etl:w").await.stream_id().await;
    for (method, path) in [
        ("PATCH", format!("{}/{id}", api::STREAMS_PATH)),
        ("DELETE", format!("{}/{id}", api::STREAMS_PATH)),
        ("PATCH", format!("{}/{id}/", api::STREAMS_PATH)),
        ("PATCH", format!("/prefix{}/{id}", api::STREAMS_PATH)),
        ("POST", format!("{}/{id}/close", api::ADMIN_STREAMS_PATH)),
    ] {
        let request = Request::builder().method(method).uri(path);
        app.send(request.body(Body::empty()).expect("a request")).await;
    }
    let log = String::from_utf8(log.0.lock().expect("nobody panicked").clone()).expect("text");
    assert!(
        log.contains("method_not_allowed") && log.contains("not_found"),
        "{log}"
    );
    assert!(!log.contains(&id), "{log}");
}
