//! Rows: the small values of the directory, numbers little-endian.

use logs_shared::RecordId;

use super::ANSWER_TAG;
use crate::engine::{
    Appended,
    idempotency::{IdempotencyKey, Remembered},
};

/// What is kept of a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::engine) struct Kept {
    /// What its blocks are named by; 0 where it is not on disk.
    pub(in crate::engine) number: u32,
    /// How many records.
    pub(in crate::engine) records: u64,
    /// What they take on disk before compression; in memory, what they take there.
    pub(in crate::engine) bytes: u64,
    /// The oldest record, or one that is not newer; meaningless without records.
    pub(in crate::engine) first_id: RecordId,
    /// The newest record there ever was.
    pub(in crate::engine) last_id: RecordId,
    /// The newest record that retention has taken: who comes from before it has missed something.
    pub(in crate::engine) trimmed_to: RecordId,
}

impl Kept {
    /// Counts the records from `first_id` to `last_id` in.
    pub(in crate::engine) fn gain(
        &mut self,
        records: u64,
        bytes: u64,
        first_id: RecordId,
        last_id: RecordId,
    ) {
        if self.records == 0 {
            self.first_id = first_id;
        }
        self.records += records;
        self.bytes += bytes;
        self.last_id = last_id;
    }

    /// Counts records up to `to` out; `first_id` is the oldest that is left.
    pub(in crate::engine) fn lose(&mut self, records: u64, bytes: u64, to: RecordId, first_id: RecordId) {
        self.records = self.records.saturating_sub(records);
        self.bytes = self.bytes.saturating_sub(bytes);
        self.trimmed_to = to;
        self.first_id = first_id;
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut value = Vec::with_capacity(68);
        value.extend_from_slice(&self.number.to_le_bytes());
        value.extend_from_slice(&self.records.to_le_bytes());
        value.extend_from_slice(&self.bytes.to_le_bytes());
        for id in [self.first_id, self.last_id, self.trimmed_to] {
            write_id(id, &mut value);
        }
        value
    }

    pub(super) fn read(mut value: &[u8]) -> Option<Self> {
        let value = &mut value;
        Some(Self {
            number: u32::from_le_bytes(take(value)?),
            records: u64::from_le_bytes(take(value)?),
            bytes: u64::from_le_bytes(take(value)?),
            first_id: read_id(value)?,
            last_id: read_id(value)?,
            trimmed_to: read_id(value)?,
        })
    }
}

pub(super) fn write_id(id: RecordId, value: &mut Vec<u8>) {
    value.extend_from_slice(&id.ms.to_le_bytes());
    value.extend_from_slice(&id.seq.to_le_bytes());
}

pub(super) fn read_id(value: &mut &[u8]) -> Option<RecordId> {
    let ms = u64::from_le_bytes(take(value)?);
    let seq = u64::from_le_bytes(take(value)?);
    Some(RecordId::new(ms, seq))
}

fn take<const N: usize>(value: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = value.split_first_chunk()?;
    *value = rest;
    Some(*head)
}

/// Names an answer: its tag, the owner, the publisher's name for it.
pub(super) fn answer_key(key: &IdempotencyKey) -> Vec<u8> {
    [&[ANSWER_TAG], &key.owner[..], key.name.as_bytes()].concat()
}

pub(super) fn write_answer(answer: &Remembered) -> Vec<u8> {
    let mut value = answer.content.to_vec();
    value.extend_from_slice(&answer.at_ms.to_le_bytes());
    write_id(answer.appended.first_id, &mut value);
    write_id(answer.appended.last_id, &mut value);
    value.extend_from_slice(&(answer.appended.subscribers as u64).to_le_bytes());
    value
}

pub(super) fn read_answer(mut key: &[u8], mut value: &[u8]) -> Option<(IdempotencyKey, Remembered)> {
    let [_tag] = take(&mut key)?;
    let owner = take(&mut key)?;
    let name = String::from_utf8(key.to_vec()).ok()?;
    let value = &mut value;
    let answer = Remembered {
        content: take(value)?,
        at_ms: u64::from_le_bytes(take(value)?),
        appended: Appended {
            first_id: read_id(value)?,
            last_id: read_id(value)?,
            subscribers: usize::try_from(u64::from_le_bytes(take(value)?)).ok()?,
            is_repeat: false,
        },
    };
    Some((IdempotencyKey { owner, name }, answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_round_trip_and_a_short_one_is_damaged() {
        let kept = Kept {
            number: 7,
            records: 1 << 40,
            bytes: 3,
            first_id: RecordId::new(1, 2),
            last_id: RecordId::new(u64::MAX, 4),
            trimmed_to: RecordId::new(5, u64::MAX),
        };
        assert_eq!(Kept::read(&kept.write()), Some(kept));
        assert_eq!(Kept::read(&kept.write()[1..]), None);
        let key = IdempotencyKey {
            owner: [9; 32],
            name: "päckchen".to_owned(),
        };
        let answer = Remembered {
            content: [8; 32],
            at_ms: 77,
            appended: Appended {
                first_id: RecordId::new(1, 2),
                last_id: RecordId::new(1, 3),
                subscribers: 4,
                is_repeat: false,
            },
        };
        let (text, value) = (answer_key(&key), write_answer(&answer));
        assert_eq!(read_answer(&text, &value), Some((key, answer)));
        assert_eq!(read_answer(&text[..9], &value), None);
        assert_eq!(read_answer(&text, &value[..40]), None);
    }
}
