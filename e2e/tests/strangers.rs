//! What strangers can do to those who mean well.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use logs_e2e::{SseReader, Strangers, TestGateway, eventually};
use serde_json::json;
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval},
};

const CHANNEL: &str = "logs:etl:workspace123:workflow456";
const READERS: usize = 50;
const PER_SECOND: u32 = 100;
/// Longer than a body may come too slowly.
const RECORDS: u32 = 24 * PER_SECOND;
const FILLER_BYTES: usize = 1_000;
const SOON: Duration = Duration::from_secs(20);

const SLOW_HEADS: usize = 500;
const SLOW_BODIES: usize = 50;
const NEVER_READ: usize = 500;
/// What one who never reads may cost the gateway, beside what the system keeps for its socket.
const MOST_BYTES_EACH: u64 = 96 * 1024;
/// What the records themselves may cost: tails, and what is not yet in tables on disk.
const RECORDS_BYTES: u64 = 64 * 1024 * 1024;

#[tokio::test]
async fn a_thousand_strangers_are_cut_or_bounded_and_readers_get_every_record_in_order() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        let mut reader = SseReader::open(&gateway.stream_url(CHANNEL)).await?;
        reader.next().await?;
        readers.spawn(async move {
            for number in 0..RECORDS {
                let record = reader.next_record().await?;
                let message = &record.entry.message;
                ensure!(
                    *message == number.to_string(),
                    "{message} came instead of {number}"
                );
            }
            anyhow::Ok(())
        });
    }
    let before = gateway.memory()?.now;
    let never_read = Strangers::who_never_read(&gateway, CHANNEL, NEVER_READ).await?;
    let slow_heads = Strangers::with_slow_heads(&gateway, SLOW_HEADS, false)?;
    let slow_bodies = Strangers::with_slow_bodies(&gateway, SLOW_BODIES)?;

    let filler = "x".repeat(FILLER_BYTES);
    let mut tick = interval(Duration::from_secs(1) / PER_SECOND);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let started = Instant::now();
    for number in 0..RECORDS {
        tick.tick().await;
        let log_data = json!({ "message": number.to_string(), "filler": filler });
        gateway.publish(&CHANNEL.parse()?, log_data).await?;
    }
    println!("{RECORDS} records in {:.1?}", started.elapsed());
    while let Some(reader) = readers.join_next().await {
        reader?.context("a reader")?;
    }
    let grown = gateway.memory()?.now.saturating_sub(before);
    println!("memory grew by {} MiB", grown / (1024 * 1024));

    let all_cut = async || Ok((slow_heads.cut().len() == SLOW_HEADS).then_some(()));
    eventually("who sends a head byte by byte is cut", SOON, all_cut).await?;
    for cut in slow_heads.cut() {
        let time = Duration::from_secs(9)..Duration::from_secs(14);
        assert!(time.contains(&cut.after), "{cut:?}");
    }
    let all_cut = async || Ok((slow_bodies.cut().len() == SLOW_BODIES).then_some(()));
    eventually("who sends a body byte by byte is cut", SOON, all_cut).await?;
    for cut in slow_bodies.cut() {
        let is_refusal = cut.answer.starts_with("HTTP/1.1 408 ") && cut.answer.contains("body_too_slow");
        assert!(is_refusal, "{cut:?}");
    }
    let most = RECORDS_BYTES + MOST_BYTES_EACH * NEVER_READ as u64;
    assert!(grown < most, "memory grew by {grown} bytes, more than {most}");
    drop(never_read);
    Ok(())
}
