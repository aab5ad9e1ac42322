//! What retention leaves, and what it says of the rest.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use logs_e2e::{SseReader, TestGateway, eventually};
use logs_shared::{
    Channel, LogRecord, RecordId, ServerEvent,
    event::{Gap, GapReason},
    overview::ChannelOverview,
};
use serde_json::{Value, json};

const CHANNEL: &str = "logs:etl:workspace123:workflow456";
const SOON: Duration = Duration::from_secs(20);

/// Publishes so many numbers together, and gives the first and the last id.
async fn publish(gateway: &TestGateway, channel: &str, count: usize) -> Result<(RecordId, RecordId)> {
    let records: Vec<Value> = (0..count).map(|number| json!(number.to_string())).collect();
    let channel: Channel = channel.parse()?;
    let name = format!("{channel} {count}");
    let publisher = gateway.publisher();
    let answer = publisher.publish_batch(&channel, &records, &name).await?;
    Ok((answer.first_id, answer.last_id))
}

/// What the gateway says of a channel.
async fn overview(gateway: &TestGateway, channel: &str) -> Result<Option<ChannelOverview>> {
    let channels = gateway.channels().await?;
    Ok(channels
        .into_iter()
        .find(|overview| overview.channel.as_str() == channel))
}

/// What a stream gives that resumes from there, until it has caught up.
async fn resumed(gateway: &TestGateway, from: RecordId) -> Result<(Vec<Gap>, Vec<LogRecord>)> {
    let mut reader = SseReader::resume(&gateway.stream_url(CHANNEL), &from.to_string()).await?;
    let (mut gaps, mut records) = (Vec::new(), Vec::new());
    loop {
        match reader.next().await?.event {
            ServerEvent::Gap(gap) => gaps.push(gap),
            ServerEvent::Log(record) => records.push(record),
            ServerEvent::CaughtUp(_) => return Ok((gaps, records)),
            _ => {}
        }
    }
}

fn ensure_gap(gaps: &[Gap], from: RecordId, until: RecordId) -> Result<()> {
    let [gap] = gaps else {
        anyhow::bail!("{gaps:?} are not one gap");
    };
    ensure!(
        gap.reason == GapReason::Retention && gap.from == from && from < gap.to && gap.to <= until,
        "{gap:?} is not from {from} to at most {until}"
    );
    Ok(())
}

#[tokio::test]
async fn of_each_channel_the_newest_records_stay_and_who_comes_too_late_is_told() -> Result<()> {
    let mut gateway = TestGateway::start_with(&[("RETENTION_RECORDS", "100")]).await?;
    let (first, _) = publish(&gateway, CHANNEL, 50).await?;
    let (_, last) = publish(&gateway, CHANNEL, 500).await?;
    publish(&gateway, "logs:etl:other", 50).await?;
    for after in ["the sweep", "kill -9"] {
        let left = eventually(format!("100 records after {after}"), SOON, async || {
            let overview = overview(&gateway, CHANNEL).await?.context("it is gone")?;
            Ok((overview.records == 100).then_some(overview))
        })
        .await?;
        let (gaps, records) = resumed(&gateway, first).await?;
        let messages: Vec<_> = records.iter().map(|record| &*record.entry.message).collect();
        let newest: Vec<_> = (400..500).map(|number: i32| number.to_string()).collect();
        assert_eq!(messages, newest, "after {after}");
        assert_eq!((left.first_id, left.last_id), (Some(records[0].id), Some(last)));
        ensure_gap(&gaps, first, records[0].id)?;
        assert_eq!(gateway.history(CHANNEL).await?, records);
        let other = overview(&gateway, "logs:etl:other")
            .await?
            .context("it is gone")?;
        assert_eq!(other.records, 50);
        gateway.kill().await?;
        gateway.restart().await?;
    }
    Ok(())
}

