//! What a request may take, whatever its path: address, headers, and the time for its body.

use std::{convert::Infallible, time::Duration};

use axum::{body::Body, http::Request};
use bytes::Bytes;
use futures_util::stream;
use logs_shared::{
    api::{MAX_CHANNELS_PER_STREAM, MAX_HEADER_BYTES, MAX_HEADERS, MAX_SEGMENT_CHARS, MAX_URI_BYTES},
    problem::code,
};
use tokio::time::{Instant, sleep};

use crate::app::TestApp;

#[tokio::test]
async fn as_many_of_the_longest_channels_as_a_stream_may_have_fit_however_they_are_escaped() {
    let app = TestApp::new();
    let segment = "s".repeat(MAX_SEGMENT_CHARS - 4);
    let channels: Vec<_> = (0..MAX_CHANNELS_PER_STREAM)
        .map(|number| format!("logs%3A{segment}{number:04}%3A{segment}{number:04}%3A{segment}{number:04}"))
        .collect();
    let path = format!("/api/logs/history?channels={}", channels.join("%2C"));
    assert!(path.len() < MAX_URI_BYTES * 5 / 6 + 1_024, "{}", path.len());
    assert_eq!(app.get(&path).await.status, 200);
}

#[tokio::test]
async fn an_address_over_its_limit_is_refused_on_every_path() {
    let app = TestApp::new();
    for path in ["/health", "/", "/api/logs/stream", "/nowhere"] {
        let at_the_limit = format!("{path}?x={}", "x".repeat(MAX_URI_BYTES - path.len() - 3));
        assert_ne!(app.get(&at_the_limit).await.status, 414, "{path}");
        let over = app.get(&format!("{at_the_limit}x")).await;
        assert_eq!(over.refusal(), (414, code::URI_TOO_LONG.to_owned()), "{path}");
    }
}

#[tokio::test]
async fn headers_over_their_limits_are_refused() {
    let app = TestApp::new();
    let with = |count: usize, value: usize| {
        let mut request = Request::get("/health");
        for number in 0..count {
            request = request.header(format!("x-{number:03}"), "v".repeat(value));
        }
        request.body(Body::empty()).unwrap()
    };
    let refused = (431, code::HEADERS_TOO_LARGE.to_owned());
    assert_eq!(app.send(with(MAX_HEADERS, 10)).await.status, 200);
    assert_eq!(app.send(with(MAX_HEADERS + 1, 10)).await.refusal(), refused);
    assert_eq!(app.send(with(1, MAX_HEADER_BYTES - 5)).await.status, 200);
    assert_eq!(app.send(with(1, MAX_HEADER_BYTES - 4)).await.refusal(), refused);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_comes_too_slowly_is_refused_plain_and_packed() {
    let app = TestApp::new();
    // The beginning of any gzip (RFC 1952), and of a block of 65,535 bytes as they are (RFC 1951, section 3.2.4).
    let packed = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0, 0xff, 0xff, 0, 0];
    for (headers, start) in [
        (
            &[("content-type", "application/json")][..],
            &b"{\"logData\":\""[..],
        ),
        (&[("content-encoding", "gzip")][..], &packed[..]),
    ] {
        let began = Instant::now();
        let pieces = stream::unfold(Bytes::copy_from_slice(start), |piece| async move {
            sleep(Duration::from_secs(1)).await;
            Some((Ok::<_, Infallible>(piece), Bytes::from_static(b" ")))
        });
        let answer = app
            .publish_body(headers, Body::from_stream(Box::pin(pieces)))
            .await;
        assert_eq!(answer.refusal(), (408, code::BODY_TOO_SLOW.to_owned()));
        let took = began.elapsed();
        assert!(
            took >= Duration::from_secs(20) && took < Duration::from_secs(25),
            "{took:?}"
        );
    }
}
