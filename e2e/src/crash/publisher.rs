//! [`Publisher`]: publishes numbered records and sends each publication until it is acknowledged.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use fastrand::Rng;
use logs_shared::{
    Channel, RecordId,
    api::{IDEMPOTENCY_KEY_HEADER, JSON_TYPE, NDJSON_TYPE, SERVICE_TOKEN_HEADER},
    publish::{BatchAnswer, PublishAnswer},
};
use reqwest::{StatusCode, header::CONTENT_TYPE};
use tokio::{sync::watch, time::sleep};

use super::{
    ledger::{Acknowledged, Ledger},
    numbered::{Numbered, Sequence},
};
use crate::gateway::TOKEN;

/// A gateway that is running answers long before.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const LARGEST_BATCH: usize = 50;

/// One publisher: one publication after another, each with a key of its own, so that its records stay in order
/// and a repeat is known as one.
pub(crate) struct Publisher {
    pub(crate) publisher: u16,
    /// Where it publishes: each try at the next one.
    pub(crate) urls: Arc<[String]>,
    pub(crate) channels: Arc<[Channel]>,
    /// How long it waits after an answer.
    pub(crate) pause: Duration,
    pub(crate) rng: Rng,
    /// Whether every other publication is one record that is sent as such; otherwise all are batches.
    pub(crate) singles: bool,
    /// How many records it publishes, where it is not stopped before.
    pub(crate) records: usize,
    pub(crate) ledger: Arc<Ledger>,
    /// How often it has tried; where it begins.
    pub(crate) tries: usize,
    /// Turns true when it shall publish nothing more.
    pub(crate) stop: watch::Receiver<bool>,
}

/// What became of one try.
enum Tried {
    /// With the ids of the first and the last record.
    Acknowledged(RecordId, RecordId),
    /// No answer, or one that says so; the reason.
    TryAgain(String),
}

impl Publisher {
    /// Publishes until it shall stop and everything is acknowledged.
    ///
    /// # Errors
    /// The gateway refuses for good, or answers what is not true.
    pub(crate) async fn run(mut self) -> Result<()> {
        let http = reqwest::Client::builder().timeout(ANSWER_WITHIN).build()?;
        let mut next_numbers = vec![0; self.channels.len()];
        for publication in 0_u64.. {
            if *self.stop.borrow() || self.records == 0 {
                break;
            }
            let records = self.batch(publication, &mut next_numbers)?;
            self.records -= records.len();
            let ids = self
                .publish(&http, publication, &records)
                .await
                .with_context(|| format!("publisher {}, publication {publication}", self.publisher))?;
            self.ledger
                .acknowledge(self.publisher, Acknowledged { ids, records });
            sleep(self.pause).await;
        }
        Ok(())
    }

    /// The next 1 to 50 records; one time in four for several channels.
    fn batch(&mut self, publication: u64, next_numbers: &mut [u32]) -> Result<Box<[Numbered]>> {
        let count = if self.is_single(publication) {
            1
        } else {
            self.rng.usize(1..=LARGEST_BATCH).min(self.records)
        };
        let several = self.rng.u8(0..4) == 0;
        let mut place = self.rng.usize(..next_numbers.len());
        let mut records = Vec::with_capacity(count);
        for _ in 0..count {
            if several {
                place = self.rng.usize(..next_numbers.len());
            }
            let sequence = Sequence {
                publisher: self.publisher,
                channel: u16::try_from(place)?,
            };
            let number = next_numbers[place];
            records.push(Numbered { sequence, number });
            next_numbers[place] += 1;
        }
        Ok(records.into())
    }

    /// Sends it until it is acknowledged.
    async fn publish(
        &mut self,
        http: &reqwest::Client,
        publication: u64,
        records: &[Numbered],
    ) -> Result<(RecordId, RecordId)> {
        let key = format!("{}-{publication}", self.publisher);
        let lines: Vec<String> = records
            .iter()
            .map(|record| record.to_line(&self.channels))
            .collect();
        let body = bytes::Bytes::from(lines.join("\n"));
        let kind = if self.is_single(publication) {
            JSON_TYPE
        } else {
            NDJSON_TYPE
        };
        loop {
            match self.send(http, &key, kind, body.clone(), records.len()).await? {
                Tried::Acknowledged(first, last) => return Ok((first, last)),
                Tried::TryAgain(reason) => {
                    self.ledger.retry(self.publisher, reason);
                    sleep(Duration::from_millis(self.rng.u64(2..20))).await;
                }
            }
        }
    }

    async fn send(
        &mut self,
        http: &reqwest::Client,
        key: &str,
        kind: &str,
        body: bytes::Bytes,
        records: usize,
    ) -> Result<Tried> {
        let url = &self.urls[self.tries % self.urls.len()];
        self.tries += 1;
        let request = http
            .post(url)
            .header(SERVICE_TOKEN_HEADER, TOKEN)
            .header(IDEMPOTENCY_KEY_HEADER, key)
            .header(CONTENT_TYPE, kind)
            .body(body);
        let answer = async {
            let answer = request.send().await?;
            Ok::<_, reqwest::Error>((answer.status(), answer.text().await?))
        };
        Ok(match answer.await {
            Ok((StatusCode::OK, text)) => {
                let (first, last) =
                    ids(kind, &text, records).with_context(|| format!("it was answered {text:?}"))?;
                Tried::Acknowledged(first, last)
            }
            // Also what a load balancer says that has lost its gateway.
            Ok((
                StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT,
                text,
            )) => Tried::TryAgain(text),
            Ok((status, text)) => bail!("it was refused with {status}: {text}"),
            Err(error) => Tried::TryAgain(format!("{:#}", anyhow::Error::from(error))),
        })
    }

    const fn is_single(&self, publication: u64) -> bool {
        self.singles && publication.is_multiple_of(2)
    }
}

/// The ids of the first and the last of so many records that were sent.
fn ids(kind: &str, answer: &str, records: usize) -> Result<(RecordId, RecordId)> {
    if kind == JSON_TYPE {
        let PublishAnswer { id, .. } = serde_json::from_str(answer)?;
        return Ok((id, id));
    }
    let answer: BatchAnswer = serde_json::from_str(answer)?;
    ensure!(
        answer.accepted == records && answer.rejected.is_empty(),
        "{records} records were sent"
    );
    Ok((answer.first_id, answer.last_id))
}
