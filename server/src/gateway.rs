//! [`Gateway`]: everything the gateway can do, behind one handle.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use logs_shared::{
    ChannelPattern, HistoryQuery, Interest, LogEntry, RecordId, ServerEvent, StreamChange, StreamChanged,
    StreamQuery, Timestamp,
    api::RETRY_MS,
    event::{Connection, Gap, GapReason},
    overview::{ChannelOverview, Health, Stats},
    query::{QueryError, Start},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    access::{ReadScope, ReaderIdentity, Revocation, Revoked, TooManyPatterns},
    config::Config,
    engine::{AppendError, Appended, Engine, Named, NewRecord, now_ms},
    history::History,
    metrics::Figures,
    newest::newest,
    process::memory_bytes,
    quantity,
    quotas::Quotas,
    random,
    rate::PublishRate,
    reader::Reader,
    rejections::{Rejections, reason},
    stream::LogStream,
    streams::{Changed, NewStream, NotChanged, Refused, Streams, UnknownStream},
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
    rate: PublishRate,
    revoked: Revoked,
    quotas: Quotas,
    rejections: Rejections,
    /// Who may look through the past now.
    looking_back: Arc<Semaphore>,
    started: Instant,
    started_at: Timestamp,
}

/// How many may look through the past at once, for each of the machine's processors.
const LOOKING_BACK_PER_CPU: usize = 4;

/// Why a stream was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotOpened {
    /// Too many are open.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It would follow too much.
    #[error(transparent)]
    TooManyPatterns(#[from] TooManyPatterns),
    /// Its reader was revoked meanwhile.
    #[error("this reader may no more")]
    Revoked,
}

/// Why the past is not looked through.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoHistory {
    /// What is looked for cannot be.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// It would look through too much.
    #[error(transparent)]
    TooManyPatterns(#[from] TooManyPatterns),
}

impl Gateway {
    /// A gateway over this log.
    ///
    /// # Errors
    /// Who was revoked cannot be read from the data folder.
    pub fn open(config: Config, engine: Engine) -> io::Result<Self> {
        let streams = Streams::new(config.stream_limits);
        let rate = PublishRate::default();
        let revoked = Revoked::open(config.storage.dir())?;
        let quotas = Quotas::new(&config);
        Ok(Self {
            shared: Arc::new(Shared {
                config,
                engine,
                streams,
                rate,
                revoked,
                quotas,
                rejections: Rejections::default(),
                looking_back: Arc::new(Semaphore::new(
                    LOOKING_BACK_PER_CPU * std::thread::available_parallelism().map_or(1, usize::from),
                )),
                started: Instant::now(),
                started_at: now(),
            }),
        })
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
        entries: Vec<LogEntry>,
        named: Option<Named>,
    ) -> Result<Appended, AppendError> {
        let records = entries.into_iter().map(|entry| NewRecord {
            json: entry.encode(),
            level: entry.level,
            channel: entry.channel,
        });
        self.shared.engine.append(records.collect(), named).await
    }

    /// Opens a stream.
    ///
    /// # Errors
    /// [`NotOpened`]: too many are open, or it would follow too much.
    pub(crate) fn open_stream(
        &self,
        query: StreamQuery,
        reader: ReaderIdentity,
    ) -> Result<LogStream, NotOpened> {
        let Shared {
            config,
            engine,
            streams,
            revoked,
            ..
        } = &*self.shared;
        let (user_id, asked) = (reader.user_id.clone(), query.interests());
        let ends_at_ms = reader.credential.ends_at_ms;
        let watch = engine.watch(reader.scope.visible(asked.clone())?);
        // First of all: who may not have a stream costs no look at the records.
        let open = streams.open(NewStream {
            reader: reader.clone(),
            asked,
            connected_at: now(),
            subscriber: watch.subscriber(),
        })?;
        // Now that it is found by whoever revokes: what was revoked before that is seen here.
        if revoked.has(&reader) {
            return Err(NotOpened::Revoked);
        }
        // After the watch, so that every record beyond this mark wakes the reader.
        let head = engine.head();
        let cursor = match query.start {
            Start::Live | Start::Unknown => head,
            Start::After(id) => id,
            Start::Since(time) => RecordId::before_ms(time.id_ms()),
            Start::Tail(count) => newest(engine.log(), &watch, count, head, |_| true).cursor,
        };
        let reader_at = Reader::new(engine.log().clone(), watch, cursor, false);
        let cursor = reader_at.cursor();
        let connection = ServerEvent::Connection(Connection {
            status: "connected".to_owned(),
            stream_id: open.id().to_owned(),
            channels: query.channels.clone(),
            user_id,
            heartbeat_ms: quantity::millis(config.heartbeat),
            timestamp: now(),
        });
        let mut opening = format!("retry: {}\n", random::jittered(RETRY_MS)).into_bytes();
        connection.write_sse(Some(cursor), &mut opening);
        let gap = match query.start {
            Start::Unknown => Some((RecordId::ZERO, GapReason::UnknownCursor)),
            // Who asks for everything there is has missed nothing.
            _ if cursor == RecordId::ZERO => None,
            _ if cursor < engine.floor() => Some((cursor, GapReason::Restart)),
            _ if cursor < engine.forgotten_to() => Some((cursor, GapReason::Retention)),
            _ => None,
        };
        if let Some((from, reason)) = gap {
            let to = match reason {
                GapReason::Restart => engine.floor(),
                GapReason::Retention => engine.forgotten_to().next(),
                GapReason::UnknownCursor | GapReason::Other => head.next(),
            };
            for channel in query.channels {
                ServerEvent::Gap(Gap {
                    channel,
                    from,
                    to,
                    reason,
                })
                .write_sse(None, &mut opening);
            }
        }
        Ok(LogStream::new(
            reader_at,
            open,
            Bytes::from(opening),
            config.heartbeat,
            ends_at_ms.map(|at| Duration::from_millis(at.saturating_sub(now_ms()))),
        ))
    }

