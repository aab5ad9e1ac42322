//! [`ChannelLog`]: one channel's records, and who follows it.

use std::sync::{Arc, RwLock, atomic::Ordering};

use logs_shared::{Channel, Level, RecordId, overview::ChannelOverview};

use super::{
    read,
    tail::{Stored, Tail},
    watch::{Link, Signal},
    write,
};

/// One channel's records, and who follows it.
pub(crate) struct ChannelLog {
    channel: Channel,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    tail: Tail,
    links: Vec<Arc<Link>>,
}

/// What a reader finds in a channel.
pub(crate) enum Found<'a> {
    /// Retention took records before the reader came: after `from`, before `to`.
    Gap {
        /// The reader's cursor.
        from: RecordId,
        /// The oldest record that is left, or where one may be.
        to: RecordId,
    },
    /// The next record.
    Record(&'a Stored),
}

/// What a channel still has for a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// Perhaps more records up to the limit.
    More,
    /// Only records beyond the limit.
    Beyond,
    /// Nothing. The reader was unmarked, and will be marked again by the next record.
    Nothing,
}

/// How many records are looked at while the lock is held: a writer waits no longer than that.
const LOOKS_PER_LOCK: usize = 2_048;

impl ChannelLog {
    pub(super) fn new(channel: Channel) -> Self {
        Self {
            channel,
            state: RwLock::default(),
        }
    }

    pub(crate) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Appends records and marks the readers that must look; those that were not marked already go
    /// to `wake`. Returns the bytes gained and lost, and the number of followers.
    pub(super) fn append(
        &self,
        records: Vec<Stored>,
        most: usize,
        wake: &mut Vec<Arc<Signal>>,
    ) -> (usize, usize, usize) {
        let mut state = write(&self.state);
        let before = state.tail.bytes();
        let mut lost = 0;
        for record in records {
            state.tail.push(record);
        }
        let gained = state.tail.bytes() - before;
        while state.tail.len() > most {
            lost += state.tail.pop_oldest();
        }
        // Under the lock, so that a reader that found nothing more cannot unmark itself in between.
        for link in &state.links {
            link.mark(wake);
        }
        (gained, lost, state.links.len())
    }

    /// Gives what is after the cursor, up to `limit`, to `each`, as long as it returns true. The cursor
    /// moves to the last record that was looked at.
    pub(crate) fn take(
        &self,
        link: &Link,
        cursor: &mut RecordId,
        limit: RecordId,
        level: Option<Level>,
        mut each: impl FnMut(Found<'_>) -> bool,
    ) -> Left {
        let state = read(&self.state);
        if let Some(trimmed_to) = state.tail.trimmed_to().filter(|trimmed_to| *cursor < *trimmed_to) {
            let to = state.tail.first_id().unwrap_or_else(|| trimmed_to.next());
            each(Found::Gap { from: *cursor, to });
            *cursor = trimmed_to;
        }
        let mut looks = 0;
        for record in state.tail.after(*cursor) {
            if record.id > limit {
                return Left::Beyond;
            }
            *cursor = record.id;
            looks += 1;
            if (record.is_at_least(level) && !each(Found::Record(record))) || looks == LOOKS_PER_LOCK {
                return Left::More;
            }
        }
        link.queued.store(false, Ordering::Relaxed);
        Left::Nothing
    }

    /// Gives the newest records up to `limit` to `each`, the newest first, as long as it returns true.
    /// The lock is held for a portion of them at a time, and never while `each` looks at one.
    pub(crate) fn newest(&self, mut limit: RecordId, mut each: impl FnMut(&Stored) -> bool) {
        const PORTION: usize = 256;
        loop {
            let portion: Vec<Stored> = read(&self.state)
                .tail
                .newest_up_to(limit)
                .take(PORTION)
                .cloned()
                .collect();
            if !portion.iter().all(&mut each) || portion.len() < PORTION {
                return;
            }
            if let Some(oldest) = portion.last() {
                limit = oldest.id.previous();
            }
        }
    }

    pub(super) fn follow(&self, link: Arc<Link>) {
        write(&self.state).links.push(link);
    }

    pub(super) fn unfollow(&self, signal: &Arc<Signal>) {
        let mut state = write(&self.state);
        state.links.retain(|link| !Arc::ptr_eq(&link.signal, signal));
        if state.links.len() * 4 < state.links.capacity() {
            state.links.shrink_to_fit();
        }
    }

    /// Lets go of records before this id. Returns the bytes that gave.
    pub(super) fn trim_before(&self, id: RecordId) -> u64 {
        let mut state = write(&self.state);
        let mut given = 0;
        while state.tail.first_id().is_some_and(|first| first < id) {
            given += state.tail.pop_oldest();
        }
        given as u64
    }

    /// Lets go of the older half of its records. Returns the bytes that gave.
    pub(super) fn trim_half(&self) -> u64 {
        let mut state = write(&self.state);
        (0..state.tail.len().div_ceil(2))
            .map(|_| state.tail.pop_oldest() as u64)
            .sum()
    }

    pub(super) fn first_id(&self) -> Option<RecordId> {
        read(&self.state).tail.first_id()
    }

    /// Whether nobody would miss it: it never had a record, and nobody waits for one.
    pub(super) fn is_unused(&self) -> bool {
        let state = read(&self.state);
        state.tail.len() == 0 && state.tail.trimmed_to().is_none() && state.links.is_empty()
    }

    pub(super) fn overview(&self) -> ChannelOverview {
        let state = read(&self.state);
        ChannelOverview {
            channel: self.channel.clone(),
            service: self.channel.service().to_owned(),
            workspace_id: self.channel.workspace_id().to_owned(),
            resource_id: self.channel.resource_id().map(str::to_owned),
            records: state.tail.len(),
            first_id: state.tail.first_id(),
            last_id: state.tail.last_id(),
            readers: state.links.len(),
        }
    }
}
