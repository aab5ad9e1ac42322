//! Streams: as they come, and how they end.

use axum::{
    body::{Body, Bytes},
    http::{Method, Response},
};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use logs_gateway::proxy::ProxySettings;
use tokio::{sync::mpsc, time::timeout};

use crate::{
    behind::Behind,
    through::{ALICE, PREFIX, SOON, TestProxy, settings, some},
};

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
