//! [`ChannelLog`]: one channel's records, and who follows it.

mod fetch;
mod heard;
mod joined;
mod overview;

use std::sync::{
    Arc, Mutex, RwLock,
    atomic::{AtomicBool, Ordering},
};

use logs_shared::{Channel, Conditions, RecordId, event::GapReason};

pub(super) use self::overview::overview;
use super::{
    batches,
    filter::{self, Slots},
    lock, lock_mut, read,
    store::Kept,
    tail::{Stored, Tail},
    waking::Waking,
    watch::{Link, Signal},
    write,
};

/// One channel's records, and who follows it.
pub(crate) struct ChannelLog {
    channel: Channel,
    /// No other channel log has it.
    serial: u64,
    state: RwLock<State>,
    /// Whether the writer has records for it in hand: then it must stay where it is.
    pending: AtomicBool,
    /// Whether the sweeper has been told that it has more records than retention keeps.
    noticed: AtomicBool,
}

#[derive(Default)]
struct State {
    kept: Kept,
    tail: Tail,
    /// Every record after this one is in the tail. Without a store the same as `kept.trimmed_to`; [`UNHEARD`] where it is not
    /// known yet from where on that is so.
    tail_from: RecordId,
    /// Records up to here were lost with everything that the store had, before this log began anew.
    lost_to: RecordId,
    links: Vec<Arc<Link>>,
    /// Those of them whose readers have read all there is. Changes under the channel's lock too, so that a record that comes meets
    /// each of its readers here or in the midst of reading.
    idle: Mutex<Vec<Arc<Link>>>,
    slots: Slots,
}

/// What a reader finds in a channel.
pub(crate) enum Found<'a> {
    /// Records after `from` and before `to` are gone, or cannot be read.
    Gap {
        /// The reader's cursor.
        from: RecordId,
        /// The oldest record that is left, or where one may be.
        to: RecordId,
        /// What became of them.
        reason: GapReason,
    },
    /// The next record.
    Record(&'a Stored),
}

/// What a channel still has for a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// Perhaps more records up to the limit.
    More,
    /// Records that only the store has, see [`ChannelLog::fetch`].
    InStore,
    /// Only records beyond the limit.
    Beyond,
    /// Nothing. The reader was unmarked, and will be marked again by the next record.
    Nothing,
}

/// What an append changed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Growth {
    /// Bytes of memory given back.
    pub(super) lost: u64,
    /// How many records it has now.
    pub(super) records: u64,
}

/// Nothing that is published to the channel is heard for certain yet.
const UNHEARD: RecordId = RecordId::new(u64::MAX, u64::MAX);

/// How many records are looked at while the lock is held: a writer waits no longer than that.
const LOOKS_PER_LOCK: usize = 2_048;

impl ChannelLog {
    /// A channel of which so much is kept on disk.
    pub(super) fn new(channel: Channel, kept: Kept) -> Self {
        let state = State {
            kept,
            tail_from: kept.last_id.max(kept.trimmed_to),
            ..State::default()
        };
        Self::with(channel, state)
    }

    /// A channel to which others publish. All that comes after `from` is heard; where that is not known yet, see
    /// [`Self::hear_from`].
    pub(super) fn heard_of(channel: Channel, from: Option<RecordId>) -> Self {
        let state = State {
            tail_from: from.unwrap_or(UNHEARD),
            ..State::default()
        };
        Self::with(channel, state)
    }

    fn with(channel: Channel, state: State) -> Self {
        Self {
            channel,
            serial: batches::serial(),
            state: RwLock::new(state),
            pending: AtomicBool::new(false),
            noticed: AtomicBool::new(false),
        }
    }

    /// Notes whether the sweeper has been told. Returns whether it had been.
    pub(super) fn set_noticed(&self, noticed: bool) -> bool {
        self.noticed.swap(noticed, Ordering::Relaxed)
    }

    pub(crate) fn channel(&self) -> &Channel {
        &self.channel
    }

    pub(super) fn kept(&self) -> Kept {
        read(&self.state).kept
    }

    pub(super) fn set_number(&self, number: u32) {
        write(&self.state).kept.number = number;
    }

    /// Keeps it in memory while the writer has records for it. Changes under the directory's lock only.
    pub(super) fn set_pending(&self, pending: bool) {
        self.pending.store(pending, Ordering::Relaxed);
    }

    /// Appends records of so many bytes, as retention counts them, and marks the readers that must look; those that
    /// were not marked already go to `waking`. Of more than `most` records the oldest are lost for good.
    pub(super) fn append(&self, records: Vec<Stored>, bytes: u64, most: u64, waking: &mut Waking) -> Growth {
        let (Some(first), Some(last)) = (records.first(), records.last()) else {
            return Growth::default();
        };
        let (first_id, last_id, count) = (first.id, last.id, records.len() as u64);
        let mut state = write(&self.state);
        for record in records {
            state.tail.push(record);
        }
        state.kept.gain(count, bytes, first_id, last_id);
        let mut lost = 0;
        while state.kept.records > most {
            lost += state.lose_oldest();
        }
        state.mark_idle(waking);
        Growth {
            lost,
            records: state.kept.records,
        }
    }

