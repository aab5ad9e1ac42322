//! [`Streams`]: which streams are open, and whose they are.

mod delivered;
mod entry;

use std::{
    cmp::Reverse,
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use logs_shared::{
    ChannelPattern, Interest, RecordId, StreamChange, Timestamp, event::GapReason, overview::StreamOverview,
};
use tokio::time::Instant;

use self::entry::Entry;
pub(crate) use self::{delivered::Delivered, entry::Changed};

use crate::{
    access::{ReadScope, ReaderIdentity, Revocation, Revoked, TooManyPatterns},
    engine::Subscriber,
    engine::first_of,
    nodes::{NoAnswer, NodeId, Place},
    random,
};

/// Which streams are open, and whose they are. A cheap handle: clones share it.
#[derive(Clone)]
pub(crate) struct Streams {
    shared: Arc<Shared>,
}

struct Shared {
    limits: StreamLimits,
    /// What ids and names begin with, where there are other gateways.
    node: Option<NodeId>,
    state: Mutex<State>,
    delivered: Delivered,
}

/// How far behind open streams are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lag {
    /// The age of the oldest record that one of them has yet to be given, in milliseconds; 0 where all are up to date.
    pub(crate) ms: u64,
    /// How many have yet to be given one.
    pub(crate) streams: usize,
}

#[derive(Default)]
struct State {
    /// By the id that names the stream to its owner.
    open: HashMap<Arc<str>, Arc<Entry>>,
    by_owner: HashMap<String, usize>,
    by_address: HashMap<IpAddr, usize>,
    last_number: u64,
    closing: bool,
}

/// How many streams may be open.
#[derive(Clone, Copy, Debug)]
pub struct StreamLimits {
    /// In all.
    pub total: usize,
    /// For one user, or for one address where readers have no name.
    pub per_owner: usize,
    /// For one address, whatever names its readers have.
    pub per_address: usize,
}

/// Why a stream may not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The gateway has as many as it may.
    #[error("the gateway has {0} streams open, as many as it may")]
    Total(usize),
    /// Its owner has as many as one may.
    #[error("{0} streams are open for this user or address, as many as one may have")]
    PerOwner(usize),
    /// Its address has as many as one may.
    #[error("{0} streams are open for this address, as many as one may have")]
    PerAddress(usize),
    /// The gateway is stopping.
    #[error("the gateway is stopping")]
    Stopping,
}

/// No open stream is known by that id to that caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no stream of yours is open under this id: an id ends with its connection, the next one has another")]
pub(crate) struct UnknownStream;

/// Why a stream was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotChanged {
    /// It is not open, or not the caller's.
    #[error(transparent)]
    Unknown(#[from] UnknownStream),
    /// It would follow too much.
    #[error(transparent)]
    TooManyPatterns(#[from] TooManyPatterns),
    /// Another gateway has it, and cannot be asked. Never of a stream that is open here.
    #[error(transparent)]
    NotReached(#[from] NoAnswer),
    /// A mistake in the gateway stopped the change.
    #[error("a mistake in the gateway stopped the change")]
    Ended,
}

/// Why a stream is ended at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// An operator closed it; its reader may come back.
    Closed,
    /// Its reader may no more.
    Revoked,
}

/// A stream's end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drain {
    /// In which all streams end, from when they were asked to.
    pub(crate) window: Duration,
    /// Its own moment in it.
    pub(crate) end_at: Instant,
}

/// An open stream's place in the list. Dropping it gives the place back.
pub(crate) struct OpenStream {
    streams: Streams,
    entry: Arc<Entry>,
}

/// Who opens a stream, and for what.
pub(crate) struct NewStream {
    /// Who. A user alone may change the stream; where the reader has no name, whoever knows the stream's id may.
    pub(crate) reader: ReaderIdentity,
    /// What was asked for.
    pub(crate) asked: Vec<Interest>,
    pub(crate) connected_at: Timestamp,
    pub(crate) subscriber: Arc<Subscriber>,
    /// Its place over all gateways, where there are others.
    pub(crate) place: Option<Place>,
}

impl Streams {
    /// Their ids and names begin with the gateway, where there are others.
    pub(crate) fn new(limits: StreamLimits, node: Option<NodeId>) -> Self {
        Self {
            shared: Arc::new(Shared {
                limits,
                node,
                state: Mutex::default(),
                delivered: Delivered::new(),
            }),
        }
    }

    pub(crate) fn open(&self, new: NewStream) -> Result<OpenStream, Refused> {
        let StreamLimits {
            total,
            per_owner,
            per_address,
        } = self.shared.limits;
        let mut state = self.state();
        if state.closing {
            return Err(Refused::Stopping);
        }
        if state.open.len() >= total {
            return Err(Refused::Total(total));
        }
        let of_owner = state.by_owner.get(&new.reader.owner).copied().unwrap_or(0);
        if of_owner >= per_owner {
            return Err(Refused::PerOwner(per_owner));
        }
        if let Some(address) = new.reader.address {
            let of_address = state.by_address.entry(address).or_default();
            if *of_address >= per_address {
                return Err(Refused::PerAddress(per_address));
            }
            *of_address += 1;
        }
        state.by_owner.insert(new.reader.owner.clone(), of_owner + 1);
        state.last_number += 1;
        let entry = Arc::new(Entry::new(self.shared.node, state.last_number, new));
        state.open.insert(entry.id.clone(), entry.clone());
        Ok(OpenStream {
            streams: self.clone(),
            entry,
        })
    }

