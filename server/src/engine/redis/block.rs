//! Blocks: neighbouring records of one channel as they lie in Redis and as they are published to the gateways.
//!
//! A block holds records of one channel with consecutive ids of one millisecond, and is named by the last of them.
//! Its data has a line for each: one digit for the level, then the record's JSON from behind its id. The ids themselves
//! are not in it, because they are given in Redis, where the data is not touched.

use std::fmt::Write;

use logs_shared::{Level, RecordId, record::EncodedEntry, sse};

use crate::engine::{NewRecord, Stamp, Stored};

/// About how large a block may become.
pub(super) const BLOCK_BYTES: usize = 256 << 10;

/// A block that is about to be appended: everything but its ids.
#[derive(Debug, Default)]
pub(super) struct NewBlock {
    pub(super) records: u64,
    pub(super) data: String,
}

impl NewBlock {
    /// Adds a record behind the others. A block takes one record of any size, and others as long as it has room: returns
    /// whether it took this one.
    pub(super) fn push(&mut self, record: &NewRecord) -> bool {
        let json = record.json.after_id();
        if self.records > 0 {
            if self.data.len() + json.len() + 2 > BLOCK_BYTES {
                return false;
            }
            self.data.push('\n');
        }
        // Writing to a string does not fail.
        let _ = write!(self.data, "{}", record.level as u8);
        self.data.push_str(json);
        self.records += 1;
        true
    }
}

/// A block as it is in Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Block<'a> {
    pub(in crate::engine) last_id: RecordId,
    pub(in crate::engine) records: u64,
    data: &'a [u8],
}

/// The block is not what a gateway has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a block of records in Redis is damaged")]
pub(in crate::engine) struct Damaged;

impl<'a> Block<'a> {
    /// # Errors
    /// [`Damaged`]: there are not as many records in it as are said to be.
    pub(super) fn new(last_id: RecordId, records: u64, data: &'a [u8]) -> Result<Self, Damaged> {
        let lines = 1 + data.iter().filter(|byte| **byte == b'\n').count() as u64;
        if lines != records || records > last_id.seq.saturating_add(1) {
            return Err(Damaged);
        }
        Ok(Self {
            last_id,
            records,
            data,
        })
    }

    /// Reads what is published when a block is appended: the last id and the number of records on a line of their own,
    /// then the data.
    ///
    /// # Errors
    /// [`Damaged`].
    pub(in crate::engine) fn from_message(message: &'a [u8]) -> Result<Self, Damaged> {
        let end = message.iter().position(|byte| *byte == b'\n').ok_or(Damaged)?;
        let (head, data) = (&message[..end], &message[end + 1..]);
        let head = std::str::from_utf8(head).map_err(|_| Damaged)?;
        let (last_id, records) = head.split_once(' ').ok_or(Damaged)?;
        let last_id = last_id.parse().map_err(|_| Damaged)?;
        Self::new(last_id, records.parse().map_err(|_| Damaged)?, data)
    }

    /// The id of its first record.
    pub(in crate::engine) fn first_id(&self) -> RecordId {
        // One record at least there is, so that this does not end at less than nothing, nor at more than the most.
        RecordId::new(self.last_id.ms, self.last_id.seq - (self.records - 1))
    }

