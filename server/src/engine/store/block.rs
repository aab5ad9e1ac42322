//! Blocks: records of one channel as they lie on disk, next to each other.
//!
//! A record is the length of its frame (u32), its id (two u64), its level (u8) and its frame; numbers
//! are little-endian. The frame is what readers get, so that reading back is copying.

use logs_shared::{Level, RecordId};

use crate::engine::{Stamp, Stored};

/// What a record has in front of its frame.
const HEADER: usize = 4 + 8 + 8 + 1;
/// About how large a block may become: what is read at once.
const BLOCK_BYTES: usize = 64 * 1024;

/// A record as it lies in a block.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Lying<'a> {
    pub(in crate::engine) id: RecordId,
    pub(in crate::engine) level: Level,
    pub(in crate::engine) frame: &'a [u8],
}

impl Lying<'_> {
    /// What it takes on disk, before compression.
    pub(in crate::engine) const fn bytes(&self) -> u64 {
        (HEADER + self.frame.len()) as u64
    }

    pub(in crate::engine) fn to_stored(self) -> Stored {
        Stored::new(self.id, self.level, Stamp::UNKNOWN, self.frame)
    }
}

/// What this record takes on disk, before compression.
pub(in crate::engine) fn bytes_on_disk(record: &Stored) -> u64 {
    (HEADER + record.frame.len()) as u64
}

/// Cuts records into blocks, and gives each with its last id and the number of its records to `each`.
pub(super) fn write_blocks(records: &[Stored], mut each: impl FnMut(RecordId, u32, &[u8])) {
    let mut count = 0;
    let mut block = Vec::with_capacity(BLOCK_BYTES.min(records.len() * 512));
    for (index, record) in records.iter().enumerate() {
        // A record is far below 4 GiB (`MAX_RECORD_BYTES`).
        let len = u32::try_from(record.frame.len()).unwrap_or(u32::MAX);
        block.extend_from_slice(&len.to_le_bytes());
        block.extend_from_slice(&record.id.ms.to_le_bytes());
        block.extend_from_slice(&record.id.seq.to_le_bytes());
        block.push(record.level as u8);
        block.extend_from_slice(&record.frame);
        count += 1;
        if block.len() >= BLOCK_BYTES || index + 1 == records.len() {
            each(record.id, count, &block);
            block.clear();
            count = 0;
        }
    }
}

/// The block is not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a block of records is damaged")]
pub(in crate::engine) struct Damaged;

/// The records of a block, ids ascending.
pub(in crate::engine) fn read_block(mut block: &[u8]) -> impl Iterator<Item = Result<Lying<'_>, Damaged>> {
    std::iter::from_fn(move || {
        if block.is_empty() {
            return None;
        }
        let record = read_record(&mut block).ok_or(Damaged);
        if record.is_err() {
            block = &[];
        }
        Some(record)
    })
}

fn read_record<'a>(block: &mut &'a [u8]) -> Option<Lying<'a>> {
    let len = u32::from_le_bytes(take(block)?) as usize;
    let ms = u64::from_le_bytes(take(block)?);
    let seq = u64::from_le_bytes(take(block)?);
    let [level] = take(block)?;
    let (frame, rest) = block.split_at_checked(len)?;
    *block = rest;
    Some(Lying {
        id: RecordId::new(ms, seq),
        level: level_from_byte(level)?,
        frame,
    })
}

fn take<const N: usize>(block: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = block.split_first_chunk()?;
    *block = rest;
    Some(*head)
}

/// Undoes `level as u8`.
fn level_from_byte(byte: u8) -> Option<Level> {
    Level::ALL.get(usize::from(byte)).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(records: &[Stored]) -> Vec<(RecordId, Vec<u8>)> {
        let mut blocks = Vec::new();
        write_blocks(records, |last, count, block| {
            assert_eq!(read_block(block).count(), count as usize);
            blocks.push((last, block.to_vec()));
        });
        blocks
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(records in prop::collection::vec((0..6_usize, 0..90_000_usize), 0..12)) {
            let records: Vec<Stored> = (1..)
                .zip(records)
                .map(|(ms, (level, len))| Stored::new(RecordId::new(ms, 7), Level::ALL[level], Stamp::UNKNOWN, &vec![b'x'; len]))
                .collect();
            let blocks = written(&records);
            let mut read = Vec::new();
            for (last, block) in &blocks {
                prop_assert!(block.len() < 2 * BLOCK_BYTES + 90_000);
                for record in read_block(block) {
                    let record = record.unwrap();
                    prop_assert!(record.id <= *last);
                    read.push((record.id, record.level, record.frame.to_vec(), record.bytes()));
                }
                prop_assert_eq!(read.last().map(|(id, ..)| *id), Some(*last));
            }
            let expected: Vec<_> =
                records.iter().map(|r| (r.id, r.level, r.frame.to_vec(), bytes_on_disk(r))).collect();
            prop_assert_eq!(read, expected);
        }

        #[test]
        fn a_damaged_block_is_an_error_and_no_panic(cut in 0..300_usize, bytes: Vec<u8>) {
            let record = Stored::new(RecordId::new(1, 0), Level::Info, Stamp::UNKNOWN, &[b'x'; 200]);
            let (_, block) = written(&[record]).remove(0);
            let whole = cut >= block.len() || cut == 0;
            prop_assert_eq!(read_block(&block[..cut.min(block.len())]).all(|record| record.is_ok()), whole);
            let _ = read_block(&bytes).count();
        }
    }
}
