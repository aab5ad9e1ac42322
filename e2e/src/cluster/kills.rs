//! [`Kills`]: gateways and Redis are killed again and again while everybody goes on.

use std::time::Duration;

use anyhow::{Context, Result};
use fastrand::Rng;
use tokio::time::sleep;

use super::{Cluster, Load, LoadReport, Redis};
use crate::Counts;

/// How long publishing may take to go on after a kill.
const GOES_ON: Duration = Duration::from_secs(30);
/// How long the last records may take to everybody.
const FINISH: Duration = Duration::from_secs(60);

/// Gateways and Redis are killed again and again, with `kill -9`, while publishers and readers go on.
#[derive(Clone, Copy, Debug)]
pub struct Kills {
    /// How often.
    pub rounds: u32,
    /// Who.
    pub victims: Victims,
    /// How many gateways there are; they are killed in turn.
    pub gateways: usize,
    /// How many read.
    pub readers: usize,
    /// To how many channels is published.
    pub channels: u16,
    /// Redis's `appendfsync`.
    pub appendfsync: &'static str,
}

/// Who is killed in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victims {
    /// The next gateway.
    Gateways,
    /// Redis.
    Redis,
    /// The next gateway, and Redis after it.
    GatewaysAndRedis,
}

impl Default for Kills {
    /// Ten rounds with three gateways, and with Redis, whose files have every record before it is acknowledged.
    fn default() -> Self {
        Self {
            rounds: 10,
            victims: Victims::GatewaysAndRedis,
            gateways: 3,
            readers: 40,
            channels: 12,
            appendfsync: "always",
        }
    }
}

impl Kills {
    /// Runs it. `each_round` is told after each round how many there were and what was acknowledged so far.
    ///
    /// # Errors
    /// A program does not start again or ends by itself, publishing does not go on, or what is acknowledged does not arrive. A record
    /// that is lost, repeated or out of order is no error here: the report tells.
    pub async fn run(self, mut each_round: impl FnMut(u32, Counts)) -> Result<LoadReport> {
        let appendfsync = format!("appendfsync {}", self.appendfsync);
        let mut redis = Redis::start(&["appendonly yes", &appendfsync]).await?;
        let urls = vec![redis.url(); self.gateways];
        let mut cluster = Cluster::start(&urls, &[]).await?;
        let mut load = Load::new("kills", self.channels)?;
        load.read_all_ways(self.readers, |reader| cluster.urls_of(reader));
        load.has_begun().await?;
        for publisher in 0..4 {
            load.publish(&cluster.urls_of(publisher), usize::MAX, Duration::from_millis(20));
        }
        let mut rng = Rng::new();
        let mut pause = async move || sleep(Duration::from_millis(rng.u64(0..300))).await;
        for round in 1..=self.rounds {
            load.goes_on(100, GOES_ON)
                .await
                .with_context(|| format!("round {round}"))?;
            cluster.ensure_well()?;
            pause().await;
            let next = round as usize % self.gateways;
            let kills_gateway = self.victims != Victims::Redis;
            // By turns before Redis, and after it: then the dead one's readers come to the others while these make up for what they
            // missed.
            let is_first = round % 2 == 0;
            if kills_gateway && is_first {
                cluster.gateways[next].kill().await?;
                load.note(&format!("gateway {next} killed"));
                pause().await;
            }
            if self.victims != Victims::Gateways {
                redis.kill().await?;
                load.note("Redis killed");
                pause().await;
                redis.start_again().await?;
                load.note("Redis is back");
            }
            if kills_gateway && !is_first {
                pause().await;
                cluster.gateways[next].kill().await?;
                load.note(&format!("gateway {next} killed"));
            }
            if kills_gateway {
                cluster.gateways[next].restart().await?;
                load.note(&format!("gateway {next} is back"));
            }
            each_round(round, load.counts());
        }
        load.goes_on(100, GOES_ON).await?;
        cluster.is_ready().await?;
        let report = load.stop(&cluster.gateways, FINISH).await?;
        cluster.ensure_well()?;
        Ok(report)
    }
}
