//! What the gateway's own log says of requests.

use std::{
    cell::RefCell,
    io::{self, Write},
};

use axum::{body::Body, http::Request};
use logs_shared::api;

use crate::app::TestApp;

thread_local! {
    /// What was logged on this thread: each test has one of its own.
    static LOGGED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whoever knows the id of a stream without a name may change it.
#[tokio::test]
async fn the_id_of_a_stream_is_not_in_the_log_wherever_it_was_sent() {
    // For all threads: what one of them was not asked for would be off for the others.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(|| Log)
        .init();
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
    let log = String::from_utf8(LOGGED.take()).expect("text");
    assert!(
        log.contains("method_not_allowed") && log.contains("not_found"),
        "{log}"
    );
    assert!(!log.contains(&id), "{log}");
}
