//! What readers do: streams that open, change and end, and the past.

use std::time::Duration;

use bytes::Bytes;
use logs_shared::{
    ChannelPattern, HistoryQuery, Interest, RecordId, ServerEvent, StreamChange, StreamChanged, StreamQuery,
    api::RETRY_MS,
    event::{Connection, Gap, GapReason},
    overview::ChannelOverview,
    query::{QueryError, Start},
};
use tokio::sync::OwnedSemaphorePermit;

use super::{Gateway, Shared, now};
use crate::{
    access::{NoMore, ReadScope, ReaderIdentity, TooManyPatterns},
    engine::{StoreAway, Watch, now_ms},
    history::{History, NotBegun},
    newest::newest,
    nodes::Place,
    quantity, random,
    reader::Reader,
    stream::LogStream,
    streams::{Changed, NewStream, NotChanged, OpenStream, Refused},
};

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
    #[error(transparent)]
    NoMore(#[from] NoMore),
    /// What it is to begin with cannot be looked at.
    #[error(transparent)]
    Away(#[from] StoreAway),
}

/// A stream that has its place in the list, and follows what it is to follow.
pub(crate) struct Opening {
    query: StreamQuery,
    user_id: String,
    ends_at_ms: Option<u64>,
    watch: Watch,
    open: OpenStream,
}

/// A part of the past that somebody wants to look through, and follows meanwhile.
pub(crate) struct LookingBack {
    query: HistoryQuery,
    watch: Watch,
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
    /// What there is cannot be looked at.
    #[error(transparent)]
    Away(#[from] StoreAway),
}

impl From<NotBegun> for NoHistory {
    fn from(error: NotBegun) -> Self {
        match error {
            NotBegun::Query(error) => Self::Query(error),
            NotBegun::Away(error) => Self::Away(error),
        }
    }
}

impl Gateway {
    /// Whether others publish to the same log, so that [`Self::fresh`] takes a while.
    pub(crate) fn is_shared(&self) -> bool {
        self.shared.engine.is_shared()
    }

    /// Waits until everything that any gateway has acknowledged before can be read.
    ///
    /// # Errors
    /// The store is away.
    pub(crate) async fn fresh(&self) -> Result<(), StoreAway> {
        self.shared.engine.fresh().await
    }

    /// Begins to open a stream, which has this place among those of its owner on all gateways: [`Self::fresh`] and
    /// [`Self::open_stream`] are next. Blocks.
    ///
    /// # Errors
    /// [`NotOpened`]: too many are open, or it would follow too much.
    pub(crate) fn begin_stream(
        &self,
        query: StreamQuery,
        reader: ReaderIdentity,
        place: Option<Place>,
    ) -> Result<Opening, NotOpened> {
        let Shared {
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
            place,
        })?;
        // Now that it is found by whoever revokes: what was revoked before that is seen here.
        revoked.admits(&reader)?;
        Ok(Opening {
            query,
            user_id,
            ends_at_ms,
            watch,
            open,
        })
    }

    /// Opens a stream. Blocks for as long as it takes to find where it begins.
    ///
    /// # Errors
    /// The store is away.
    pub(crate) fn open_stream(&self, opening: Opening) -> Result<LogStream, StoreAway> {
        let Shared { config, engine, .. } = &*self.shared;
        let Opening {
            query,
            user_id,
            ends_at_ms,
            watch,
            open,
        } = opening;
        // After the watch, so that every record beyond this mark wakes the reader.
        let head = engine.head();
        let cursor = match query.start {
            Start::Live | Start::Unknown => head,
            Start::After(id) => id,
            Start::Since(time) => RecordId::before_ms(time.id_ms()),
            Start::Tail(count) => newest(engine.log(), &watch, count, head, |_| true)?.cursor,
        };
        let reader_at = Reader::new(engine.log().clone(), watch, cursor, false)?;
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
                open.missed(reason);
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

    /// Changes what a stream follows that is open here. Blocks for as long as that takes.
    ///
    /// # Errors
    /// [`NotChanged`]: it is not open or not this reader's, or would follow too much.
    pub(super) fn change_here(
        &self,
        stream_id: String,
        change: &StreamChange,
        owner: &str,
        scope: &ReadScope,
    ) -> Result<StreamChanged, NotChanged> {
        let Changed {
            channels,
            from_id,
            results,
        } = self.shared.streams.change(&stream_id, change, owner, scope)?;
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

    /// Begins to read a part of the past, of what may be seen: [`Self::fresh`] and [`Self::history`] are next. Blocks.
    ///
    /// # Errors
    /// It would look through too much.
    pub(crate) fn begin_history(
        &self,
        query: HistoryQuery,
        scope: &ReadScope,
    ) -> Result<LookingBack, TooManyPatterns> {
        let asked = query.channels.iter().cloned();
        let asked = asked.map(|pattern| Interest::new(pattern, query.level));
        let visible = scope.visible(asked.collect())?;
        let watch = self.shared.engine.watch(visible);
        Ok(LookingBack { query, watch })
    }

    /// Reads a part of the past. Blocks for as long as looking through the records takes.
    ///
    /// # Errors
    /// What is looked for cannot be, or the store is away.
    pub(crate) fn history(&self, looking: LookingBack) -> Result<History, NoHistory> {
        let LookingBack { query, watch } = looking;
        Ok(History::new(&self.shared.engine, watch, query)?)
    }

    /// The channels that the pattern chooses and that may be seen, in the order of their names. Blocks.
    ///
    /// # Errors
    /// They would be too many to look for, or the store is away.
    pub(crate) fn channels(
        &self,
        pattern: &ChannelPattern,
        scope: &ReadScope,
    ) -> Result<Vec<ChannelOverview>, NoHistory> {
        let visible = scope.visible(vec![Interest::new(pattern.clone(), None)])?;
        let mut channels = Vec::new();
        for interest in &visible {
            channels.extend(self.shared.engine.channels(&interest.pattern)?);
        }
        // What may be seen may be said twice over.
        channels.sort_by(|a, b| a.channel.cmp(&b.channel));
        channels.dedup_by(|a, b| a.channel == b.channel);
        Ok(channels)
    }
}
