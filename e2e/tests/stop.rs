//! How a gateway stops.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use logs_e2e::{SseReader, TestGateway};
use logs_shared::{
    ServerEvent,
    event::{Close, Drain},
};
use serde_json::json;
use tokio::task::JoinSet;

const CHANNEL: &str = "logs:etl:workspace123:workflow456";

/// A stream that has caught up.
async fn caught_up(gateway: &TestGateway) -> Result<SseReader> {
    let mut reader = SseReader::open(&gateway.stream_url(CHANNEL)).await?;
    while !matches!(reader.next().await?.event, ServerEvent::CaughtUp(_)) {}
    Ok(reader)
}

#[tokio::test]
async fn each_stream_is_told_first_and_ends_at_a_moment_of_its_own() -> Result<()> {
    const READERS: usize = 20;
    const DRAIN_MS: u64 = 2_000;
    let mut gateway = TestGateway::start_with(&[("DRAIN_MS", &DRAIN_MS.to_string())]).await?;
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        let mut reader = caught_up(&gateway).await?;
        readers.spawn(async move {
            let told = reader.next().await?.event;
            let ServerEvent::Drain(Drain { within_ms }) = told else {
                anyhow::bail!("{told:?} came first");
            };
            ensure!(within_ms <= DRAIN_MS, "{within_ms}");
            let told_at = Instant::now();
            let closed = reader.next().await?.event;
            let ServerEvent::Close(Close { retry_ms, .. }) = closed else {
                anyhow::bail!("{closed:?} came instead of the end");
            };
            ensure!(retry_ms.is_some(), "a reader is to come back");
            ensure!(reader.next().await.is_err(), "the stream goes on after its end");
            Ok(told_at.elapsed())
        });
    }
    let asked_at = Instant::now();
    let status = gateway.stop().await?;
    let took = asked_at.elapsed();
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_millis(DRAIN_MS + 500), "{took:?}");
    let mut ends = Vec::new();
    while let Some(end) = readers.join_next().await {
        ends.push(end??);
    }
    ends.sort();
    println!("{READERS} streams ended after {ends:?}; the gateway after {took:?}");
    // Twenty moments that fall at random into 1.8 s are further apart than this but for one time in 10^15.
    assert!(
        ends[READERS - 1] - ends[0] > Duration::from_millis(300),
        "{ends:?}"
    );
    Ok(())
}

#[tokio::test]
async fn what_was_acknowledged_before_the_stop_arrives_before_the_end() -> Result<()> {
    let mut gateway = TestGateway::start_with(&[("DRAIN_MS", "500")]).await?;
    let mut reader = caught_up(&gateway).await?;
    let mut published = Vec::new();
    for number in 0..200 {
        published.push(
            gateway
                .publish(&CHANNEL.parse()?, json!(number.to_string()))
                .await,
        );
    }
    gateway.stop().await?;
    let mut received = Vec::new();
    loop {
        match reader.next().await?.event {
            ServerEvent::Log(record) => received.push(record.id),
            ServerEvent::Close(_) => break,
            _ => {}
        }
    }
    let published: Vec<_> = published.into_iter().collect::<Result<_>>()?;
    assert_eq!(received, published);
    Ok(())
}

#[tokio::test]
async fn without_streams_it_stops_at_once_and_asked_twice_it_does_not_wait() -> Result<()> {
    let mut idle = TestGateway::start().await?;
    let asked_at = Instant::now();
    assert!(idle.stop().await?.success());
    assert!(
        asked_at.elapsed() < Duration::from_secs(2),
        "{:?}",
        asked_at.elapsed()
    );

    let mut busy = TestGateway::start_with(&[("DRAIN_MS", "60000")]).await?;
    let mut reader = caught_up(&busy).await?;
    busy.ask_to_stop()?;
    ensure!(
        matches!(reader.next().await?.event, ServerEvent::Drain(_)),
        "told first"
    );
    let asked_at = Instant::now();
    assert!(busy.stop().await?.success());
    assert!(
        asked_at.elapsed() < Duration::from_secs(5),
        "{:?}",
        asked_at.elapsed()
    );
    Ok(())
}