    /// Its records as readers get them, which came at this time, ids ascending.
    ///
    /// # Errors
    /// [`Damaged`]: a line of it is no record.
    pub(in crate::engine) fn read(&self, stamp: Stamp) -> Result<Vec<Stored>, Damaged> {
        let mut id = self.first_id();
        let mut frame = Vec::new();
        let mut read = Vec::new();
        for line in self.data.split(|byte| *byte == b'\n') {
            let (level, json) = line.split_first().ok_or(Damaged)?;
            let level = level.checked_sub(b'0').map(usize::from);
            let level = level.and_then(|level| Level::ALL.get(level)).ok_or(Damaged)?;
            let json = std::str::from_utf8(json).map_err(|_| Damaged)?;
            let entry = EncodedEntry::from_after_id(json).ok_or(Damaged)?;
            frame.clear();
            sse::start_event(&mut frame, None, Some(id));
            entry.write_json(id, &mut frame);
            sse::end_event(&mut frame);
            read.push(Stored::new(id, *level, stamp, &frame));
            id = id.next();
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use logs_shared::{LogEntry, Timestamp};
    use proptest::prelude::*;

    use super::*;

    fn record(level: usize, message: &str) -> NewRecord {
        let entry = LogEntry {
            channel: "logs:etl:w:r".parse().unwrap(),
            timestamp: Timestamp::default(),
            level: Level::ALL[level],
            message: message.to_owned(),
            fields: serde_json::from_str("{}").unwrap(),
        };
        NewRecord::from(entry)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(records in prop::collection::vec((0..6_usize, any::<String>()), 1..20), seq in 0..1_000_u64) {
            let records: Vec<_> = records.iter().map(|(level, message)| record(*level, message)).collect();
            let mut block = NewBlock::default();
            for record in &records {
                prop_assert!(block.push(record));
            }
            let last_id = RecordId::new(77, seq + block.records - 1);
            let message = format!("{last_id} {}\n{}", block.records, block.data);
            let read = Block::from_message(message.as_bytes()).unwrap();
            prop_assert_eq!((read.first_id(), read.last_id), (RecordId::new(77, seq), last_id));
            let read = read.read(Stamp::UNKNOWN).unwrap();
            prop_assert_eq!(read.len(), records.len());
            for (n, (read, record)) in read.iter().zip(&records).enumerate() {
                let id = RecordId::new(77, seq + n as u64);
                let mut json = Vec::new();
                record.json.write_json(id, &mut json);
                prop_assert_eq!(read.json().as_bytes(), &json);
                prop_assert_eq!((read.id, read.level), (id, record.level));
            }
        }

        #[test]
        fn what_is_damaged_is_an_error_and_no_panic(cut in 0..400_usize, message: Vec<u8>, records: u64, ms: u64, seq: u64) {
            let mut block = NewBlock::default();
            block.push(&record(0, "a"));
            block.push(&record(1, "b"));
            let whole = format!("5-1 2\n{}", block.data);
            let part = &whole.as_bytes()[..cut.min(whole.len())];
            let read = Block::from_message(part).and_then(|block| block.read(Stamp::UNKNOWN));
            prop_assert_eq!(read.is_ok(), part.len() == whole.len());
            let _ = Block::from_message(&message).and_then(|block| block.read(Stamp::UNKNOWN));
            let _ = Block::new(RecordId::new(ms, seq), records, &message).map(|block| block.first_id());
        }
    }

    /// Whoever can publish could stop what hears it.
    #[test]
    fn the_last_id_there_is_can_be_that_of_a_block() {
        let line = format!("2{}", record(2, "m").json.after_id());
        let last = RecordId::new(u64::MAX, u64::MAX);
        let block = Block::new(last, 1, line.as_bytes()).unwrap();
        assert_eq!(block.first_id(), last);
        assert_eq!(block.read(Stamp::UNKNOWN).unwrap().len(), 1);
    }

    #[test]
    fn a_line_that_no_gateway_has_written_is_damaged() {
        let line = format!("2{}", record(2, "m").json.after_id());
        for (line, is_read) in [
            (line.clone(), true),
            (line.replacen('2', "6", 1), false),
            (line.replacen('2', "", 1), false),
            (line.replace("m", "\r"), false),
            (line.replace("channel", "event"), false),
            ("2".to_owned(), false),
            (String::new(), false),
        ] {
            let read = Block::new(RecordId::new(1, 0), 1, line.as_bytes()).unwrap();
            assert_eq!(read.read(Stamp::UNKNOWN).is_ok(), is_read, "{line}");
        }
        assert!(Block::new(RecordId::new(1, 0), 2, format!("{line}\n{line}").as_bytes()).is_err());
    }

    #[test]
    fn a_block_takes_what_there_is_room_for_and_one_record_of_any_size() {
        let long = record(0, &"x".repeat(BLOCK_BYTES));
        let mut block = NewBlock::default();
        assert!(block.push(&long) && !block.push(&record(0, "y")));
        let mut block = NewBlock::default();
        let short = record(0, &"x".repeat(1_000));
        while block.push(&short) {}
        assert!(block.data.len() <= BLOCK_BYTES && block.data.len() + 1_200 > BLOCK_BYTES);
    }
}
