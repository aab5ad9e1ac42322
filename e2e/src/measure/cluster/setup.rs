//! [`Setup`]: the gateways that a row is about.

use anyhow::Result;
use fastrand::Rng;

use super::super::{MESSAGE_BYTES, SETTINGS, filler::Filler};
use crate::{
    TestGateway,
    cluster::{Redis, is_ready},
};

/// Channels that are published to; each publication is one channel's.
pub(super) const CHANNELS: usize = 50;
/// What Redis is told: files as in the example for Docker.
const REDIS: [&str; 2] = ["appendonly yes", "appendfsync everysec"];
/// How many records are published for what they take in Redis.
const KEPT: u64 = 100_000;

/// A kind of setup.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    gateways: usize,
    store: Option<&'static str>,
}

/// The rows.
pub(super) const KINDS: [Kind; 5] = [
    Kind {
        name: "disk",
        gateways: 1,
        store: Some("disk"),
    },
    Kind {
        name: "memory",
        gateways: 1,
        store: Some("memory"),
    },
    Kind {
        name: "Redis, 1 gateway",
        gateways: 1,
        store: None,
    },
    Kind {
        name: "Redis, 2 gateways",
        gateways: 2,
        store: None,
    },
    Kind {
        name: "Redis, 3 gateways",
        gateways: 3,
        store: None,
    },
];

/// Gateways, and the Redis they share. They end with this value.
pub(super) struct Setup {
    pub(super) gateways: Vec<TestGateway>,
    redis: Option<Redis>,
}

impl Setup {
    pub(super) async fn start(kind: Kind) -> Result<Self> {
        let redis = match kind.store {
            Some(_) => None,
            None => Some(Redis::start(&REDIS).await?),
        };
        let own = match (&redis, kind.store) {
            (Some(redis), _) => vec![("REDIS_URL", redis.url())],
            (None, store) => vec![("STORE", store.unwrap_or_default().to_owned())],
        };
        let own: Vec<_> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut gateways = Vec::new();
        for _ in 0..kind.gateways {
            let gateway = TestGateway::start_with(&[&SETTINGS, own.as_slice()].concat()).await?;
            is_ready(&gateway).await?;
            gateways.push(gateway);
        }
        Ok(Self { gateways, redis })
    }

    pub(super) fn urls(&self) -> Vec<String> {
        self.gateways.iter().map(|gateway| gateway.url("")).collect()
    }

    /// The processor time that the gateways and Redis have taken, in seconds.
    pub(super) fn cpu_seconds(&self) -> Result<(f64, Option<f64>)> {
        let gateways = self
            .gateways
            .iter()
            .map(TestGateway::cpu_seconds)
            .sum::<Result<f64>>()?;
        Ok((gateways, self.redis.as_ref().map(Redis::cpu_seconds).transpose()?))
    }
}

/// Says what records of 200 bytes take in Redis, by how many of them are published together.
pub(super) async fn memory_of_redis() -> Result<()> {
    for batch in [100, 1] {
        let setup = Setup::start(KINDS[2]).await?;
        let Some(redis) = &setup.redis else {
            anyhow::bail!("there is no Redis");
        };
        let channels = (0..CHANNELS).map(|number| format!("logs:etl:measure:part{number}"));
        let channels: Vec<_> = channels.collect();
        let fillers: Vec<_> = { channels.into_iter() }
            .map(|channel| Filler::new(&setup.gateways[0], vec![channel], MESSAGE_BYTES))
            .collect::<Result<_>>()?;
        let before = redis.figure("memory", "used_memory").await?;
        let resident = redis.figure("memory", "used_memory_rss").await?;
        let mut rng = Rng::with_seed(0);
        let kept = if batch == 1 { KEPT / 10 } else { KEPT };
        for (_, filler) in (0..kept / batch).zip(fillers.iter().cycle()) {
            filler.publish_batch(&mut rng, batch).await?;
        }
        let mib = |bytes: f64| bytes / 1_048_576.0 * per(KEPT, kept);
        println!(
            "cluster: Redis takes {:.1} MiB ({:.1} MiB resident) for {KEPT} records of {MESSAGE_BYTES} bytes, published {batch} at a time",
            mib(redis.figure("memory", "used_memory").await? - before),
            mib(redis.figure("memory", "used_memory_rss").await? - resident),
        );
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
fn per(of: u64, count: u64) -> f64 {
    of as f64 / count as f64
}
