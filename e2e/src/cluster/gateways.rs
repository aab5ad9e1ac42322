//! [`Cluster`]: gateways with a load balancer in front.

use std::time::Duration;

use anyhow::{Context, Result};

use super::balancer::Balancer;
use crate::{TestGateway, deadline::eventually};

/// What is said of every gateway here: nothing is taken by retention, and whoever has a quiet channel moves on soon.
const SETTINGS: [(&str, &str); 5] = [
    ("RETENTION_RECORDS", "1000000000"),
    ("RETENTION_BYTES", "1TiB"),
    ("HEARTBEAT_MS", "500"),
    ("DRAIN_MS", "1500"),
    ("MAX_STREAMS_PER_USER", "10000"),
];
/// How long a gateway may take to be ready.
const READY: Duration = Duration::from_secs(20);

/// Gateways with a load balancer in front. They end with this value.
pub struct Cluster {
    /// In front of all of them.
    pub balancer: Balancer,
    /// Each has a port that stays its own.
    pub gateways: Vec<TestGateway>,
}

impl Cluster {
    /// One gateway for each of these addresses of Redis, with these settings too, and haproxy in front. Waits until all are ready.
    ///
    /// # Errors
    /// One does not start or does not become ready; with what it says.
    pub async fn start(redis: &[String], settings: &[(&str, &str)]) -> Result<Self> {
        let gateways = start_gateways(redis, settings).await?;
        let balancer = Balancer::haproxy(&urls(&gateways), None).await?;
        Ok(Self { balancer, gateways })
    }

    /// As [`Self::start`], with nginx in front.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_behind_nginx(redis: &[String], settings: &[(&str, &str)]) -> Result<Self> {
        let gateways = start_gateways(redis, settings).await?;
        let balancer = Balancer::nginx(&urls(&gateways)).await?;
        Ok(Self { balancer, gateways })
    }

    /// The addresses of its gateways.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        urls(&self.gateways)
    }

    /// The addresses of its gateways, this one first.
    #[must_use]
    pub fn urls_from(&self, first: usize) -> Vec<String> {
        let mut urls = self.urls();
        let first = first % urls.len();
        urls.rotate_left(first);
        urls
    }

    /// Where the nth of many comes in: one in three at the balancer, the others at a gateway each, from which they go on to the next.
    #[must_use]
    pub fn urls_of(&self, nth: usize) -> Vec<String> {
        match nth % 3 {
            0 => vec![self.balancer.url("")],
            _ => self.urls_from(nth),
        }
    }

    /// Waits until every gateway is ready.
    ///
    /// # Errors
    /// One is not in time; with what it says.
    pub async fn is_ready(&self) -> Result<()> {
        for gateway in &self.gateways {
            is_ready(gateway).await?;
        }
        Ok(())
    }

    /// An error where a thread of a gateway has panicked, or a gateway has ended by itself.
    ///
    /// # Errors
    /// That.
    pub fn ensure_well(&mut self) -> Result<()> {
        for gateway in &mut self.gateways {
            gateway.ensure_running()?;
            if let Some(line) = gateway.printed("panicked at") {
                anyhow::bail!("in a gateway {line}");
            }
        }
        Ok(())
    }
}

/// Waits until a gateway is ready.
///
/// # Errors
/// It is not in time; with what it says.
pub async fn is_ready(gateway: &TestGateway) -> Result<()> {
    let mut last = None;
    eventually("the gateway is ready", READY, async || {
        last = gateway
            .trouble()
            .await
            .unwrap_or_else(|error| Some(format!("{error:#}")));
        Ok(last.is_none().then_some(()))
    })
    .await
    .with_context(|| format!("it says {last:?}"))
}

async fn start_gateways(redis: &[String], settings: &[(&str, &str)]) -> Result<Vec<TestGateway>> {
    let mut gateways = Vec::new();
    for url in redis {
        let own = [("REDIS_URL", url.as_str())];
        let settings: Vec<_> = SETTINGS.iter().chain(&own).chain(settings).copied().collect();
        gateways.push(TestGateway::start_with(&settings).await?);
    }
    for gateway in &gateways {
        is_ready(gateway).await?;
    }
    Ok(gateways)
}

fn urls(gateways: &[TestGateway]) -> Vec<String> {
    gateways.iter().map(|gateway| gateway.url("")).collect()
}
