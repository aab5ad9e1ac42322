//! How soon a reader that comes back has caught up while publishing goes on.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use fastrand::Rng;
use logs_shared::api::LAST_EVENT_ID_HEADER;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{CHANNEL, MESSAGE_BYTES, filler::Filler, tally::Tally, with_gateway};
use crate::{SseReader, TestGateway};

const PER_SECOND: u64 = 1_000;
const BATCH: u64 = 10;
/// So many arrive while it reads.
const ARRIVING: u64 = 5 * PER_SECOND;
const PATIENCE: Duration = Duration::from_secs(120);

/// A reader comes back so many records behind, while 1,000 a second keep arriving: the time until it has caught up.
///
/// # Errors
/// The gateway fails, or the reader does not get everything once and in order.
pub async fn behind(records: u64) -> Result<()> {
    with_gateway(async |gateway| come_back(gateway, records).await).await
}

async fn come_back(gateway: &TestGateway, records: u64) -> Result<()> {
    let filler = Filler::new(gateway, vec![CHANNEL.to_owned()], MESSAGE_BYTES)?;
    let url = gateway.stream_url(CHANNEL);
    let mut reader = SseReader::open(&url).await?;
    filler.publish_batch(&mut Rng::new(), 1).await?;
    reader.next_record().await?;
    let cursor = reader.last_event_id().to_owned();
    drop(reader);
    filler.publish(records).await?;

    let arriving = tokio::spawn(async move {
        let mut tick = interval(Duration::from_millis(1_000 * BATCH / PER_SECOND));
        tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut rng = Rng::new();
        for _ in 0..ARRIVING / BATCH {
            tick.tick().await;
            filler.publish_batch(&mut rng, BATCH).await?;
        }
        anyhow::Ok(())
    });

    let http = reqwest::Client::builder().build()?;
    let request = http.get(&url).header(LAST_EVENT_ID_HEADER, &cursor);
    let all = records + ARRIVING;
    let mut tally = Tally::default();
    let started = Instant::now();
    timeout(PATIENCE, tally.read(request, |tally| tally.records >= all))
        .await
        .with_context(|| format!("{} of {all} records came", tally.records))??;
    arriving.await??;
    let caught_up = tally.caught_up.context("it never had caught up")?;
    println!(
        "behind: {records} records behind, {PER_SECOND}/s arriving: caught up after {} ms and {} records; \
         all {all} came once and in order",
        caught_up.at.duration_since(started).as_millis(),
        caught_up.records
    );
    Ok(())
}