    /// Changes what a stream follows, and has its reader told. Blocks for as long as that takes.
    ///
    /// # Errors
    /// No stream with this id is open, or it is another user's: which of the two is not told, so that ids
    /// cannot be tried.
    pub(crate) fn change(
        &self,
        stream_id: &str,
        change: &StreamChange,
        owner: &str,
        scope: &ReadScope,
    ) -> Result<Changed, NotChanged> {
        let entry = self.state().open.get(stream_id).cloned();
        let entry = entry.filter(|entry| entry.is_of(owner));
        Ok(entry.ok_or(UnknownStream)?.change(change, scope)?)
    }

    /// Ends the stream with this id, or this name or number in the statistics.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn close(&self, name: &str) -> Result<(), UnknownStream> {
        let closed = self.close_where(Ending::Closed, |entry| entry.is_called(name));
        if closed == 0 { Err(UnknownStream) } else { Ok(()) }
    }

    /// Ends the streams that this concerns, and says how many there are.
    pub(crate) fn revoke(&self, revocation: &Revocation) -> usize {
        self.close_where(Ending::Revoked, |entry| entry.is_concerned(revocation))
    }

    /// Ends the streams of all that may no more, and says how many there are.
    pub(crate) fn shut_out(&self, revoked: &Revoked) -> usize {
        self.close_where(Ending::Revoked, |entry| entry.is_shut_out(revoked))
    }

    fn close_where(&self, ending: Ending, is_meant: impl Fn(&Entry) -> bool) -> usize {
        let state = self.state();
        let meant = state.open.values().filter(|entry| is_meant(entry));
        meant.map(|entry| entry.close(ending)).count()
    }

    /// Asks every stream to end at a moment of its own within `window`, and lets no new one begin.
    pub(crate) fn drain(&self, window: Duration) {
        let mut state = self.state();
        state.closing = true;
        for entry in state.open.values() {
            // Readers that all come back at once are the outage that draining is there to avoid.
            let share = random::u64() >> 32;
            let wait = window.mul_f64(share as f64 / f64::from(u32::MAX));
            entry.end(Drain {
                window,
                end_at: Instant::now() + wait,
            });
        }
    }

    /// Whether no stream may begin any more.
    pub(crate) fn is_closing(&self) -> bool {
        self.state().closing
    }

    pub(crate) fn count(&self) -> usize {
        self.state().open.len()
    }

    /// How many may be.
    pub(crate) fn most(&self) -> usize {
        self.shared.limits.total
    }

    /// What was handed to streams since the start.
    pub(crate) fn delivered(&self) -> &Delivered {
        &self.shared.delivered
    }

    /// How far behind streams are that have not read up to the high-water mark. Looks at each stream, and at those of its
    /// channels that have something new.
    pub(crate) fn lag(&self, head: RecordId, now_ms: u64) -> Lag {
        let entries = self.entries();
        let lags = entries.iter().filter_map(|entry| entry.lag_ms(head, now_ms));
        lags.fold(Lag::default(), |lag, ms| Lag {
            ms: lag.ms.max(ms),
            streams: lag.streams + 1,
        })
    }

    /// A row a stream, the oldest first, and how many there are. Of more than `most` those that are the farthest behind and then
    /// the newest have one.
    pub(crate) fn overview(&self, head: RecordId, now_ms: u64, most: usize) -> (Vec<StreamOverview>, usize) {
        let entries = self.entries().into_iter();
        let mut rows: Vec<_> = entries
            .map(|entry| (entry.lag_ms(head, now_ms).unwrap_or(0), entry))
            .collect();
        let all = rows.len();
        first_of(&mut rows, most, |(lag_ms, entry)| {
            Reverse((*lag_ms, entry.number))
        });
        let mut rows: Vec<_> = rows
            .iter()
            .map(|(lag_ms, entry)| entry.overview(*lag_ms))
            .collect();
        rows.sort_by_key(|row| row.number);
        (rows, all)
    }

    fn entries(&self) -> Vec<Arc<Entry>> {
        self.state().open.values().cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared.state)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl OpenStream {
    /// What names the stream to its owner; unguessable.
    pub(crate) fn id(&self) -> &str {
        &self.entry.id
    }

    /// What the stream follows now, where that has changed and was not taken yet. To be called after the
    /// reader has registered the waker, so that no change is missed.
    pub(crate) fn take_change(&self) -> Option<Vec<ChannelPattern>> {
        self.entry.take_change()
    }

    /// Why the stream is to end at once, where it is.
    pub(crate) fn ending(&self) -> Option<Ending> {
        self.entry.ending()
    }

    /// When the stream is to end, once it is asked to.
    pub(crate) fn drain(&self) -> Option<Drain> {
        self.entry.drain()
    }

    /// Counts records that were handed to the connection. `age` is that of the oldest, where it was to be handed at once;
    /// `is_all`: there were no more up to the cursor.
    pub(crate) fn delivered(&self, records: u64, age: Option<Duration>, cursor: RecordId, is_all: bool) {
        self.streams.shared.delivered.add_records(records, age);
        self.entry.delivered(records, cursor, is_all);
    }

    /// Counts bytes that were.
    pub(crate) fn sent(&self, bytes: usize) {
        self.streams.shared.delivered.add_bytes(bytes);
    }

    /// Counts a gap that it was told of.
    pub(crate) fn missed(&self, reason: GapReason) {
        self.streams.shared.delivered.add_gap(reason);
    }

    /// It has been given everything up to the cursor, and there was no more.
    pub(crate) fn caught_up(&self, cursor: RecordId) {
        self.entry.caught_up(cursor);
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut state = self.streams.state();
        state.open.remove(&self.entry.id);
        uncount(&mut state.by_owner, &self.entry.owner);
        if let Some(address) = &self.entry.address {
            uncount(&mut state.by_address, address);
        }
    }
}

fn uncount<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests;
