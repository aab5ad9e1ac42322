//! [`Tail`]: the newest records of one channel, in memory.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use logs_shared::{Level, RecordId};

use super::stamp::Stamp;

/// A record as readers get it: its bytes are made once and shared by all.
pub(crate) struct Stored {
    pub(crate) id: RecordId,
    pub(crate) level: Level,
    /// When it came.
    pub(crate) stamp: Stamp,
    /// One whole Server-Sent Event.
    pub(crate) frame: Arc<[u8]>,
    /// What filters have found about it: two bits each, whether it was looked at and whether it passed.
    verdicts: AtomicU64,
}

/// What a record costs beside its frame: its place in the queue and the frame's counters.
const OVERHEAD: usize = size_of::<Stored>() + 2 * size_of::<usize>();

/// How many filters a record can keep the verdicts of.
pub(super) const VERDICTS: usize = 32;

impl Stored {
    pub(crate) fn new(id: RecordId, level: Level, stamp: Stamp, frame: &[u8]) -> Self {
        Self {
            id,
            level,
            stamp,
            frame: Arc::from(frame),
            verdicts: AtomicU64::new(0),
        }
    }

    /// Whether it is at least this grave.
    pub(crate) fn is_at_least(&self, level: Option<Level>) -> bool {
        level.is_none_or(|level| self.level >= level)
    }

    /// The record's JSON within its frame.
    pub(crate) fn json(&self) -> &str {
        const DATA: &[u8] = b"\ndata: ";
        let start = self.frame.windows(DATA.len()).position(|window| window == DATA);
        let data = start.and_then(|start| self.frame.get(start + DATA.len()..));
        let json = data.and_then(|data| data.strip_suffix(b"\n\n"));
        json.and_then(|json| std::str::from_utf8(json).ok())
            .unwrap_or_default()
    }

    /// What the filter in this place found about the record; found now, where nobody has asked yet.
    pub(super) fn verdict(&self, place: usize, find: impl FnOnce() -> bool) -> bool {
        debug_assert!(place < VERDICTS);
        let (known, passed) = (1 << (2 * place), 2 << (2 * place));
        let verdicts = self.verdicts.load(Ordering::Relaxed);
        if verdicts & known != 0 {
            return verdicts & passed != 0;
        }
        let verdict = find();
        // Who asks at the same time finds the same.
        let bits = if verdict { known | passed } else { known };
        self.verdicts.fetch_or(bits, Ordering::Relaxed);
        verdict
    }

    pub(super) fn cost(&self) -> u64 {
        (self.frame.len() + OVERHEAD) as u64
    }
}

impl Clone for Stored {
    fn clone(&self) -> Self {
        Self {
            id: self.id,
            level: self.level,
            stamp: self.stamp,
            frame: self.frame.clone(),
            verdicts: AtomicU64::new(self.verdicts.load(Ordering::Relaxed)),
        }
    }
}

/// The newest records of one channel, ids ascending.
#[derive(Default)]
pub(crate) struct Tail {
    records: VecDeque<Stored>,
    bytes: u64,
}

impl Tail {
    /// Adds the newest record.
    pub(crate) fn push(&mut self, record: Stored) {
        debug_assert!(self.last_id().is_none_or(|last| last < record.id));
        self.bytes += record.cost();
        self.records.push_back(record);
    }

    /// Lets go of the oldest record, and returns its id and the bytes that gave.
    pub(crate) fn pop_oldest(&mut self) -> Option<(RecordId, u64)> {
        let record = self.records.pop_front()?;
        let cost = record.cost();
        self.bytes -= cost;
        // A tail that was once long gives its memory back when it is short again.
        if self.records.len() * 4 < self.records.capacity() && self.records.capacity() > 64 {
            self.records.shrink_to(self.records.len() * 2);
        } else if self.records.is_empty() {
            self.records.shrink_to_fit();
        }
        Some((record.id, cost))
    }

    /// The records with ids above the cursor, ascending.
    pub(crate) fn after(&self, cursor: RecordId) -> impl Iterator<Item = &Stored> {
        let start = self.records.partition_point(|record| record.id <= cursor);
        self.records.range(start..)
    }

    /// How many have ids above the cursor.
    pub(crate) fn count_after(&self, cursor: RecordId) -> usize {
        self.records.len() - self.records.partition_point(|record| record.id <= cursor)
    }

    /// The records with ids up to this one, newest first.
    pub(crate) fn newest_up_to(&self, id: RecordId) -> impl Iterator<Item = &Stored> {
        let end = self.records.partition_point(|record| record.id <= id);
        self.records.range(..end).rev()
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn first_id(&self) -> Option<RecordId> {
        self.records.front().map(|record| record.id)
    }

    pub(crate) fn last_id(&self) -> Option<RecordId> {
        self.records.back().map(|record| record.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(ids: &[u64]) -> Tail {
        let mut tail = Tail::default();
        for ms in ids {
            tail.push(Stored::new(
                RecordId::new(*ms, 0),
                Level::Info,
                Stamp::UNKNOWN,
                b"frame",
            ));
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
    fn what_is_let_go_gives_its_memory_back() {
        let mut tail = tail(&(1..=1_000).collect::<Vec<_>>());
        let bytes = tail.bytes();
        let popped: Vec<_> = (0..999).filter_map(|_| tail.pop_oldest()).collect();
        let given: u64 = popped.iter().map(|(_, cost)| cost).sum();
        assert_eq!(tail.bytes() + given, bytes);
        assert_eq!(popped.last().map(|(id, _)| id.ms), Some(999));
        assert_eq!(tail.first_id(), tail.last_id());
        assert!(tail.records.capacity() <= 64);
        assert!(tail.pop_oldest().is_some() && tail.pop_oldest().is_none());
        assert_eq!((tail.bytes(), tail.records.capacity()), (0, 0));
    }

    #[test]
    fn a_verdict_is_found_once_for_each_filter() {
        let record = Stored::new(
            RecordId::new(1, 0),
            Level::Info,
            Stamp::UNKNOWN,
            b"id: 1-0\ndata: {\"a\":1}\n\n",
        );
        assert_eq!(record.json(), "{\"a\":1}");
        for place in [0, 7, VERDICTS - 1] {
            let verdict = place != 7;
            assert_eq!(record.verdict(place, || verdict), verdict);
            assert_eq!(record.clone().verdict(place, || panic!("asked twice")), verdict);
        }
    }
}
