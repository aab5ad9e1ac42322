//! [`Entry`]: one open stream, as the list of them knows it.

use std::sync::{
    Arc, Mutex, OnceLock,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use logs_shared::{
    ChannelPattern, RecordId, StreamChange, Timestamp, change::EntryResult, interest::patterns,
    overview::StreamOverview,
};

use super::{Drain, NewStream, lock};
use crate::{engine::Subscriber, random};

/// One open stream, as the list of them knows it.
pub(super) struct Entry {
    pub(super) id: Arc<str>,
    number: u64,
    pub(super) owner: String,
    is_named: bool,
    user_id: String,
    connected_at: Timestamp,
    subscriber: Arc<Subscriber>,
    /// Held from reading the set until the new one is in place, so that of two changes at once none is lost.
    changing: Mutex<()>,
    /// Whether the reader has yet to be told what the stream follows now.
    is_changed: AtomicBool,
    drain: OnceLock<Drain>,
    delivered: AtomicU64,
    cursor: Mutex<RecordId>,
}

/// What a change did.
pub(crate) struct Changed {
    /// What the stream follows now.
    pub(crate) channels: Vec<ChannelPattern>,
    /// Every record of an added channel with a larger id is sent; `None` where the set is as it was.
    pub(crate) from_id: Option<RecordId>,
    /// What became of each entry.
    pub(crate) results: Vec<EntryResult>,
}

impl Entry {
    pub(super) fn new(number: u64, new: NewStream) -> Self {
        let NewStream {
            owner,
            is_named,
            user_id,
            connected_at,
            subscriber,
        } = new;
        Self {
            id: random::hex().into(),
            number,
            owner,
            is_named,
            user_id,
            connected_at,
            subscriber,
            changing: Mutex::default(),
            is_changed: AtomicBool::new(false),
            drain: OnceLock::new(),
            delivered: AtomicU64::new(0),
            cursor: Mutex::default(),
        }
    }

    /// Whether this caller, who knows its id, may change it.
    pub(super) fn is_of(&self, owner: &str) -> bool {
        !self.is_named || self.owner == owner
    }

    /// Changes what it follows, and has its reader told.
    pub(super) fn change(
        &self,
        change: &StreamChange,
        may_read: impl Fn(&ChannelPattern) -> bool,
    ) -> Changed {
        let _changing = lock(&self.changing);
        let before = self.subscriber.interests();
        let mut set = before.clone();
        let results = change.apply(&mut set, may_read);
        let channels = patterns(&set);
        let from_id = (set != before).then(|| self.subscriber.set_interests(set));
        if from_id.is_some() {
            // After the set, which the reader looks at when it sees this; before the wake-up that makes it look.
            self.is_changed.store(true, Ordering::Release);
            self.subscriber.wake();
        }
        Changed {
            channels,
            from_id,
            results,
        }
    }

    /// What it follows now, where that has changed and was not taken yet.
    pub(super) fn take_change(&self) -> Option<Vec<ChannelPattern>> {
        // Nearly always there is none, and looking alone does not take the line from other cores.
        let is_changed = self.is_changed.load(Ordering::Relaxed);
        (is_changed && self.is_changed.swap(false, Ordering::Acquire)).then(|| self.channels())
    }

    /// Asks it to end.
    pub(super) fn end(&self, drain: Drain) {
        // Who asks again is late: the first moment stands.
        let _ = self.drain.set(drain);
        self.subscriber.wake();
    }

    pub(super) fn drain(&self) -> Option<Drain> {
        self.drain.get().copied()
    }

    pub(super) fn delivered(&self, records: u64, cursor: RecordId) {
        self.delivered.fetch_add(records, Ordering::Relaxed);
        *lock(&self.cursor) = cursor;
    }

    fn channels(&self) -> Vec<ChannelPattern> {
        patterns(&self.subscriber.interests())
    }

    pub(super) fn overview(&self) -> StreamOverview {
        StreamOverview {
            number: self.number,
            user_id: self.user_id.clone(),
            channels: self.channels(),
            connected_at: self.connected_at,
            delivered: self.delivered.load(Ordering::Relaxed),
            cursor: *lock(&self.cursor),
        }
    }
}
