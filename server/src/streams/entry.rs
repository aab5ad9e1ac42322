//! [`Entry`]: one open stream, as the list of them knows it.

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use logs_shared::{
    ChannelPattern, Interest, RecordId, StreamChange, Timestamp, change::EntryResult, interest::patterns,
    overview::StreamOverview,
};

use super::{Drain, Ending, NewStream, lock};
use crate::{
    access::{Credential, ReadScope, Revocation, Revoked, TooManyPatterns},
    engine::Subscriber,
    nodes::{NodeId, Place},
    random,
};

/// One open stream, as the list of them knows it.
pub(super) struct Entry {
    pub(super) id: Arc<str>,
    /// The gateway that has it, where there are others.
    node: Option<NodeId>,
    pub(super) number: u64,
    pub(super) owner: String,
    pub(super) address: Option<IpAddr>,
    is_named: bool,
    user_id: String,
    scope: ReadScope,
    credential: Credential,
    connected_at: Timestamp,
    subscriber: Arc<Subscriber>,
    _place: Option<Place>,
    /// What was asked for; what is followed is what may be seen of it.
    asked: Mutex<Vec<Interest>>,
    /// Held from reading the set until the new one is in place, so that of two changes at once none is lost.
    changing: Mutex<()>,
    /// Whether the reader has yet to be told what the stream follows now.
    is_changed: AtomicBool,
    drain: OnceLock<Drain>,
    ending: OnceLock<Ending>,
    delivered: AtomicU64,
    cursor: Mutex<RecordId>,
    /// Whether its reader found nothing more when it last looked.
    is_caught_up: AtomicBool,
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
    pub(super) fn new(node: Option<NodeId>, number: u64, new: NewStream) -> Self {
        let NewStream {
            reader,
            asked,
            connected_at,
            subscriber,
            place,
        } = new;
        let secret = random::hex();
        Self {
            id: node
                .map_or_else(|| secret.clone(), |node| format!("{node}-{secret}"))
                .into(),
            node,
            number,
            owner: reader.owner,
            address: reader.address,
            is_named: reader.is_named,
            user_id: reader.user_id,
            scope: reader.scope,
            credential: reader.credential,
            connected_at,
            subscriber,
            _place: place,
            asked: Mutex::new(asked),
            changing: Mutex::default(),
            is_changed: AtomicBool::new(false),
            drain: OnceLock::new(),
            ending: OnceLock::new(),
            delivered: AtomicU64::new(0),
            cursor: Mutex::default(),
            is_caught_up: AtomicBool::new(false),
        }
    }

    /// Whether this caller, who knows its id, may change it.
    pub(super) fn is_of(&self, owner: &str) -> bool {
        !self.is_named || self.owner == owner
    }

    /// Whether it is of whom this concerns.
    pub(super) fn is_concerned(&self, revocation: &Revocation) -> bool {
        let user = self.is_named.then_some(self.user_id.as_str());
        revocation.concerns(user, &self.credential)
    }

    /// Whether it is of somebody who may no more.
    pub(super) fn is_shut_out(&self, revoked: &Revoked) -> bool {
        let user = self.is_named.then_some(self.user_id.as_str());
        revoked.shuts_out(user, &self.credential)
    }

    /// Whether this names it to an operator: by its id, or by its name or number in the statistics.
    pub(super) fn is_called(&self, name: &str) -> bool {
        let number = self.node.and_then(|node| node.strip(name)).unwrap_or(name);
        *self.id == *name || number.parse() == Ok(self.number)
    }

    /// Changes what it follows, and has its reader told. An entry is added where both whoever opened it and whoever asks
    /// may see something of it.
    pub(super) fn change(
        &self,
        change: &StreamChange,
        scope: &ReadScope,
    ) -> Result<Changed, TooManyPatterns> {
        let _changing = lock(&self.changing);
        let before = lock(&self.asked).clone();
        let mut set = before.clone();
        let may_see = |wanted: &ChannelPattern| self.scope.may_see(wanted) && scope.may_see(wanted);
        let results = change.apply(&mut set, may_see);
        let channels = patterns(&set);
        let visible = self.scope.visible(set.clone())?;
        let is_other = set != before;
        *lock(&self.asked) = set;
        let from_id = is_other.then(|| self.subscriber.set_interests(visible));
        if from_id.is_some() {
            // After the set, which the reader looks at when it sees this; before the wake-up that makes it look.
            self.is_changed.store(true, Ordering::Release);
            self.subscriber.wake();
        }
        Ok(Changed {
            channels,
            from_id,
            results,
        })
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

    /// Ends it at once.
    pub(super) fn close(&self, ending: Ending) {
        let _ = self.ending.set(ending);
        self.subscriber.wake();
    }

    pub(super) fn ending(&self) -> Option<Ending> {
        self.ending.get().copied()
    }

    pub(super) fn drain(&self) -> Option<Drain> {
        self.drain.get().copied()
    }

    pub(super) fn delivered(&self, records: u64, cursor: RecordId, is_all: bool) {
        self.is_caught_up.store(is_all, Ordering::Relaxed);
        self.delivered.fetch_add(records, Ordering::Relaxed);
        *lock(&self.cursor) = cursor;
    }

    pub(super) fn caught_up(&self, cursor: RecordId) {
        *lock(&self.cursor) = cursor;
        self.is_caught_up.store(true, Ordering::Relaxed);
    }

    /// The age of the oldest record that it has yet to be given; `None` where there is none up to the high-water mark.
    pub(super) fn lag_ms(&self, head: RecordId, now_ms: u64) -> Option<u64> {
        let cursor = *lock(&self.cursor);
        if cursor >= head {
            return None;
        }
        let oldest = self.subscriber.oldest_unread(cursor).or_else(|| {
            // What it has taken of its channels and not handed on: nothing there is older than what it handed on last.
            let has_some =
                !self.is_caught_up.load(Ordering::Relaxed) && self.delivered.load(Ordering::Relaxed) > 0;
            has_some.then_some(cursor)
        })?;
        Some(now_ms.saturating_sub(oldest.ms))
    }

    fn channels(&self) -> Vec<ChannelPattern> {
        patterns(&lock(&self.asked))
    }

    pub(super) fn overview(&self, lag_ms: u64) -> StreamOverview {
        StreamOverview {
            name: match self.node {
                Some(node) => format!("{node}-{}", self.number),
                None => self.number.to_string(),
            },
            number: self.number,
            node: self.node.map(|node| node.to_string()),
            user_id: self.user_id.clone(),
            channels: self.channels(),
            connected_at: self.connected_at,
            delivered: self.delivered.load(Ordering::Relaxed),
            cursor: *lock(&self.cursor),
            lag_ms,
        }
    }
}
