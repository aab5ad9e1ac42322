//! How soon a gateway is ready again.

use std::{
    fs, io,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use logs_shared::api::HEALTH_READY_PATH;
use tokio::time::sleep;

use super::{filler::Filler, mib, per_second, with_gateway};
use crate::TestGateway;

/// A million of these are about 1 GiB.
const MESSAGE_BYTES: usize = 900;
const CHANNELS: u64 = 10;
const PATIENCE: Duration = Duration::from_secs(300);
/// Far below what there is to measure.
const AGAIN: Duration = Duration::from_millis(2);

/// Fills a gateway with so many records of 1 KiB, kills it, and measures the time from its start until it is ready;
/// and again after a polite stop.
///
/// # Errors
/// The gateway fails, or does not have every record afterwards.
pub async fn recovery(records: u64) -> Result<()> {
    with_gateway(async |gateway| fill_and_end(gateway, records).await).await
}

async fn fill_and_end(gateway: &mut TestGateway, records: u64) -> Result<()> {
    let channels = (0..CHANNELS).map(|number| format!("logs:etl:measure:part{number}"));
    let took = Filler::new(gateway, channels.collect(), MESSAGE_BYTES)?
        .publish(records)
        .await?;
    println!(
        "recovery: {records} records of 1 KiB published at {:.0}/s, {} MiB on disk, memory {} MiB",
        per_second(records, took),
        mib(size(gateway.dir())?),
        mib(gateway.memory()?.now)
    );

    gateway.kill().await?;
    start_again(gateway, "kill -9", records).await?;

    let asked = Instant::now();
    gateway.stop().await?;
    println!("recovery: a polite stop took {} ms", asked.elapsed().as_millis());
    start_again(gateway, "a polite stop", records).await
}

async fn start_again(gateway: &mut TestGateway, after: &str, records: u64) -> Result<()> {
    let started = Instant::now();
    gateway.respawn()?;
    let http = reqwest::Client::builder().build()?;
    loop {
        let answer = http.get(gateway.url(HEALTH_READY_PATH)).send().await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            break;
        }
        ensure!(started.elapsed() < PATIENCE, "not ready within {PATIENCE:?}");
        sleep(AGAIN).await;
    }
    let took = started.elapsed();
    let stats = gateway.stats().await?;
    let kept: usize = stats.by_channel.iter().map(|channel| channel.records).sum();
    println!(
        "recovery: ready {} ms after the start that followed {after}, memory {} MiB",
        took.as_millis(),
        mib(gateway.memory()?.now)
    );
    ensure!(
        kept as u64 == records,
        "of {records} records {kept} are there after {after}"
    );
    Ok(())
}

/// The bytes of all files below a folder.
fn size(dir: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let entry = entry?;
        bytes += match entry.metadata() {
            Ok(data) if data.is_dir() => size(&entry.path())?,
            Ok(data) => data.len(),
            // The gateway is running, and what it has no need for goes.
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error.into()),
        };
    }
    Ok(bytes)
}
