//! What is left after `kill -9`.

use anyhow::{Result, ensure};
use logs_e2e::{Published, SseReader, TestGateway};
use logs_shared::{
    Channel, LogRecord, RecordId, ServerEvent,
    event::{Gap, GapReason},
    problem::code,
};
use serde_json::json;

const CHANNELS: [&str; 2] = ["logs:etl:workspace123:workflow456", "logs:faas:workspace123"];

fn channels() -> Result<Vec<Channel>> {
    Ok(CHANNELS
        .iter()
        .map(|channel| channel.parse())
        .collect::<Result<_, _>>()?)
}

/// Publishes these numbers to both channels in turn, and gives the ids.
async fn publish(gateway: &TestGateway, numbers: std::ops::Range<usize>) -> Result<Vec<RecordId>> {
    let channels = channels()?;
    let mut ids = Vec::new();
    for number in numbers {
        let channel = &channels[number % channels.len()];
        ids.push(gateway.publish(channel, json!(number.to_string())).await?);
    }
    Ok(ids)
}

fn ids(records: &[LogRecord]) -> Vec<RecordId> {
    records.iter().map(|record| record.id).collect()
}

/// So many records of an open stream, none of which may be missing.
async fn read(reader: &mut SseReader, count: usize) -> Result<Vec<RecordId>> {
    let mut ids = Vec::new();
    while ids.len() < count {
        match reader.next().await?.event {
            ServerEvent::Log(record) => ids.push(record.id),
            ServerEvent::Gap(gap) => anyhow::bail!("{gap:?}"),
            _ => {}
        }
    }
    Ok(ids)
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_kill_9() -> Result<()> {
    let mut gateway = TestGateway::start().await?;
    let mut published = publish(&gateway, 0..300).await?;
    for round in 1..=3 {
        gateway.kill().await?;
        gateway.restart().await?;
        let both = CHANNELS.join(",");
        assert_eq!(ids(&gateway.streamed(&both).await?), published, "round {round}");
        let history = gateway.history(&both).await?;
        assert_eq!(ids(&history), published, "round {round}");
        for (number, record) in history.iter().enumerate() {
            assert_eq!(record.entry.message, number.to_string());
            assert_eq!(record.entry.channel.as_str(), CHANNELS[number % 2]);
        }
        let channels = gateway.channels().await?;
        let kept: usize = channels.iter().map(|channel| channel.records).sum();
        assert_eq!(kept, published.len());
        published.extend(publish(&gateway, published.len()..published.len() + 50).await?);
        ensure!(
            published.is_sorted_by(|one, next| one < next),
            "an id did not grow"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_reader_that_comes_back_after_kill_9_misses_nothing_and_sees_nothing_twice() -> Result<()> {
    let mut gateway = TestGateway::start().await?;
    let url = gateway.stream_url(&CHANNELS.join(","));
    let mut reader = SseReader::open(&url).await?;
    reader.next().await?;
    let mut published = publish(&gateway, 0..100).await?;
    // One has read half of it, one all, and one came before everything and has seen nothing but that.
    let mut read_ids = read(&mut reader, 50).await?;
    let half = reader.last_event_id().to_owned();
    read(&mut reader, 50).await?;
    let all = reader.last_event_id().to_owned();

    gateway.kill().await?;
    gateway.restart().await?;
    let mut resumed = SseReader::resume(&url, &half).await?;
    let mut waiting = SseReader::resume(&url, &all).await?;
    published.extend(publish(&gateway, 100..120).await?);
    read_ids.extend(read(&mut resumed, 70).await?);
    assert_eq!(read_ids, published);
    assert_eq!(read(&mut waiting, 20).await?, published[100..]);
    Ok(())
}

#[tokio::test]
async fn without_a_disk_a_reader_that_comes_back_is_told_that_the_gateway_was_started_since() -> Result<()> {
    let mut gateway = TestGateway::start_with(&[("STORE", "memory")]).await?;
    let url = gateway.stream_url(CHANNELS[0]);
    let mut reader = SseReader::open(&url).await?;
    reader.next().await?;
    let published = publish(&gateway, 0..1).await?;
    assert_eq!(read(&mut reader, 1).await?, published);

    gateway.kill().await?;
    gateway.restart().await?;
    let mut resumed = SseReader::resume(&url, reader.last_event_id()).await?;
    resumed.next().await?;
    let told = resumed.next().await?.event;
    let ServerEvent::Gap(Gap { from, to, reason, .. }) = told else {
        anyhow::bail!("{told:?} came instead of a gap");
    };
    assert_eq!((from, reason), (published[0], GapReason::Restart));
    let after = publish(&gateway, 0..1).await?;
    ensure!(to <= after[0], "{to} is not before {after:?}");
    assert_eq!(read(&mut resumed, 1).await?, after);
    assert!(!gateway.data_dir().exists(), "a folder that nobody asked for");
    Ok(())
}

#[tokio::test]
async fn a_repeat_after_kill_9_gets_the_first_answer_and_stores_nothing() -> Result<()> {
    let mut gateway = TestGateway::start().await?;
    let (publisher, channel) = (gateway.publisher(), CHANNELS[0].parse()?);
    let one = json!("one");
    let Published::Stored(first) = publisher.publish(&channel, &one, "one").await else {
        anyhow::bail!("not stored");
    };
    let batch: Vec<_> = (0..20).map(|number| json!(number.to_string())).collect();
    let answer = publisher.publish_batch(&channel, &batch, "batch").await?;
    for _ in 0..2 {
        gateway.kill().await?;
        gateway.restart().await?;
        let again = publisher.publish(&channel, &one, "one").await;
        assert!(
            matches!(again, Published::Stored(id) if id == first),
            "{again:?} instead of {first}"
        );
        assert_eq!(publisher.publish_batch(&channel, &batch, "batch").await?, answer);
        let other = publisher.publish(&channel, &json!("another"), "one").await;
        assert!(
            matches!(&other, Published::Refused(problem) if problem.code == code::IDEMPOTENCY_KEY_REUSED),
            "{other:?}"
        );
    }
    assert_eq!(gateway.streamed(CHANNELS[0]).await?.len(), 21);
    Ok(())
}
