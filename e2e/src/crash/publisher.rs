//! [`Publisher`]: publishes numbered records and sends each publication until it is acknowledged.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use fastrand::Rng;
use logs_shared::{
    Channel,
    api::{IDEMPOTENCY_KEY_HEADER, NDJSON_TYPE, SERVICE_TOKEN_HEADER},
    publish::BatchAnswer,
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
pub(super) struct Publisher {
    pub(super) publisher: u16,
    pub(super) url: String,
    pub(super) channels: Arc<[Channel]>,
    /// How long it waits after an answer.
    pub(super) pause: Duration,
    pub(super) rng: Rng,
    pub(super) ledger: Arc<Ledger>,
    /// Turns true when it shall publish nothing more.
    pub(super) stop: watch::Receiver<bool>,
}

/// What became of one try.
enum Tried {
    Acknowledged(BatchAnswer),
    /// No answer, or one that says so; the reason.
    TryAgain(String),
}

impl Publisher {
    /// Publishes until it shall stop and everything is acknowledged.
    ///
    /// # Errors
    /// The gateway refuses for good, or answers what is not true.
    pub(super) async fn run(mut self) -> Result<()> {
        let http = reqwest::Client::builder().timeout(ANSWER_WITHIN).build()?;
        let mut next_numbers = vec![0; self.channels.len()];
        for publication in 0_u64.. {
            if *self.stop.borrow() {
                break;
            }
            let records = self.batch(&mut next_numbers)?;
            let answer = self
                .publish(&http, publication, &records)
                .await
                .with_context(|| format!("publisher {}, publication {publication}", self.publisher))?;
            let ids = (answer.first_id, answer.last_id);
            self.ledger
                .acknowledge(self.publisher, Acknowledged { ids, records });
            sleep(self.pause).await;
        }
        Ok(())
    }

    /// The next 1 to 50 records; one time in four for several channels.
    fn batch(&mut self, next_numbers: &mut [u32]) -> Result<Box<[Numbered]>> {
        let count = self.rng.usize(1..=LARGEST_BATCH);
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
    ) -> Result<BatchAnswer> {
        let key = format!("{}-{publication}", self.publisher);
        let lines: Vec<String> = records
            .iter()
            .map(|record| record.to_line(&self.channels))
            .collect();
        let body = bytes::Bytes::from(lines.join("\n"));
        loop {
            match self.send(http, &key, body.clone()).await? {
                Tried::Acknowledged(answer) => {
                    ensure!(
                        answer.accepted == records.len() && answer.rejected.is_empty(),
                        "{} records were sent and the answer is {answer:?}",
                        records.len()
                    );
                    return Ok(answer);
                }
                Tried::TryAgain(reason) => {
                    self.ledger.retry(self.publisher, reason);
                    sleep(Duration::from_millis(self.rng.u64(2..20))).await;
                }
            }
        }
    }

    async fn send(&self, http: &reqwest::Client, key: &str, body: bytes::Bytes) -> Result<Tried> {
        let request = http
            .post(&self.url)
            .header(SERVICE_TOKEN_HEADER, TOKEN)
            .header(IDEMPOTENCY_KEY_HEADER, key)
            .header(CONTENT_TYPE, NDJSON_TYPE)
            .body(body);
        let answer = async {
            let answer = request.send().await?;
            Ok::<_, reqwest::Error>((answer.status(), answer.text().await?))
        };
        Ok(match answer.await {
            Ok((StatusCode::OK, text)) => Tried::Acknowledged(
                serde_json::from_str(&text).with_context(|| format!("it was answered {text:?}"))?,
            ),
            Ok((StatusCode::SERVICE_UNAVAILABLE, text)) => Tried::TryAgain(text),
            Ok((status, text)) => bail!("it was refused with {status}: {text}"),
            Err(error) => Tried::TryAgain(format!("{:#}", anyhow::Error::from(error))),
        })
    }
}
