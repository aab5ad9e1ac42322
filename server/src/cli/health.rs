//! `logs-gateway health`: whether a gateway is well, for containers and scripts that have no HTTP client.

use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::http::{Request, StatusCode};
use bytes::Bytes;
use clap::Args;
use http_body_util::{BodyExt, Empty, Limited};
use logs_shared::{
    api::{DEFAULT_PORT, HEALTH_READY_PATH},
    overview::Health as Said,
};
use tokio::time::timeout;

use super::connector;
use crate::cause;

/// One look at a gateway.
#[derive(Args)]
pub struct Health {
    /// The gateway's address [default: http://127.0.0.1 and the port of PORT, or 3002]
    #[arg(long)]
    url: Option<String>,
    /// Where the gateway on this machine listens
    #[arg(long, env = "PORT", default_value_t = DEFAULT_PORT)]
    port: u16,
}

/// Longer than any gateway that is well needs.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// The answer is short; what is longer is none of ours.
const LONGEST_ANSWER: usize = 64 * 1024;

impl Health {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let base = self
            .url
            .unwrap_or_else(|| format!("http://127.0.0.1:{}", self.port));
        let base = base.trim_end_matches('/');
        let request = Request::builder()
            .uri(format!("{base}{HEALTH_READY_PATH}"))
            .body(Empty::<Bytes>::new())
            .with_context(|| format!("{base:?} is not a gateway's address"))?;
        let answer = timeout(ANSWER_WITHIN, ask(request));
        let (status, body) = match answer.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => bail!("{base} does not answer: {error}"),
            Err(_) => bail!("{base} does not answer within {} s", ANSWER_WITHIN.as_secs()),
        };
        let Ok(said) = serde_json::from_slice::<Said>(&body) else {
            bail!("{base} answers {status}, and not as a logs gateway does: is the address right?");
        };
        if status != StatusCode::OK {
            bail!("{base} is not ready: {}", said.reason.unwrap_or(said.status));
        }
        println!(
            "{base} is ready: version {}, {} streams, {} channels, up for {} s",
            said.version, said.connections, said.channels, said.uptime_s
        );
        Ok(())
    }
}

async fn ask(request: Request<Empty<Bytes>>) -> Result<(StatusCode, Bytes), String> {
    let response = connector::client().request(request).await;
    let response = response.map_err(|error| cause::innermost(&error))?;
    let status = response.status();
    let body = Limited::new(response.into_body(), LONGEST_ANSWER).collect().await;
    let body = body.map_err(|error| error.to_string())?;
    Ok((status, body.to_bytes()))
}
