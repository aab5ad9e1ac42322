//! [`Trim`]: a channel's oldest records, to let go of.

use std::cell::Cell;

use logs_shared::{Channel, RecordId};
use tokio::sync::oneshot;

use super::store::{BlockKey, Kept, Store, StoreError, read_block};

/// A channel's oldest records, to let go of.
pub(super) struct Trim {
    pub(super) channel: Channel,
    pub(super) records: u64,
    pub(super) bytes: u64,
    /// The last of them.
    pub(super) to: RecordId,
    /// The first that stays, where it was looked at.
    pub(super) first_id: Option<RecordId>,
    /// The blocks that have nothing else.
    pub(super) blocks: Vec<BlockKey>,
    pub(super) done: oneshot::Sender<()>,
}

/// What is to go.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cut {
    /// All but so many records.
    AllBut(u64),
    /// Every record up to this one.
    UpTo(RecordId),
}

/// The most blocks taken out at once: bounds how long a publisher waits behind it.
const BLOCKS_AT_ONCE: usize = 256;

impl Cut {
    /// Looks which of a channel's oldest records are to go next. `None` where none is. Of most blocks only the key is
    /// looked at. Blocks.
    pub(super) fn plan(
        self,
        store: &Store,
        channel: &Channel,
        kept: Kept,
        done: oneshot::Sender<()>,
    ) -> Result<Option<Trim>, StoreError> {
        let mut trim = Trim {
            channel: channel.clone(),
            records: 0,
            bytes: 0,
            to: kept.trimmed_to,
            first_id: None,
            blocks: Vec::new(),
            done,
        };
        let lost = Cell::new(0);
        // In the first block there may be records that have gone already.
        let is_first = Cell::new(kept.trimmed_to != RecordId::ZERO);
        let reads =
            |key: &BlockKey| is_first.get() || !self.takes(kept, lost.get() + key.records(), key.last_id());
        store.each_block(kept.number, kept.trimmed_to, reads, |key, block| {
            is_first.set(false);
            if let Some(block) = block {
                for record in read_block(block) {
                    let record = record?;
                    if record.id <= kept.trimmed_to {
                        continue;
                    }
                    if !self.takes(kept, trim.records + 1, record.id) {
                        trim.first_id = Some(record.id);
                        return Ok(false);
                    }
                    trim.lose(1, record.bytes(), record.id);
                }
            } else {
                trim.lose(key.records(), key.bytes(), key.last_id());
            }
            lost.set(trim.records);
            trim.blocks.push(key);
            Ok(trim.blocks.len() < BLOCKS_AT_ONCE)
        })?;
        // Where nothing goes, but the oldest record is another than was believed, that is to be written down: who asks
        // again by what is believed would ask for ever.
        let is_news = trim.first_id.is_some_and(|first_id| first_id != kept.first_id);
        Ok((trim.records > 0 || is_news).then_some(trim))
    }

    /// Whether anything of this channel is to go.
    pub(super) fn concerns(self, kept: &Kept) -> bool {
        match self {
            Self::AllBut(records) => kept.records > records,
            Self::UpTo(last) => kept.records > 0 && kept.first_id <= last,
        }
    }

    /// Whether the record with this id goes, as the one that makes it `lost` records.
    fn takes(self, kept: Kept, lost: u64, id: RecordId) -> bool {
        match self {
            Self::AllBut(records) => lost <= kept.records.saturating_sub(records),
            Self::UpTo(last) => id <= last,
        }
    }
}

impl Trim {
    fn lose(&mut self, records: u64, bytes: u64, to: RecordId) {
        self.records += records;
        self.bytes += bytes;
        self.to = to;
    }
}