    /// Changes what an open stream follows. Blocks for as long as that takes.
    ///
    /// # Errors
    /// [`NotChanged`]: it is not open or not this reader's, or would follow too much.
    pub(crate) fn change_stream(
        &self,
        stream_id: String,
        change: &StreamChange,
        reader: &ReaderIdentity,
    ) -> Result<StreamChanged, NotChanged> {
        let Changed {
            channels,
            from_id,
            results,
        } = self.shared.streams.change(&stream_id, change, reader)?;
        Ok(StreamChanged {
            success: true,
            stream_id,
            channels,
            from_id: from_id.unwrap_or_else(|| self.shared.engine.head()),
            results,
        })
    }

    /// Waits until the caller may look through the past.
    pub(crate) async fn look_back(&self) -> Option<OwnedSemaphorePermit> {
        self.shared.looking_back.clone().acquire_owned().await.ok()
    }

    /// Reads a part of the past, of what may be seen. Blocks for as long as looking through the records takes.
    pub(crate) fn history(&self, mut query: HistoryQuery, scope: &ReadScope) -> Result<History, NoHistory> {
        let asked = query
            .channels
            .into_iter()
            .map(|pattern| Interest::new(pattern, None));
        let visible = scope.visible(asked.collect())?;
        query.channels = visible.into_iter().map(|interest| interest.pattern).collect();
        Ok(History::new(&self.shared.engine, query)?)
    }

    /// The channels that the pattern chooses and that may be seen, in the order of their names. Blocks.
    pub(crate) fn channels(
        &self,
        pattern: &ChannelPattern,
        scope: &ReadScope,
    ) -> Result<Vec<ChannelOverview>, TooManyPatterns> {
        let visible = scope.visible(vec![Interest::new(pattern.clone(), None)])?;
        let mut channels: Vec<_> = visible
            .iter()
            .flat_map(|interest| self.shared.engine.channels(&interest.pattern))
            .collect();
        // What may be seen may be said twice over.
        channels.sort_by(|a, b| a.channel.cmp(&b.channel));
        channels.dedup_by(|a, b| a.channel == b.channel);
        Ok(channels)
    }

    /// Who may no more.
    pub(crate) fn revoked(&self) -> &Revoked {
        &self.shared.revoked
    }

    /// How much each may do.
    pub(crate) fn quotas(&self) -> &Quotas {
        &self.shared.quotas
    }

    /// Ends the stream with this id, or this number in the statistics, at once.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn close_stream(&self, name: &str) -> Result<(), UnknownStream> {
        self.shared.streams.close(name)
    }

    /// Ends what a user or a token may until a time in milliseconds since 1970, and says how many streams that closed. A time
    /// that is over lets them again. Blocks until it is kept.
    ///
    /// # Errors
    /// It holds, and a restart would forget it.
    pub(crate) fn revoke(&self, what: &Revocation, until_ms: u64) -> io::Result<usize> {
        let kept = self.shared.revoked.revoke(what, until_ms);
        let closed = if until_ms <= now_ms() {
            0
        } else {
            self.shared.streams.revoke(what)
        };
        kept.map(|()| closed)
    }

    /// Whether the gateway is well, and what is wrong where it is not.
    pub(crate) fn health(&self) -> Health {
        let Shared {
            engine,
            streams,
            started,
            ..
        } = &*self.shared;
        let reason = if streams.is_closing() {
            Some("the gateway is stopping".to_owned())
        } else {
            engine.trouble()
        };
        Health {
            status: if reason.is_none() { "healthy" } else { "unhealthy" }.to_owned(),
            reason,
            version: VERSION.to_owned(),
            uptime_s: started.elapsed().as_secs(),
            connections: streams.count(),
            channels: engine.channel_count(),
            timestamp: now(),
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        let Shared {
            engine,
            streams,
            rate,
            rejections,
            started,
            ..
        } = &*self.shared;
        let by_channel = engine.channels(&ChannelPattern::everything());
        let by_connection = streams.overview();
        Stats {
            connections: by_connection.len(),
            channels: by_channel.len(),
            messages_published: engine.published(),
            messages_delivered: streams.delivered(),
            messages_per_second: rate.per_second(engine.published()),
            stalled: rejections.of(reason::STALLED),
            memory_bytes: memory_bytes(),
            tail_bytes: engine.tail_bytes(),
            kept_bytes: engine.kept_bytes(),
            uptime_s: started.elapsed().as_secs(),
            version: VERSION.to_owned(),
            timestamp: now(),
            by_channel,
            by_connection,
        }
    }

    /// What can be told without a look at each channel and each stream.
    pub(crate) fn figures(&self) -> Figures {
        let Shared {
            engine,
            streams,
            rejections,
            started_at,
            ..
        } = &*self.shared;
        Figures {
            version: VERSION,
            started_at: *started_at,
            is_well: self.health().reason.is_none(),
            streams: streams.count(),
            channels: engine.channel_count(),
            published: engine.published(),
            delivered: streams.delivered(),
            stalled: rejections.of(reason::STALLED),
            memory_bytes: memory_bytes(),
            tail_bytes: engine.tail_bytes(),
            kept_bytes: engine.kept_bytes(),
            rejections: rejections.snapshot(),
        }
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
        self.shared.rate.sample(self.shared.engine.published());
        self.shared.quotas.forget_idle();
    }
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
