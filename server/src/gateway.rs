//! [`Gateway`]: everything the gateway can do, behind one handle.

mod all_stats;
mod everywhere;
mod reading;
mod telling;

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use logs_shared::{ChannelPattern, LogEntry, Timestamp};
use tokio::sync::Semaphore;

pub(crate) use self::{
    everywhere::NotRevoked,
    reading::{NoHistory, NotOpened},
};
use crate::{
    access::Revoked,
    config::Config,
    engine::{AppendError, Appended, Engine, Named, NewRecord, Storage, now_ms},
    lately::Lately,
    nodes::{About, Nodes},
    process::cpu_time,
    quotas::Quotas,
    rate::Rate,
    rejections::Rejections,
    services::{Outcome, Services},
    streams::Streams,
};

/// Everything the gateway can do, behind one handle: what the HTTP handlers see. Clones share it.
#[derive(Clone)]
pub struct Gateway {
    shared: Arc<Shared>,
}

struct Shared {
    config: Config,
    engine: Engine,
    streams: Streams,
    services: Services,
    rates: Rates,
    revoked: Revoked,
    quotas: Quotas,
    rejections: Rejections,
    /// The other gateways, where there may be some.
    nodes: Option<Nodes>,
    /// Who may look through the past now.
    looking_back: Arc<Semaphore>,
    started: Instant,
    started_at: Timestamp,
}

/// How it did lately: what is sampled once a second.
#[derive(Default)]
struct Rates {
    published: Rate,
    delivered: Rate,
    /// Microseconds of processor time.
    cpu: Rate,
    append: Lately,
    delivery: Lately,
}

/// How many may look through the past at once, for each of the machine's processors.
const LOOKING_BACK_PER_CPU: usize = 4;

impl Gateway {
    /// A gateway over this log. Where that is in Redis, it is one of those that share it from now on, and this is to be called
    /// on a runtime.
    ///
    /// # Errors
    /// Who was revoked cannot be read from the data folder.
    pub fn open(config: Config, engine: Engine) -> io::Result<Self> {
        let started_at = now();
        let nodes = match &config.storage {
            Storage::Redis(redis) => Some(Nodes::new(redis.clone(), About::new(&config, started_at))),
            Storage::Memory | Storage::Disk { .. } => None,
        };
        let streams = Streams::new(config.stream_limits, nodes.as_ref().map(Nodes::me));
        let revoked = match nodes {
            Some(_) => Revoked::of_all(),
            None => Revoked::open(config.storage.dir())?,
        };
        let quotas = Quotas::new(&config);
        let gateway = Self {
            shared: Arc::new(Shared {
                config,
                engine,
                streams,
                services: Services::default(),
                rates: Rates::default(),
                revoked,
                quotas,
                rejections: Rejections::default(),
                nodes,
                looking_back: Arc::new(Semaphore::new(
                    LOOKING_BACK_PER_CPU * std::thread::available_parallelism().map_or(1, usize::from),
                )),
                started: Instant::now(),
                started_at,
            }),
        };
        gateway.join();
        Ok(gateway)
    }

    /// How it was set up.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// Stores these entries, next to each other and in this order. When it returns they are stored. A
    /// repeat of a named publication stores nothing and gets the answer of the first.
    ///
    /// # Errors
    /// [`AppendError`]: nothing was stored.
    pub async fn publish(
        &self,
        entries: impl IntoIterator<Item = LogEntry>,
        named: Option<Named>,
    ) -> Result<Appended, AppendError> {
        let mut tally = self.shared.services.tally();
        let records = entries.into_iter().map(|entry| {
            tally.add(entry.channel.service());
            NewRecord::from(entry)
        });
        let records = records.collect();
        let appended = self.shared.engine.append(records, named).await;
        tally.end(match &appended {
            Ok(appended) if appended.is_repeat => Outcome::Repeated,
            Ok(_) => Outcome::Accepted,
            Err(_) => Outcome::Rejected,
        });
        appended
    }

    /// What became of records, by service. Those that are given to [`Self::publish`] are counted there.
    pub(crate) fn services(&self) -> &Services {
        &self.shared.services
    }

    /// Who may no more.
    pub(crate) fn revoked(&self) -> &Revoked {
        &self.shared.revoked
    }

    /// How much each may do.
    pub(crate) fn quotas(&self) -> &Quotas {
        &self.shared.quotas
    }

    /// Where refusals are counted.
    pub(crate) fn rejections(&self) -> &Rejections {
        &self.shared.rejections
    }

    /// Asks every stream to end at a moment of its own within the drain time, and lets no new one begin.
    pub(crate) fn drain(&self) {
        // The last tenth is left for the connections to end and for requests under way.
        self.shared.streams.drain(self.shared.config.drain.mul_f64(0.9));
    }

    /// What is done once a second, whether anybody asks or not.
    pub(crate) fn tick(&self) {
        let Shared {
            engine,
            streams,
            rates,
            quotas,
            ..
        } = &*self.shared;
        rates.published.sample(engine.published());
        rates.delivered.sample(streams.delivered().records());
        rates.cpu.sample(cpu_us(cpu_time()));
        rates.append.sample(&engine.work().appends);
        rates.delivery.sample(&streams.delivered().ages);
        quotas.forget_idle();
    }
}

fn cpu_us(cpu: Duration) -> u64 {
    u64::try_from(cpu.as_micros()).unwrap_or(u64::MAX)
}

/// The version that this binary was built as.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Now, by the system's clock.
pub(crate) fn now() -> Timestamp {
    i64::try_from(now_ms())
        .ok()
        .and_then(|ms| Timestamp::from_unix_ms(ms).ok())
        .unwrap_or(Timestamp::MAX)
}

/// What a selection of channels is called in the gateway's own log.
pub(crate) fn shown(channels: &[ChannelPattern]) -> String {
    channels
        .iter()
        .map(ChannelPattern::as_str)
        .collect::<Vec<_>>()
        .join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Settings, engine::Storage};

    #[tokio::test]
    async fn a_gateway_that_cannot_store_says_that_it_is_not_well() {
        let settings = Settings {
            store: Some("memory".to_owned()),
            ..Settings::default()
        };
        let config = Config::from_settings(&settings).unwrap();
        let engine = Engine::open(&Storage::Memory, config.retention).unwrap();
        let well = Gateway::open(config.clone(), engine.clone()).unwrap();
        assert_eq!(
            (well.health().status.as_str(), well.health().reason),
            ("healthy", None)
        );
        let unwell = Gateway::open(config, engine.without_writer()).unwrap();
        assert_eq!(unwell.health().status, "unhealthy");
        assert!(
            unwell
                .health()
                .reason
                .is_some_and(|reason| reason.contains("writer"))
        );
        assert!(unwell.publish(Vec::new(), None).await.is_err());
        well.drain();
        assert!(
            well.health()
                .reason
                .is_some_and(|reason| reason.contains("stopping"))
        );
    }
}
