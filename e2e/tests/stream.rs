//! What readers of the stream are promised, over real connections.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use logs_e2e::{SseReader, TestGateway, eventually};
use logs_shared::{Channel, LogRecord, ServerEvent};
use serde_json::json;
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval},
};

const CHANNEL: &str = "logs:etl:workspace123:workflow456";
const PATIENCE: Duration = Duration::from_secs(20);

fn channel() -> Result<Channel> {
    Ok(CHANNEL.parse()?)
}

/// The records up to and with the one that says `last`.
async fn read_until(reader: &mut SseReader, last: &str) -> Result<Vec<LogRecord>> {
    let mut records = Vec::new();
    loop {
        records.push(
            reader
                .next_record()
                .await
                .with_context(|| format!("after {} records", records.len()))?,
        );
        if records.last().is_some_and(|record| record.entry.message == last) {
            return Ok(records);
        }
    }
}

/// Each number once, in order, with ids that only grow.
fn ensure_complete(records: &[LogRecord], numbers: std::ops::Range<u32>) -> Result<()> {
    let messages: Vec<_> = records
        .iter()
        .map(|record| record.entry.message.clone())
        .collect();
    let expected: Vec<_> = numbers.map(|number| number.to_string()).collect();
    ensure!(messages == expected, "{messages:?} are not {expected:?}");
    ensure!(
        records.is_sorted_by(|one, next| one.id < next.id),
        "an id did not grow"
    );
    Ok(())
}

#[tokio::test]
async fn sixty_readers_get_every_record_once_and_in_order() -> Result<()> {
    const READERS: usize = 60;
    const PER_SECOND: u32 = 200;
    const RECORDS: u32 = 5 * PER_SECOND;

    let gateway = TestGateway::start().await?;
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        let mut reader = SseReader::open(&gateway.stream_url(CHANNEL)).await?;
        let first = reader.next().await?;
        ensure!(
            matches!(first.event, ServerEvent::Connection(_)),
            "{first:?} came first"
        );
        readers.spawn(async move { read_until(&mut reader, &(RECORDS - 1).to_string()).await });
    }

    let mut tick = interval(Duration::from_secs(1) / PER_SECOND);
    // A machine that was busy for a moment catches up: the rate is the point, not the gaps.
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let started = Instant::now();
    for number in 0..RECORDS {
        tick.tick().await;
        gateway.publish(&channel()?, json!(number.to_string())).await?;
    }
    let took = started.elapsed();

    let mut delivered = 0;
    while let Some(reader) = readers.join_next().await {
        let records = reader??;
        ensure_complete(&records, 0..RECORDS)?;
        delivered += records.len();
    }
    println!(
        "{RECORDS} records in {:.2} s ({:.0}/s) to {READERS} readers: {delivered} deliveries, each once and in order",
        took.as_secs_f64(),
        f64::from(RECORDS) / took.as_secs_f64(),
    );
    assert_eq!(delivered, READERS * RECORDS as usize);
    Ok(())
}

#[tokio::test]
async fn a_reader_that_comes_back_misses_nothing_and_sees_nothing_twice() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let url = gateway.stream_url(CHANNEL);
    let mut reader = SseReader::open(&url).await?;
    reader.next().await?;
    let mut records = Vec::new();
    for number in 0..30 {
        gateway.publish(&channel()?, json!(number.to_string())).await?;
        if number % 10 == 4 {
            records.extend(read_until(&mut reader, &number.to_string()).await?);
            let cursor = reader.last_event_id().to_owned();
            drop(reader);
            gateway
                .publish(&channel()?, json!((number + 100).to_string()))
                .await?;
            reader = SseReader::resume(&url, &cursor).await?;
        }
    }
    records.extend(read_until(&mut reader, "29").await?);
    let absent = records
        .iter()
        .filter(|record| record.entry.message.len() == 3)
        .count();
    assert_eq!(absent, 3, "what was published while nobody read");
    records.retain(|record| record.entry.message.len() < 3);
    ensure_complete(&records, 0..30)
}

#[tokio::test]
async fn a_reader_that_goes_away_is_forgotten() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let mut reader = SseReader::open(&gateway.stream_url(CHANNEL)).await?;
    reader.next().await?;
    assert_eq!(gateway.stats().await?.connections, 1);
    drop(reader);
    eventually("no connection", PATIENCE, async || {
        Ok((gateway.stats().await?.connections == 0).then_some(()))
    })
    .await
}

#[tokio::test]
async fn a_gateway_that_is_asked_to_stop_ends_its_streams_and_itself() -> Result<()> {
    let mut gateway = TestGateway::start().await?;
    let mut reader = SseReader::open(&gateway.stream_url(CHANNEL)).await?;
    reader.next().await?;
    let status = gateway.stop().await?;
    assert!(status.success(), "{status}");
    let error = loop {
        match reader.next().await {
            Ok(_) => {}
            Err(error) => break format!("{error:#}"),
        }
    };
    assert!(
        error.contains("the stream has ended"),
        "cut instead of ended: {error}"
    );
    Ok(())
}
