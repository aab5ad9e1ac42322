//! [`Filler`]: publishes many records.

use std::{
    fmt::Write,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use fastrand::Rng;
use logs_shared::{
    api::{NDJSON_TYPE, PUBLISH_PATH, SERVICE_TOKEN_HEADER},
    publish::BatchAnswer,
};
use reqwest::header::CONTENT_TYPE;
use tokio::task::JoinSet;

use crate::{TestGateway, gateway::TOKEN};

/// Publishers at once: while one waits for its answer another prepares its next batch.
const PUBLISHERS: u64 = 2;
const BATCH: u64 = 2_000;
/// Far more than what a store packs at once, so that no text comes again there.
const TEXT_BYTES: usize = 4 * 1024 * 1024;

/// Publishes records whose messages have so many bytes that do not pack well.
#[derive(Clone)]
pub(super) struct Filler {
    http: reqwest::Client,
    url: String,
    channels: Arc<[String]>,
    text: Arc<str>,
    message_bytes: usize,
}

impl Filler {
    /// For these channels, in turn.
    pub(super) fn new(gateway: &TestGateway, channels: Vec<String>, message_bytes: usize) -> Result<Self> {
        let mut rng = Rng::with_seed(0);
        let text: String = (0..TEXT_BYTES).map(|_| rng.alphanumeric()).collect();
        Ok(Self {
            http: reqwest::Client::builder().build()?,
            url: gateway.url(PUBLISH_PATH),
            channels: channels.into(),
            text: text.into(),
            message_bytes,
        })
    }

    /// Publishes so many records, as fast as the gateway takes them, and gives the time until the last was
    /// acknowledged.
    ///
    /// # Errors
    /// The gateway does not take all.
    pub(super) async fn publish(&self, records: u64) -> Result<Duration> {
        let started = Instant::now();
        let mut publishers = JoinSet::new();
        for publisher in 0..PUBLISHERS {
            let filler = self.clone();
            publishers.spawn(async move {
                let mut rng = Rng::with_seed(publisher);
                let mut left = records / PUBLISHERS + u64::from(publisher < records % PUBLISHERS);
                while left > 0 {
                    let batch = left.min(BATCH);
                    filler.publish_batch(&mut rng, batch).await?;
                    left -= batch;
                }
                anyhow::Ok(())
            });
        }
        while let Some(publisher) = publishers.join_next().await {
            publisher??;
        }
        Ok(started.elapsed())
    }

    /// Publishes one batch.
    ///
    /// # Errors
    /// As [`Self::publish`].
    pub(super) async fn publish_batch(&self, rng: &mut Rng, records: u64) -> Result<()> {
        let mut body = String::new();
        for (_, channel) in (0..records).zip(self.channels.iter().cycle()) {
            let from = rng.usize(..TEXT_BYTES - self.message_bytes);
            let message = &self.text[from..from + self.message_bytes];
            // Writing to a text does not fail.
            let _ = writeln!(
                body,
                r#"{{"channel":"{channel}","logData":{{"message":"{message}"}}}}"#
            );
        }
        let request = self
            .http
            .post(&self.url)
            .header(SERVICE_TOKEN_HEADER, TOKEN)
            .header(CONTENT_TYPE, NDJSON_TYPE)
            .body(body);
        let answer = request.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "the gateway answered {status}: {text}");
        let answer: BatchAnswer = serde_json::from_str(&text)?;
        ensure!(
            answer.accepted as u64 == records,
            "of {records} records {} were taken",
            answer.accepted
        );
        Ok(())
    }
}
