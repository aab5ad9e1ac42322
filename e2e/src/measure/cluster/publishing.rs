//! How fast records are taken.

use std::{
    fmt::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use bytes::Bytes;
use logs_shared::api::{JSON_TYPE, NDJSON_TYPE, PUBLISH_PATH, SERVICE_TOKEN_HEADER};
use reqwest::header::CONTENT_TYPE;
use tokio::task::JoinSet;

use super::{
    super::{MESSAGE_BYTES, per_second},
    setup::{CHANNELS, Setup},
};
use crate::gateway::TOKEN;

/// How long it is measured.
const TIME: Duration = Duration::from_secs(4);

/// How fast records were taken, and what that cost.
pub(super) struct Rate {
    pub(super) per_second: f64,
    /// Processor time of all gateways for 1,000 records, in milliseconds.
    pub(super) gateways_ms: f64,
    /// The same of Redis.
    pub(super) redis_ms: Option<f64>,
}

/// Publishes as fast as the gateways take it, so many records together, and to all gateways alike.
pub(super) async fn published(setup: &Setup, together: usize) -> Result<Rate> {
    let publishers = if together == 1 { 48 } else { 12 };
    let (records, before, started) = (Arc::new(AtomicU64::new(0)), setup.cpu_seconds()?, Instant::now());
    let urls = setup.urls();
    let mut tasks = JoinSet::new();
    for publisher in 0..publishers {
        let url = urls[publisher % urls.len()].clone();
        let records = records.clone();
        tasks.spawn(async move {
            let http = reqwest::Client::builder().build()?;
            for turn in 0.. {
                if started.elapsed() >= TIME {
                    break;
                }
                let channel = (publisher + turn * 7) % CHANNELS;
                publish(&http, &url, channel, together).await?;
                records.fetch_add(together as u64, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    let took = started.elapsed();
    let after = setup.cpu_seconds()?;
    let records = records.load(Ordering::Relaxed);
    let per_thousand = |seconds: f64| seconds * 1e6 / per_second(records, Duration::from_secs(1));
    Ok(Rate {
        per_second: per_second(records, took),
        gateways_ms: per_thousand(after.0 - before.0),
        redis_ms: before
            .1
            .zip(after.1)
            .map(|(before, after)| per_thousand(after - before)),
    })
}

/// Publishes records of one channel, together.
pub(super) async fn publish(
    http: &reqwest::Client,
    url: &str,
    channel: usize,
    together: usize,
) -> Result<()> {
    let mut body = String::new();
    let message = "m".repeat(MESSAGE_BYTES);
    for _ in 0..together {
        // Writing to a text does not fail.
        let _ = writeln!(
            body,
            r#"{{"channel":"logs:etl:measure:part{channel}","logData":{{"message":"{message}"}}}}"#
        );
    }
    let kind = if together == 1 { JSON_TYPE } else { NDJSON_TYPE };
    let request = http
        .post(format!("{url}{PUBLISH_PATH}"))
        .header(SERVICE_TOKEN_HEADER, TOKEN)
        .header(CONTENT_TYPE, kind)
        .body(Bytes::from(body));
    let answer = request.send().await?;
    let (status, text) = (answer.status(), answer.text().await?);
    ensure!(status.is_success(), "the gateway answered {status}: {text}");
    Ok(())
}