#[tokio::test]
async fn records_that_are_too_old_go_and_so_does_a_channel_without_any() -> Result<()> {
    let mut gateway = TestGateway::start_with(&[("RETENTION_AGE", "3s")]).await?;
    publish(&gateway, "logs:etl:quiet", 10).await?;
    let (first, old) = publish(&gateway, CHANNEL, 10).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (young, last) = publish(&gateway, CHANNEL, 20).await?;
    let left = eventually("the old ones are gone", SOON, async || {
        let overview = overview(&gateway, CHANNEL).await?.context("it is gone")?;
        Ok((overview.records <= 20).then_some(overview))
    })
    .await?;
    assert_eq!(
        (left.records, left.first_id, left.last_id),
        (20, Some(young), Some(last))
    );
    let (gaps, records) = resumed(&gateway, first).await?;
    assert_eq!(records.len(), 20);
    ensure_gap(&gaps, first, young)?;
    // Who has read all that went has missed nothing.
    assert_eq!(resumed(&gateway, old).await?.0, []);

    let none = async || Ok(gateway.channels().await?.is_empty().then_some(()));
    eventually("no channel is left", SOON, none).await?;
    for after in ["the sweep", "kill -9"] {
        let (gaps, records) = resumed(&gateway, first).await?;
        assert_eq!(records, [], "after {after}");
        ensure_gap(&gaps, first, RecordId::new(last.ms + 1, 0))?;
        gateway.kill().await?;
        gateway.restart().await?;
    }
    let (again, _) = publish(&gateway, CHANNEL, 30).await?;
    ensure!(again > last, "{again} is not after {last}");
    Ok(())
}

/// Bytes that the files in a folder take on disk.
fn du(dir: &Path) -> Result<u64> {
    use std::os::unix::fs::MetadataExt;
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        // A file may go between two looks.
        let Ok(metadata) = fs::symlink_metadata(&path) else {
            continue;
        };
        bytes += metadata.blocks() * 512;
        if metadata.is_dir() {
            bytes += du(&path).unwrap_or(0);
        }
    }
    Ok(bytes)
}

#[tokio::test]
async fn the_folder_does_not_grow_with_what_is_published() -> Result<()> {
    const MIB: u64 = 1 << 20;
    const KEPT: u64 = 8 * MIB;
    const PUBLISHED: u64 = 1_000 * MIB;
    const RECORD: usize = 4_000;
    const BATCH: usize = 1_000;
    // The store's journal may have 64 MiB, and what is no longer kept stays in its tables until it tidies them up:
    // about 180 MiB have been seen, whatever was published.
    const MOST: u64 = 400 * MIB;

    let mut gateway = TestGateway::start_with(&[("RETENTION_BYTES", "8MiB")]).await?;
    let (publisher, data) = (gateway.publisher(), gateway.data_dir());
    // Text that does not pack well, of which each record has a piece.
    let mut rng = Rng::with_seed(0);
    let text: String = (0..4 * MIB).map(|_| rng.alphanumeric()).collect();
    let (mut published, mut peak, mut channels) = (0, 0, (0..20).cycle());
    while published < PUBLISHED {
        let channel = format!("logs:etl:workspace123:run{}", channels.next().unwrap_or(0));
        let mut piece = || {
            let start = rng.usize(..text.len() - RECORD);
            json!(text[start..start + RECORD])
        };
        let records: Vec<Value> = (0..BATCH).map(|_| piece()).collect();
        publisher
            .publish_batch(&channel.parse()?, &records, &published.to_string())
            .await?;
        published += (BATCH * RECORD) as u64;
        peak = peak.max(du(&data)?);
    }
    let little = async || {
        let kept = gateway.stats().await?.kept_bytes;
        Ok((kept <= KEPT + KEPT / 8).then_some(kept))
    };
    let kept = eventually("retention has done its work", SOON, little).await?;
    let end = du(&data)?;
    gateway.stop().await?;
    gateway.restart().await?;
    let restarted = du(&data)?;
    println!(
        "{} MiB published, {} KiB kept; the folder: {} MiB at most, {} MiB at the end, {} MiB after a restart",
        published / MIB,
        kept / 1024,
        peak / MIB,
        end / MIB,
        restarted / MIB,
    );
    ensure!(peak < MOST, "{peak} bytes");
    assert_eq!(gateway.stats().await?.kept_bytes, kept);
    let channels = gateway.channels().await?;
    let records: usize = channels.iter().map(|channel| channel.records).sum();
    assert_eq!(
        gateway.history("logs:etl:workspace123:*").await?.len(),
        records,
        "what the overview says is what there is"
    );
    Ok(())
}
