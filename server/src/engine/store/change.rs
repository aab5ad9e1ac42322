//! [`Change`]: what happens to a store at once.

use std::sync::{Arc, atomic::Ordering};

use fjall::OwnedWriteBatch;
use logs_shared::{Channel, RecordId};

use super::{
    BlockKey, FORGOTTEN_KEY, Kept, LAST_ID_KEY, Order, Spaces, Store, StoreError, block,
    row::{answer_key, write_answer, write_id},
};
use crate::engine::{
    Stored,
    idempotency::{IdempotencyKey, Remembered},
};

/// What happens to a store, whole or not at all.
pub(in crate::engine) struct Change<'a> {
    store: &'a Store,
    spaces: Arc<Spaces>,
    batch: OwnedWriteBatch,
    bytes: u64,
}

impl<'a> Change<'a> {
    pub(super) fn new(store: &'a Store, spaces: Arc<Spaces>) -> Self {
        Self {
            store,
            batch: spaces.db.batch().durability(Some(store.persist_mode())),
            spaces,
            bytes: 0,
        }
    }

    /// Appends records to the channel of this number.
    pub(in crate::engine) fn append(&mut self, number: u32, records: &[Stored]) {
        block::write_blocks(records, |last, count, block| {
            self.bytes += block.len() as u64;
            // A block is far below 4 GiB.
            let bytes = u32::try_from(block.len()).unwrap_or(u32::MAX);
            let key = BlockKey::new(number, last, count, bytes);
            self.batch.insert(&self.spaces.records, key.as_bytes(), block);
        });
    }

    /// Takes a block out.
    pub(in crate::engine) fn remove_block(&mut self, key: BlockKey) {
        self.batch.remove(&self.spaces.records, key.as_bytes());
    }

    /// Writes down what is kept of a channel.
    pub(in crate::engine) fn set_kept(&mut self, channel: &Channel, kept: &Kept) {
        let key = Order::Workspace.key(channel);
        self.batch.insert(&self.spaces.directory, key, kept.write());
    }

    /// Makes a new channel findable in the other orders.
    pub(in crate::engine) fn add_channel(&mut self, channel: &Channel) {
        for order in [Order::Service, Order::Resource] {
            self.batch.insert(&self.spaces.directory, order.key(channel), []);
        }
    }

    /// Forgets a channel that has no records.
    pub(in crate::engine) fn remove_channel(&mut self, channel: &Channel) {
        for order in Order::ALL {
            self.batch.remove(&self.spaces.directory, order.key(channel));
        }
    }

    pub(in crate::engine) fn set_last_id(&mut self, id: RecordId) {
        self.set_mark(LAST_ID_KEY, id);
    }

    pub(in crate::engine) fn set_forgotten_to(&mut self, id: RecordId) {
        self.set_mark(FORGOTTEN_KEY, id);
    }

    fn set_mark(&mut self, key: &[u8], id: RecordId) {
        let mut value = Vec::new();
        write_id(id, &mut value);
        self.batch.insert(&self.spaces.directory, key, value);
    }

    /// Keeps an answer for repeats.
    pub(in crate::engine) fn remember(&mut self, key: &IdempotencyKey, answer: &Remembered) {
        let value = write_answer(answer);
        self.batch.insert(&self.spaces.directory, answer_key(key), value);
    }

    /// Lets go of an answer.
    pub(in crate::engine) fn forget(&mut self, key: &IdempotencyKey) {
        self.batch.remove(&self.spaces.directory, answer_key(key));
    }

    /// Makes it so. When this returns, it is as safe as the store's durability says.
    pub(in crate::engine) fn commit(self) -> Result<(), StoreError> {
        #[cfg(test)]
        if let Some(fault) = self.store.fault.lock().unwrap().take() {
            if let super::Fault::Written = fault {
                self.batch.commit()?;
            }
            return Err(StoreError::Database(fjall::Error::Poisoned));
        }
        self.batch.commit()?;
        let free = self.store.free.load(Ordering::Relaxed);
        // What the disk really lost is looked at once a second.
        self.store
            .free
            .store(free.saturating_sub(self.bytes), Ordering::Relaxed);
        Ok(())
    }
}