    /// Takes what the store has for what is true, where it has more than was known of. Returns the bytes of memory
    /// that gave.
    pub(super) fn restore(&self, kept: Kept, waking: &mut Waking) -> u64 {
        let mut state = write(&self.state);
        if state.kept == kept {
            return 0;
        }
        let freed = std::mem::take(&mut state.tail).bytes();
        state.kept = kept;
        state.tail_from = kept.last_id.max(kept.trimmed_to);
        state.mark_all(waking);
        freed
    }

    /// Marks all readers that follow it.
    pub(super) fn mark_all(&self, waking: &mut Waking) {
        write(&self.state).mark_all(waking);
    }

    /// Gives what is after the cursor, up to `limit`, to `each`, as long as it returns true. The cursor
    /// moves to the last record that was looked at.
    pub(crate) fn take(
        &self,
        link: &Arc<Link>,
        cursor: &mut RecordId,
        limit: RecordId,
        mut each: impl FnMut(Found<'_>) -> bool,
    ) -> Left {
        let state = read(&self.state);
        if *cursor < state.tail_from {
            if let Some((gap, to)) = state.gap_after(*cursor) {
                *cursor = to;
                each(gap);
            }
            if *cursor < state.tail_from {
                return if *cursor < limit {
                    Left::InStore
                } else {
                    Left::Beyond
                };
            }
        }
        let mut looks = 0;
        for record in state.tail.after(*cursor) {
            if record.id > limit {
                return Left::Beyond;
            }
            *cursor = record.id;
            looks += 1;
            if (link.wants(record) && !each(Found::Record(record))) || looks == LOOKS_PER_LOCK {
                return Left::More;
            }
        }
        link.unmark(&mut lock(&state.idle));
        Left::Nothing
    }

    /// Unmarks a reader that has nothing left to read after its cursor. Returns whether that is so.
    pub(crate) fn settle(&self, link: &Arc<Link>, cursor: RecordId) -> bool {
        let state = read(&self.state);
        let is_read = cursor >= state.tail_from && state.tail.last_id().is_none_or(|last| last <= cursor);
        if is_read {
            link.unmark(&mut lock(&state.idle));
        }
        is_read
    }

    /// The newest record there ever was.
    pub(crate) fn last_id(&self) -> RecordId {
        read(&self.state).kept.last_id
    }

    /// Adds a follower, made with the conditions that the channel's followers share.
    pub(super) fn follow(
        &self,
        link: impl FnOnce(&mut dyn FnMut(&Conditions) -> Arc<filter::Shared>) -> Link,
    ) -> Arc<Link> {
        let mut state = write(&self.state);
        let last_id = state.kept.last_id;
        let slots = &mut state.slots;
        let link = Arc::new(link(&mut |conditions| slots.share(conditions, last_id)));
        state.links.push(link.clone());
        link
    }

    pub(super) fn unfollow(&self, signal: &Arc<Signal>) {
        let mut state = write(&self.state);
        state.links.retain(|link| !Arc::ptr_eq(&link.signal, signal));
        if state.links.len() * 4 < state.links.capacity() {
            state.links.shrink_to_fit();
        }
        // Who is detached by now unmarks itself no more.
        let idle = lock_mut(&mut state.idle);
        idle.retain(|link| !Arc::ptr_eq(&link.signal, signal));
        if idle.len() * 4 < idle.capacity() {
            idle.shrink_to_fit();
        }
    }

    /// Who follows it.
    pub(super) fn signals(&self) -> Vec<Arc<Signal>> {
        let state = read(&self.state);
        state.links.iter().map(|link| link.signal.clone()).collect()
    }

    /// How many streams follow it.
    pub(super) fn followers(&self) -> usize {
        read(&self.state).links.len()
    }

    /// Lets go of records up to `to`, so many of so many bytes, for good. `first_id` is the oldest left, where that is
    /// known. Returns the bytes of memory that gave.
    pub(super) fn trim(&self, records: u64, bytes: u64, to: RecordId, first_id: Option<RecordId>) -> u64 {
        let mut state = write(&self.state);
        let mut given = 0;
        while state.tail.first_id().is_some_and(|first| first <= to) {
            given += state.tail.pop_oldest().map_or(0, |(_, cost)| cost);
        }
        let first_id = first_id
            .or_else(|| (state.tail_from <= to).then(|| state.tail.first_id()).flatten())
            .unwrap_or_else(|| to.next());
        state.kept.lose(records, bytes, to, first_id);
        state.tail_from = state.tail_from.max(to);
        given
    }

    /// Lets go of what the tail has up to `last`, where the store has it too; for good where there is no store.
    /// Returns the bytes of memory that gave.
    pub(super) fn shorten_tail(&self, stored: bool, last: RecordId) -> u64 {
        let mut state = write(&self.state);
        let mut given = 0;
        while state.tail.first_id().is_some_and(|first| first <= last) {
            if stored {
                if let Some((id, cost)) = state.tail.pop_oldest() {
                    state.tail_from = id;
                    given += cost;
                }
            } else {
                given += state.lose_oldest();
            }
        }
        given
    }

    /// Lets go of what the tail has up to `last`, and of all but the newest `most`, which the store has let go of too.
    /// Returns the bytes of memory that gave.
    pub(super) fn forget_in_tail(&self, last: RecordId, most: u64) -> u64 {
        let is_more =
            |tail: &Tail| tail.len() as u64 > most || tail.first_id().is_some_and(|first| first <= last);
        if !is_more(&read(&self.state).tail) {
            return 0;
        }
        let mut state = write(&self.state);
        let mut given = 0;
        while is_more(&state.tail) {
            let Some((id, cost)) = state.tail.pop_oldest() else {
                break;
            };
            state.tail_from = id;
            given += cost;
        }
        given
    }

    /// Gives what the tail has to `each`, the oldest first, each with its bytes of memory, as long as it returns true.
    pub(super) fn each_in_tail(&self, mut each: impl FnMut(RecordId, u64) -> bool) {
        let state = read(&self.state);
        let _ = state
            .tail
            .after(RecordId::ZERO)
            .all(|record| each(record.id, record.cost()));
    }

    /// Whether nobody would miss it: it never had a record, and nobody waits for one.
    pub(super) fn is_unused(&self) -> bool {
        let state = read(&self.state);
        state.kept.last_id == RecordId::ZERO
            && state.links.is_empty()
            && !self.pending.load(Ordering::Relaxed)
    }

    /// Whether its records are all in the store only, and whoever follows it has read them and will be found again by
    /// a pattern when the next one comes.
    pub(super) fn is_idle(&self) -> bool {
        let state = read(&self.state);
        let rests = |link: &Arc<Link>| !link.by_name && link.is_idle();
        state.tail.len() == 0 && state.links.iter().all(rests) && !self.pending.load(Ordering::Relaxed)
    }

    /// Takes the links to it away from its followers.
    pub(super) fn leave_all(&self) {
        let mut state = write(&self.state);
        for link in std::mem::take(&mut state.links) {
            link.signal.detach(&self.channel);
        }
        drop(std::mem::take(lock_mut(&mut state.idle)));
    }

    /// The oldest record after the cursor, or where one may be that only the store has.
    pub(super) fn first_after(&self, cursor: RecordId) -> Option<RecordId> {
        let state = read(&self.state);
        if cursor >= state.kept.last_id || state.kept.records == 0 {
            return None;
        }
        let cursor = cursor.max(state.kept.trimmed_to);
        if cursor < state.tail_from {
            return Some(cursor.next().max(state.kept.first_id));
        }
        state.tail.after(cursor).next().map(|record| record.id)
    }
}

impl State {
    /// Marks the readers that have read all there was. The others look here once more by themselves before they rest.
    fn mark_idle(&mut self, waking: &mut Waking) {
        waking.wanted += self.links.len() as u64;
        for link in lock_mut(&mut self.idle).drain(..) {
            link.mark(waking);
        }
    }

