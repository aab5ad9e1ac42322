//! [`Buffer`]: the newest rows of a log.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use logs_shared::{Channel, ChannelPattern, LogRecord, RecordId, event::Gap};

/// One row of a log as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A record. Shared by all buffers it is in.
    Record(Arc<LogRecord>),
    /// Records may be missing here.
    Gap(Gap),
    /// What comes after the record with this id has not been loaded, up to the next row. Only a viewer makes it,
    /// a buffer has none.
    Unloaded(RecordId),
}

/// A row's place: its id, and what comes after the record with that id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey(RecordId, u64);

impl RowKey {
    /// The place of a record.
    #[must_use]
    pub const fn of(id: RecordId) -> Self {
        Self(id, 0)
    }

    /// The id of the record that is there, or after which the row comes.
    #[must_use]
    pub const fn id(self) -> RecordId {
        self.0
    }
}

impl Row {
    /// The row's place in the log; no two rows of a buffer have the same.
    #[must_use]
    pub fn key(&self) -> RowKey {
        match self {
            Self::Record(record) => RowKey(record.id, 0),
            // One cursor of several channels: a gap in each of them is a row of its own.
            Self::Gap(gap) => RowKey(gap.from, 1 + u64::from(checksum(gap.channel.as_str()))),
            Self::Unloaded(after) => RowKey(*after, u64::MAX),
        }
    }

    /// The record, where it is one.
    #[must_use]
    pub fn as_record(&self) -> Option<&Arc<LogRecord>> {
        match self {
            Self::Record(record) => Some(record),
            Self::Gap(_) | Self::Unloaded(_) => None,
        }
    }
}

/// Tells texts apart that stand in the same place (32-bit FNV-1a).
fn checksum(text: &str) -> u32 {
    let step = |sum: u32, byte: u8| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    text.bytes().fold(0x811c_9dc5, step)
}

/// The newest rows of a log, at most as many as it was made for.
///
/// Rows are in the order of their ids and none is there twice, whatever order they came in and
/// however often: a stream that takes over from another repeats what the other has sent.
#[derive(Clone, Debug, Default)]
pub struct Buffer {
    rows: VecDeque<Row>,
    max_rows: usize,
    has_dropped: bool,
    progress: Progress,
}

/// How far a buffer has come. Between two of them that differ in [`Self::appended`] only, rows came at the end and
/// went at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Which buffer it is.
    pub(crate) buffer: usize,
    /// How often a row came in between others.
    pub(crate) rewrites: u64,
    /// How many rows came at the end.
    pub(crate) appended: u64,
}

impl Progress {
    fn new() -> Self {
        static BUFFERS: AtomicUsize = AtomicUsize::new(1);
        Self {
            buffer: BUFFERS.fetch_add(1, Ordering::Relaxed),
            ..Self::default()
        }
    }
}

impl Buffer {
    /// A buffer for at most `max_rows` rows.
    #[must_use]
    pub fn new(max_rows: usize) -> Self {
        Self {
            rows: VecDeque::new(),
            max_rows,
            has_dropped: false,
            progress: Progress::new(),
        }
    }

    /// Puts a row in its place. A row that is there already, or older than all of a full buffer, is left out.
    pub fn insert(&mut self, row: Row) {
        let key = row.key();
        // Nearly every row is the newest.
        if self.rows.back().is_none_or(|newest| newest.key() < key) {
            self.rows.push_back(row);
            self.progress.appended += 1;
        } else if let Err(place) = self.rows.binary_search_by_key(&key, Row::key) {
            if place == 0 && self.rows.len() >= self.max_rows {
                self.has_dropped = true;
                return;
            }
            self.rows.insert(place, row);
            self.progress.rewrites += 1;
        }
        self.shrink();
    }

    /// Takes out the rows of these channels and patterns; all where there are none. What remains is a buffer of its own: whoever
    /// has rows from before, also others, lets go of them.
    pub(crate) fn forget(&mut self, patterns: &[ChannelPattern]) {
        let kept = std::mem::replace(self, Self::new(self.max_rows));
        let is_chosen = |channel: &Channel| patterns.iter().any(|pattern| pattern.matches(channel));
        let goes = |row: &Row| match row {
            Row::Record(record) => is_chosen(&record.channel),
            Row::Gap(Gap { channel, .. }) => {
                patterns.contains(channel) || channel.as_channel().is_some_and(|channel| is_chosen(&channel))
            }
            Row::Unloaded(_) => true,
        };
        for row in kept.rows {
            if !patterns.is_empty() && !goes(&row) {
                self.insert(row);
            }
        }
    }

    /// Changes how many rows there may be; the oldest go first.
    pub fn set_max_rows(&mut self, max_rows: usize) {
        self.max_rows = max_rows;
        self.shrink();
    }

    /// How many rows there may be.
    #[must_use]
    pub fn max_rows(&self) -> usize {
        self.max_rows
    }

    fn shrink(&mut self) {
        let over = self.rows.len().saturating_sub(self.max_rows);
        self.rows.drain(..over);
        self.has_dropped |= over > 0;
    }

    /// Whether there were rows before the oldest that had to make room.
    #[must_use]
    pub fn has_dropped(&self) -> bool {
        self.has_dropped
    }

    /// How far it has come.
    pub(crate) fn progress(&self) -> Progress {
        self.progress
    }

    /// The newest rows, at most so many, the oldest first.
    pub(crate) fn newest(&self, most: usize) -> impl Iterator<Item = &Row> {
        self.rows.range(self.rows.len().saturating_sub(most)..)
    }

