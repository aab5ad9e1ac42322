//! [`Streams`]: which streams are open, and whose they are.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use logs_shared::{ChannelPattern, RecordId, Timestamp, overview::StreamOverview};
use tokio::time::Instant;

use crate::{engine::Subscriber, random};

/// Which streams are open, and whose they are. A cheap handle: clones share it.
#[derive(Clone)]
pub(crate) struct Streams {
    shared: Arc<Shared>,
}

struct Shared {
    limits: StreamLimits,
    state: Mutex<State>,
    delivered: AtomicU64,
}

#[derive(Default)]
struct State {
    open: HashMap<u64, Arc<Entry>>,
    by_owner: HashMap<String, usize>,
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
    /// The gateway is stopping.
    #[error("the gateway is stopping")]
    Stopping,
}

struct Entry {
    number: u64,
    owner: String,
    user_id: String,
    channels: Vec<ChannelPattern>,
    connected_at: Timestamp,
    signal: Arc<Subscriber>,
    drain: OnceLock<Drain>,
    delivered: AtomicU64,
    cursor: Mutex<RecordId>,
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
    /// What it counts for: a user or an address.
    pub(crate) owner: String,
    pub(crate) user_id: String,
    pub(crate) channels: Vec<ChannelPattern>,
    pub(crate) connected_at: Timestamp,
    pub(crate) signal: Arc<Subscriber>,
}

impl Streams {
    pub(crate) fn new(limits: StreamLimits) -> Self {
        Self {
            shared: Arc::new(Shared {
                limits,
                state: Mutex::default(),
                delivered: AtomicU64::new(0),
            }),
        }
    }

    pub(crate) fn open(&self, new: NewStream) -> Result<OpenStream, Refused> {
        let StreamLimits { total, per_owner } = self.shared.limits;
        let mut state = self.state();
        if state.closing {
            return Err(Refused::Stopping);
        }
        if state.open.len() >= total {
            return Err(Refused::Total(total));
        }
        let of_owner = state.by_owner.get(&new.owner).copied().unwrap_or(0);
        if of_owner >= per_owner {
            return Err(Refused::PerOwner(per_owner));
        }
        state.by_owner.insert(new.owner.clone(), of_owner + 1);
        state.last_number += 1;
        let NewStream {
            owner,
            user_id,
            channels,
            connected_at,
            signal,
        } = new;
        let entry = Arc::new(Entry {
            number: state.last_number,
            owner,
            user_id,
            channels,
            connected_at,
            signal,
            drain: OnceLock::new(),
            delivered: AtomicU64::new(0),
            cursor: Mutex::default(),
        });
        state.open.insert(entry.number, entry.clone());
        Ok(OpenStream {
            streams: self.clone(),
            entry,
        })
    }

    /// Asks every stream to end at a moment of its own within `window`, and lets no new one begin.
    pub(crate) fn drain(&self, window: Duration) {
        let mut state = self.state();
        state.closing = true;
        for entry in state.open.values() {
            // Readers that all come back at once are the outage that draining is there to avoid.
            let share = random::u64() >> 32;
            let wait = window.mul_f64(share as f64 / f64::from(u32::MAX));
            let _ = entry.drain.set(Drain {
                window,
                end_at: Instant::now() + wait,
            });
            entry.signal.wake();
        }
    }

    /// Whether no stream may begin any more.
    pub(crate) fn is_closing(&self) -> bool {
        self.state().closing
    }

    pub(crate) fn count(&self) -> usize {
        self.state().open.len()
    }

    /// Records handed to streams since the start.
    pub(crate) fn delivered(&self) -> u64 {
        self.shared.delivered.load(Ordering::Relaxed)
    }

    /// One row a stream, the oldest first.
    pub(crate) fn overview(&self) -> Vec<StreamOverview> {
        let entries: Vec<_> = self.state().open.values().cloned().collect();
        let mut rows: Vec<_> = entries.iter().map(|entry| entry.overview()).collect();
        rows.sort_by_key(|row| row.number);
        rows
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn overview(&self) -> StreamOverview {
        StreamOverview {
            number: self.number,
            user_id: self.user_id.clone(),
            channels: self.channels.clone(),
            connected_at: self.connected_at,
            delivered: self.delivered.load(Ordering::Relaxed),
            cursor: *self.cursor.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }
}

impl OpenStream {
    /// When the stream is to end, once it is asked to.
    pub(crate) fn drain(&self) -> Option<Drain> {
        self.entry.drain.get().copied()
    }

    /// Counts records that were handed to the connection.
    pub(crate) fn delivered(&self, records: u64, cursor: RecordId) {
        self.streams
            .shared
            .delivered
            .fetch_add(records, Ordering::Relaxed);
        self.entry.delivered.fetch_add(records, Ordering::Relaxed);
        *self.entry.cursor.lock().unwrap_or_else(PoisonError::into_inner) = cursor;
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut state = self.streams.state();
        state.open.remove(&self.entry.number);
        if let Some(count) = state.by_owner.get_mut(&self.entry.owner) {
            *count -= 1;
            if *count == 0 {
                state.by_owner.remove(&self.entry.owner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nobody() -> Arc<Subscriber> {
        let retention = crate::engine::Retention {
            records: 1,
            age_ms: 1,
            bytes: 1,
        };
        let engine = crate::engine::Engine::open(&crate::engine::Storage::Memory, retention).unwrap();
        engine.watch(Vec::new()).subscriber()
    }

    fn open(streams: &Streams, owner: &str) -> Result<OpenStream, Refused> {
        streams.open(NewStream {
            owner: owner.to_owned(),
            user_id: owner.to_owned(),
            channels: Vec::new(),
            connected_at: Timestamp::default(),
            signal: nobody(),
        })
    }

    #[test]
    fn a_stream_that_goes_gives_its_place_back() {
        let streams = Streams::new(StreamLimits {
            total: 3,
            per_owner: 2,
        });
        let first = open(&streams, "a").ok();
        let second = open(&streams, "a").ok();
        assert_eq!(open(&streams, "a").err(), Some(Refused::PerOwner(2)));
        let third = open(&streams, "b").ok();
        assert_eq!(open(&streams, "c").err(), Some(Refused::Total(3)));
        drop(first);
        assert!(open(&streams, "a").is_ok());
        drop((second, third));
        assert_eq!((streams.count(), streams.state().by_owner.len()), (0, 0));
    }

    #[test]
    fn no_stream_begins_once_all_are_asked_to_end() {
        let streams = Streams::new(StreamLimits {
            total: 3,
            per_owner: 2,
        });
        let first = open(&streams, "a").unwrap_or_else(|refused| panic!("{refused}"));
        streams.drain(Duration::from_secs(9));
        let drain = first.drain().unwrap_or_else(|| panic!("it was asked to end"));
        assert!(drain.end_at <= Instant::now() + Duration::from_secs(9));
        assert_eq!(open(&streams, "b").err(), Some(Refused::Stopping));
    }
}
