//! How long a record takes from whoever publishes it to whoever reads it.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use logs_shared::{Channel, ServerEvent, api::STREAM_PATH};
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::{Published, Publisher, SseReader, gateway::TOKEN};

const RECORDS: u64 = 1_000;
const PER_SECOND: u64 = 250;
const PATIENCE: Duration = Duration::from_secs(60);

/// Times in milliseconds.
pub(super) struct Percentiles {
    p50: f64,
    p99: f64,
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} / {:.2}", self.p50, self.p99)
    }
}

/// The time from the beginning of a publication's request, at one gateway, until the record has come to a reader of the other: of one
/// at a time, 250 a second.
pub(super) async fn latency(publish_at: &str, read_at: &str) -> Result<Percentiles> {
    let channel: Channel = "logs:etl:measure:latency".parse()?;
    let mut reader = SseReader::open(&format!("{read_at}{STREAM_PATH}?channels={channel}")).await?;
    while !matches!(reader.next().await?.event, ServerEvent::CaughtUp(_)) {}
    let sent = Arc::<Mutex<HashMap<String, Instant>>>::default();
    let publisher = Publisher::new(publish_at, TOKEN);
    let noted = sent.clone();
    let publishing = tokio::spawn(async move {
        let mut ticks = interval(Duration::from_micros(1_000_000 / PER_SECOND));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for number in 0..RECORDS {
            ticks.tick().await;
            let message = number.to_string();
            let now = Instant::now();
            noted
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(message.clone(), now);
            let name = format!("latency-{}", fastrand::u64(..));
            let published = publisher.publish(&channel, &json!(message), &name).await;
            anyhow::ensure!(matches!(published, Published::Stored(_)), "{published:?}");
        }
        anyhow::Ok(())
    });
    let mut times = Vec::new();
    let reading = async {
        for _ in 0..RECORDS {
            let record = reader.next_record().await?;
            let now = Instant::now();
            let sent = sent
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&record.message);
            times.push(now.duration_since(sent.context("a record that nobody sent")?));
        }
        anyhow::Ok(())
    };
    timeout(PATIENCE, reading)
        .await
        .context("not every record came")??;
    publishing.await??;
    times.sort_unstable();
    let within = |percent: usize| {
        let place = (times.len() * percent / 100).min(times.len() - 1);
        times[place].as_secs_f64() * 1e3
    };
    Ok(Percentiles {
        p50: within(50),
        p99: within(99),
    })
}
