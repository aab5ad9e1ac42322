//! [`Tail`]: the newest records of one channel, in memory.

use std::{collections::VecDeque, sync::Arc};

use logs_shared::{Level, RecordId};

/// A record as readers get it: its bytes are made once and shared by all.
#[derive(Clone)]
pub(crate) struct Stored {
    pub(crate) id: RecordId,
    pub(crate) level: Level,
    /// One whole Server-Sent Event.
    pub(crate) frame: Arc<[u8]>,
}

/// What a record costs beside its frame: its place in the queue and the frame's counters.
const OVERHEAD: usize = size_of::<Stored>() + 2 * size_of::<usize>();

impl Stored {
    /// Whether it is at least this grave.
    pub(crate) fn is_at_least(&self, level: Option<Level>) -> bool {
        level.is_none_or(|level| self.level >= level)
    }

    fn cost(&self) -> usize {
        self.frame.len() + OVERHEAD
    }
}

/// The newest records of one channel, ids ascending.
#[derive(Default)]
pub(crate) struct Tail {
    records: VecDeque<Stored>,
    bytes: usize,
    /// The newest record that was let go: a reader whose cursor is before it has missed something.
    trimmed_to: Option<RecordId>,
}

impl Tail {
    /// Adds the newest record.
    pub(crate) fn push(&mut self, record: Stored) {
        debug_assert!(self.last_id().is_none_or(|last| last < record.id));
        self.bytes += record.cost();
        self.records.push_back(record);
    }

    /// Lets go of the oldest record. Returns the bytes that gave.
    pub(crate) fn pop_oldest(&mut self) -> usize {
        let Some(record) = self.records.pop_front() else {
            return 0;
        };
        self.trimmed_to = Some(record.id);
        let cost = record.cost();
        self.bytes -= cost;
        // A tail that was once long gives its memory back when it is short again.
        if self.records.len() * 4 < self.records.capacity() && self.records.capacity() > 64 {
            self.records.shrink_to(self.records.len() * 2);
        }
        cost
    }

    /// The records with ids above the cursor, ascending.
    pub(crate) fn after(&self, cursor: RecordId) -> impl Iterator<Item = &Stored> {
        let start = self.records.partition_point(|record| record.id <= cursor);
        self.records.range(start..)
    }

    /// The records with ids up to this one, newest first.
    pub(crate) fn newest_up_to(&self, id: RecordId) -> impl Iterator<Item = &Stored> {
        let end = self.records.partition_point(|record| record.id <= id);
        self.records.range(..end).rev()
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn first_id(&self) -> Option<RecordId> {
        self.records.front().map(|record| record.id)
    }

    pub(crate) fn last_id(&self) -> Option<RecordId> {
        self.records.back().map(|record| record.id)
    }

    pub(crate) fn trimmed_to(&self) -> Option<RecordId> {
        self.trimmed_to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(ids: &[u64]) -> Tail {
        let mut tail = Tail::default();
        for ms in ids {
            let frame = Arc::from(&b"frame"[..]);
            tail.push(Stored {
                id: RecordId::new(*ms, 0),
                level: Level::Info,
                frame,
            });
        }
        tail
    }

    fn ids<'a>(records: impl Iterator<Item = &'a Stored>) -> Vec<u64> {
        records.map(|record| record.id.ms).collect()
    }

    #[test]
    fn reading_starts_behind_the_cursor_whether_it_is_a_record_or_not() {
        let tail = tail(&[10, 20, 30]);
        for (cursor, rest) in [
            (0, &[10, 20, 30][..]),
            (10, &[20, 30]),
            (15, &[20, 30]),
            (30, &[]),
            (99, &[]),
        ] {
            assert_eq!(ids(tail.after(RecordId::new(cursor, 0))), rest, "{cursor}");
        }
        assert_eq!(ids(tail.newest_up_to(RecordId::new(25, 0))), [20, 10]);
    }

    #[test]
    fn what_is_let_go_is_remembered_and_its_memory_returned() {
        let mut tail = tail(&(1..=1_000).collect::<Vec<_>>());
        let bytes = tail.bytes();
        let given: usize = (0..999).map(|_| tail.pop_oldest()).sum();
        assert_eq!(tail.bytes() + given, bytes);
        assert_eq!(tail.trimmed_to(), Some(RecordId::new(999, 0)));
        assert_eq!(
            (tail.first_id(), tail.last_id()),
            (Some(RecordId::new(1_000, 0)), Some(RecordId::new(1_000, 0)))
        );
        assert!(tail.records.capacity() <= 64);
        tail.pop_oldest();
        assert_eq!((tail.pop_oldest(), tail.bytes()), (0, 0));
    }
}