    /// Marks all readers, and has those woken too that are in the midst of reading.
    fn mark_all(&mut self, waking: &mut Waking) {
        lock_mut(&mut self.idle).clear();
        self.links.iter().for_each(|link| link.clone().mark(waking));
    }

    /// Lets go of the oldest record for good, and returns the bytes of memory that gave.
    fn lose_oldest(&mut self) -> u64 {
        let Some((id, cost)) = self.tail.pop_oldest() else {
            return 0;
        };
        let first_id = self.tail.first_id().unwrap_or_else(|| id.next());
        self.kept.lose(1, cost, id, first_id);
        self.tail_from = id;
        cost
    }

    /// What a reader with this cursor has missed for good, and where it goes on.
    fn gap_after(&self, cursor: RecordId) -> Option<(Found<'static>, RecordId)> {
        if cursor < self.lost_to {
            let gap = Found::Gap {
                from: cursor,
                to: self.lost_to.next(),
                reason: GapReason::Restart,
            };
            return Some((gap, self.lost_to));
        }
        (cursor < self.kept.trimmed_to).then(|| {
            let gap = Found::Gap {
                from: cursor,
                to: if self.kept.records > 0 {
                    self.kept.first_id
                } else {
                    self.kept.trimmed_to.next()
                },
                reason: GapReason::Retention,
            };
            (gap, self.kept.trimmed_to)
        })
    }
}
