//! How fast records are delivered.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use logs_shared::api::STREAM_PATH;
use tokio::{sync::mpsc, task::JoinSet, time::timeout};

use super::{
    super::{per_second, tally::Tally},
    publishing::publish,
    setup::Setup,
};

const READERS: usize = 60;
/// How many of them read one channel.
const READERS_A_CHANNEL: usize = 20;
const BATCH: u64 = 100;
/// Batches a channel.
const BATCHES: u64 = 100;
const PATIENCE: Duration = Duration::from_secs(60);

/// Records a second that reach readers, who are spread over the gateways and each read one channel of three: until the last has all.
pub(super) async fn delivered(setup: &Setup) -> Result<f64> {
    let urls = setup.urls();
    let http = reqwest::Client::builder().build()?;
    let expected = BATCH * BATCHES;
    let (opened, mut open) = mpsc::channel(READERS);
    let mut readers = JoinSet::new();
    for reader in 0..READERS {
        let channel = reader / READERS_A_CHANNEL;
        let url = &urls[reader % urls.len()];
        let request = http.get(format!(
            "{url}{STREAM_PATH}?channels=logs:etl:measure:part{channel}"
        ));
        let opened = opened.clone();
        readers.spawn(async move {
            let mut tally = Tally::default();
            let mut is_told = false;
            let is_enough = |tally: &Tally| tally.records >= expected;
            tally
                .read_and(request, is_enough, |tally| {
                    if tally.caught_up.is_some() && !is_told {
                        is_told = true;
                        // Who counts them is there until all are.
                        let _ = opened.try_send(());
                    }
                })
                .await
                .with_context(|| format!("reader {reader}, after {} records", tally.records))
        });
    }
    for _ in 0..READERS {
        timeout(PATIENCE, open.recv())
            .await
            .context("a stream is not open")?;
    }
    let started = Instant::now();
    let mut publishers = JoinSet::new();
    for channel in 0..READERS / READERS_A_CHANNEL {
        let (http, url) = (http.clone(), urls[channel % urls.len()].clone());
        publishers.spawn(async move {
            for _ in 0..BATCHES {
                publish(&http, &url, channel, usize::try_from(BATCH)?).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(publisher) = publishers.join_next().await {
        publisher??;
    }
    let all = async {
        while let Some(reader) = readers.join_next().await {
            reader??;
        }
        anyhow::Ok(())
    };
    timeout(PATIENCE, all)
        .await
        .context("not everything was delivered")??;
    Ok(per_second(expected * READERS as u64, started.elapsed()))
}
