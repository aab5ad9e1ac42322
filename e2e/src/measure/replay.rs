//! How fast the past is read.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use logs_shared::{
    api::{HISTORY_PATH, NDJSON_TYPE},
    history::MAX_LIMIT,
};
use reqwest::header::ACCEPT;

use super::{CHANNEL, MESSAGE_BYTES, filler::Filler, mib, per_second, tally::Tally, with_gateway};
use crate::TestGateway;

/// A pattern that chooses all channels that are not [`CHANNEL`].
const MANY: &str = "logs:faas:measure:*";
const MANY_CHANNELS: u64 = 10;

/// Publishes so many records to one channel, and again to ten, and reads each as a stream from the start and as
/// history.
///
/// # Errors
/// The gateway fails, or does not give every record once and in order.
pub async fn replay(records: u64) -> Result<()> {
    with_gateway(async |gateway| publish_and_read(gateway, records).await).await
}

async fn publish_and_read(gateway: &TestGateway, records: u64) -> Result<()> {
    let one = "1 channel";
    fill(gateway, one, vec![CHANNEL.to_owned()], records).await?;
    read_stream(gateway, one, CHANNEL, records).await?;
    read_history(gateway, one, CHANNEL, records).await?;
    let many = (0..MANY_CHANNELS).map(|number| format!("logs:faas:measure:part{number}"));
    let ten = format!("{MANY_CHANNELS} channels");
    fill(gateway, &ten, many.collect(), records).await?;
    read_stream(gateway, &ten, MANY, records).await?;
    read_history(gateway, &ten, MANY, records).await
}

async fn fill(gateway: &TestGateway, what: &str, channels: Vec<String>, records: u64) -> Result<()> {
    let took = Filler::new(gateway, channels, MESSAGE_BYTES)?
        .publish(records)
        .await?;
    println!(
        "replay: {records} records published to {what} at {:.0}/s",
        per_second(records, took)
    );
    Ok(())
}

async fn read_stream(gateway: &TestGateway, what: &str, channels: &str, records: u64) -> Result<()> {
    let http = reqwest::Client::builder().build()?;
    let url = format!("{}&since=0-0", gateway.stream_url(channels));
    let mut tally = Tally::default();
    let started = Instant::now();
    tally
        .read(http.get(url), |tally| tally.caught_up.is_some())
        .await?;
    let caught_up = tally.caught_up.context("the stream ended")?;
    ensure!(
        caught_up.records == records,
        "{} of {records} records came",
        caught_up.records
    );
    say("stream since=0-0", what, &tally, started);
    Ok(())
}

async fn read_history(gateway: &TestGateway, what: &str, channels: &str, records: u64) -> Result<()> {
    let http = reqwest::Client::builder().build()?;
    let mut tally = Tally::default();
    let started = Instant::now();
    loop {
        let after = tally.last;
        let path = format!("{HISTORY_PATH}?channels={channels}&limit={MAX_LIMIT}&after={after}");
        let page = http.get(gateway.url(&path)).header(ACCEPT, NDJSON_TYPE);
        let before = tally.records;
        tally.read(page, |_| false).await?;
        if tally.records == before {
            break;
        }
    }
    ensure!(
        tally.records == records,
        "{} of {records} records came",
        tally.records
    );
    say("history, page by page", what, &tally, started);
    Ok(())
}

fn say(how: &str, what: &str, tally: &Tally, started: Instant) {
    let took = started.elapsed();
    println!(
        "replay: {how}, {what}: {} records in {:.2} s, {:.0} records/s, {:.0} MiB/s",
        tally.records,
        took.as_secs_f64(),
        per_second(tally.records, took),
        per_second(mib(tally.bytes), took)
    );
}