    /// All rows, the oldest first.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = &Row> + ExactSizeIterator {
        self.rows.iter()
    }

    /// All records, the oldest first.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = &Arc<LogRecord>> {
        self.rows.iter().filter_map(Row::as_record)
    }

    /// How many rows come after this place.
    #[must_use]
    pub fn len_after(&self, key: RowKey) -> usize {
        self.rows.len() - self.rows.partition_point(|row| row.key() <= key)
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// Rows for tests.
#[cfg(test)]
pub(crate) mod testing {
    use logs_shared::{Fields, Level, LogEntry};

    use super::*;

    /// A record that came at this time.
    pub(crate) fn row(ms: u64, level: Level, message: &str) -> Row {
        let id = RecordId::new(ms, 0);
        let entry = LogEntry {
            channel: "logs:etl:w".parse().unwrap(),
            timestamp: "2025-09-25T10:30:00.000Z".parse().unwrap(),
            level,
            message: message.to_owned(),
            fields: Fields::default(),
        };
        Row::Record(Arc::new(LogRecord { id, entry }))
    }
}

#[cfg(test)]
mod tests {
    use logs_shared::{Level, event::GapReason};

    use super::*;

    fn record(ms: u64) -> Row {
        testing::row(ms, Level::Info, "m")
    }

    fn gap(channel: &str, from: u64, to: u64) -> Row {
        Row::Gap(Gap {
            channel: channel.parse().unwrap(),
            from: RecordId::new(from, 0),
            to: RecordId::new(to, 0),
            reason: GapReason::Retention,
        })
    }

    fn filled(max_rows: usize, ids: &[u64]) -> Buffer {
        let mut buffer = Buffer::new(max_rows);
        ids.iter().for_each(|ms| buffer.insert(record(*ms)));
        buffer
    }

    fn ids(buffer: &Buffer) -> Vec<u64> {
        buffer.rows().map(|row| row.key().0.ms).collect()
    }

    #[test]
    fn rows_are_in_order_and_none_is_there_twice() {
        assert_eq!(ids(&filled(10, &[3, 1, 2, 3, 5, 1, 4])), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn the_oldest_rows_make_room() {
        assert_eq!(ids(&filled(3, &[1, 2, 3, 4, 5])), [3, 4, 5]);
        // What is older than all of a full buffer is not taken in at another's cost.
        assert_eq!(ids(&filled(3, &[4, 5, 6, 2])), [4, 5, 6]);
        assert_eq!(ids(&filled(3, &[2, 5, 6, 4])), [4, 5, 6]);
        assert!(filled(0, &[1, 2]).is_empty());
        assert!(!filled(3, &[4, 5, 6]).has_dropped());
        assert!(filled(3, &[4, 5, 6, 2]).has_dropped() && filled(3, &[4, 5, 6, 7]).has_dropped());
    }

    #[test]
    fn a_gap_stands_between_the_records_it_separates() {
        let mut buffer = filled(10, &[1, 9]);
        buffer.insert(gap("logs:etl:w", 1, 9));
        buffer.insert(gap("logs:etl:w", 1, 9));
        buffer.insert(gap("logs:faas:w", 1, 9));
        let keys: Vec<_> = buffer.rows().map(|row| matches!(row, Row::Gap(_))).collect();
        assert_eq!(keys, [false, true, true, false], "one for each channel");
    }

    #[test]
    fn it_tells_how_far_it_has_come() {
        let mut buffer = filled(3, &[1, 2, 5, 6]);
        let before = buffer.progress();
        buffer.insert(record(6));
        buffer.insert(record(1));
        assert_eq!(buffer.progress(), before, "nothing came in");
        buffer.insert(record(7));
        assert_eq!((before.appended, buffer.progress().appended), (4, 5));
        assert_eq!(buffer.progress().rewrites, before.rewrites);
        buffer.insert(record(6));
        buffer.set_max_rows(9);
        buffer.insert(record(4));
        assert_ne!(buffer.progress().rewrites, before.rewrites);
        assert_ne!(
            filled(3, &[1, 2]).progress(),
            filled(3, &[1, 2]).progress(),
            "another buffer"
        );
    }

    #[test]
    fn what_is_forgotten_is_gone_and_the_rest_is_another_buffer() {
        let mut buffer = filled(10, &[1, 9]);
        buffer.insert(gap("logs:faas:w", 1, 9));
        buffer.insert(gap("logs:*:w:*", 1, 9));
        let before = buffer.progress();
        buffer.forget(&["logs:faas:*".parse().unwrap()]);
        assert_eq!((buffer.len(), buffer.records().count()), (3, 2));
        assert_ne!(
            buffer.progress().buffer,
            before.buffer,
            "a view lets go of what it had"
        );
        buffer.forget(&["logs:*:w:*".parse().unwrap()]);
        assert_eq!(buffer.len(), 0, "{buffer:?}");
        let mut buffer = filled(10, &[1, 9]);
        buffer.forget(&[]);
        assert!(buffer.is_empty() && buffer.max_rows() == 10);
    }

    #[test]
    fn a_smaller_buffer_keeps_the_newest() {
        let mut buffer = filled(10, &[1, 2, 3, 4]);
        buffer.set_max_rows(2);
        assert_eq!(ids(&buffer), [3, 4]);
        assert_eq!(buffer.len_after(record(3).key()), 1);
        assert_eq!(buffer.len_after(record(0).key()), 2);
    }
}
