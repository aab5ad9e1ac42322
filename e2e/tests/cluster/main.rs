//! Several gateways that share Redis: a real redis-server, a real load balancer, the real binary.

mod delivery;
mod failover;
mod kills;
mod network;
mod one;
mod page;
mod rolling;
mod states;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use logs_e2e::TestGateway;
use logs_shared::api::{JSON_TYPE, PUBLISH_PATH, SERVICE_TOKEN_HEADER};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use serde_json::json;

const CHANNEL: &str = "logs:etl:workspace123:workflow456";
const SOON: Duration = Duration::from_secs(10);

/// What a gateway answered to a publication.
#[derive(Debug)]
struct Answer {
    status: u16,
    retry_after: Option<u64>,
    text: String,
    took: Duration,
}

/// Publishes once, without a name.
async fn try_to_publish(url: &str, message: &str) -> Result<Answer> {
    let started = Instant::now();
    let body = json!({ "channel": CHANNEL, "logData": message }).to_string();
    let answer = reqwest::Client::new()
        .post(format!("{url}{PUBLISH_PATH}"))
        .header(SERVICE_TOKEN_HEADER, "e2e-token")
        .header(CONTENT_TYPE, JSON_TYPE)
        .timeout(Duration::from_secs(10))
        .body(body)
        .send()
        .await?;
    let retry_after = answer.headers().get(RETRY_AFTER);
    Ok(Answer {
        status: answer.status().as_u16(),
        retry_after: retry_after.and_then(|value| value.to_str().ok()?.parse().ok()),
        text: answer.text().await?,
        took: started.elapsed(),
    })
}

/// Makes sure that a publication is refused in time, and that the publisher is told to try again.
async fn ensure_refused(gateway: &TestGateway) -> Result<Answer> {
    let answer = try_to_publish(&gateway.url(""), "refused").await?;
    ensure!(answer.status == 503 && answer.retry_after.is_some(), "{answer:?}");
    ensure!(answer.took < Duration::from_secs(5), "{answer:?}");
    Ok(answer)
}

/// What a gateway says of itself at a path, whatever the status.
async fn said_at(gateway: &TestGateway, path: &str) -> Result<String> {
    Ok(reqwest::get(gateway.url(path)).await?.text().await?)
}
