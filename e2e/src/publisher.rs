//! [`Publisher`]: somebody who publishes, and is told what became of it.

use anyhow::Result;
use logs_shared::{
    Channel, Problem, RecordId,
    api::{IDEMPOTENCY_KEY_HEADER, JSON_TYPE, NDJSON_TYPE, PUBLISH_PATH, SERVICE_TOKEN_HEADER},
    publish::{BatchAnswer, PublishAnswer},
};
use reqwest::{RequestBuilder, header::CONTENT_TYPE};
use serde_json::{Value, json};

/// Somebody who publishes, and is told what became of it. A clone shares the connections.
#[derive(Clone)]
pub struct Publisher {
    url: String,
    token: String,
    http: reqwest::Client,
}

/// What became of a publication.
#[derive(Clone, Debug)]
pub enum Published {
    /// It is stored, with this id.
    Stored(RecordId),
    /// The gateway refuses it and says why.
    Refused(Problem),
    /// There was no answer, or none that can be read.
    Unanswered(String),
}

impl Publisher {
    pub(crate) fn new(url: &str, token: &str) -> Self {
        Self {
            url: format!("{url}{PUBLISH_PATH}"),
            token: token.to_owned(),
            http: reqwest::Client::new(),
        }
    }

    /// Publishes a record under this name.
    pub async fn publish(&self, channel: &Channel, log_data: &Value, name: &str) -> Published {
        let body = json!({ "channel": channel, "logData": log_data }).to_string();
        let request = self.request(name).header(CONTENT_TYPE, JSON_TYPE).body(body);
        match answer(request).await {
            Ok((true, text)) => match serde_json::from_str::<PublishAnswer>(&text) {
                Ok(answer) => Published::Stored(answer.id),
                Err(error) => Published::Unanswered(format!("{error}: {text}")),
            },
            Ok((false, text)) => match serde_json::from_str(&text) {
                Ok(problem) => Published::Refused(problem),
                Err(error) => Published::Unanswered(format!("{error}: {text}")),
            },
            Err(error) => Published::Unanswered(format!("{error:#}")),
        }
    }

    /// Publishes records together, under this name.
    ///
    /// # Errors
    /// They are not all stored.
    pub async fn publish_batch(
        &self,
        channel: &Channel,
        log_data: &[Value],
        name: &str,
    ) -> Result<BatchAnswer> {
        let mut body = String::new();
        for log_data in log_data {
            body.push_str(&json!({ "channel": channel, "logData": log_data }).to_string());
            body.push('\n');
        }
        let request = self.request(name).header(CONTENT_TYPE, NDJSON_TYPE).body(body);
        let (success, text) = answer(request).await?;
        anyhow::ensure!(success, "the gateway refuses a batch: {text}");
        let answer: BatchAnswer = serde_json::from_str(&text)?;
        anyhow::ensure!(answer.accepted == log_data.len(), "a part was refused: {text}");
        Ok(answer)
    }

    fn request(&self, name: &str) -> RequestBuilder {
        self.http
            .post(&self.url)
            .header(SERVICE_TOKEN_HEADER, &self.token)
            .header(IDEMPOTENCY_KEY_HEADER, name)
    }
}

async fn answer(request: RequestBuilder) -> Result<(bool, String)> {
    let answer = request.send().await?;
    Ok((answer.status().is_success(), answer.text().await?))
}
