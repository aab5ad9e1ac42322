//! [`Store`]: records on disk.
//!
//! An ordered key-value store (`fjall`) holds two key spaces. `records` has the blocks: a channel's
//! number and its last record's id name the records that were appended together. `directory` has
//! everything small: a row for each channel in three orders, the answers that repeats get, and the log's
//! own marks. One batch changes both, whole or not at all; only the writer makes batches.

mod block;
mod change;
mod key;
mod row;
mod spaces;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use fjall::PersistMode;
use logs_shared::{Channel, ChannelPattern, RecordId};
use rustix::fs::StatVfs;

pub use self::spaces::OpenError;
use self::spaces::Spaces;
pub(super) use self::{
    block::{Lying, bytes_on_disk, read_block},
    change::Change,
    key::{BlockKey, Order, after_prefix, place_of},
    row::Kept,
};
use super::{idempotency::Answered, read, write};

/// What a data folder takes, and what its disk has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DiskUse {
    /// Bytes of the tables and the journal; `None` while the store cannot be opened.
    pub(crate) store: Option<u64>,
    /// Bytes of the journal.
    pub(crate) journal: Option<u64>,
    /// Bytes that are left on the disk; `None` where the system does not tell.
    pub(crate) free: Option<u64>,
    /// Bytes that the disk has.
    pub(crate) total: Option<u64>,
}

/// When an acknowledged record is safe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// It survives the end of the process, by `kill -9` too.
    #[default]
    Process,
    /// It survives the loss of power.
    Fsync,
}

/// Records on disk.
pub(super) struct Store {
    dir: PathBuf,
    /// None where it could not be opened again.
    spaces: RwLock<Option<Arc<Spaces>>>,
    durability: Durability,
    /// About how much it is to keep.
    kept_bytes: u64,
    /// Free bytes of the disk when it was last looked at, less what was written since.
    free: AtomicU64,
    /// Whether the log of the gateway says that the disk is full.
    said_full: AtomicBool,
    /// What becomes of the next batch.
    #[cfg(test)]
    pub(super) fault: std::sync::Mutex<Option<Fault>>,
    /// Whether channels' rows cannot be read.
    #[cfg(test)]
    pub(super) rows_fail: AtomicBool,
    /// Whether blocks cannot be read.
    #[cfg(test)]
    pub(super) blocks_fail: AtomicBool,
}

/// How a batch fails in a test.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// Nothing of it was written.
    Lost,
    /// It was written, and nobody can tell.
    Written,
}

/// The disk fails or what is on it is damaged.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error("{}", in_words(.0))]
    Database(#[from] fjall::Error),
    #[error("{0}")]
    Block(#[from] block::Damaged),
    #[error("a row of the directory is damaged")]
    Row,
    #[error("it could not be opened again")]
    Closed,
}

/// What a log that is opened goes on from.
#[derive(Default)]
pub(super) struct Found {
    pub(super) last_id: RecordId,
    pub(super) forgotten_to: RecordId,
    /// Bytes of all records.
    pub(super) bytes: u64,
    pub(super) channels: u64,
    /// The largest number of a channel.
    pub(super) last_number: u32,
    pub(super) answers: Answered,
    /// Channels that have records after the high-water mark.
    pub(super) ahead: Vec<Channel>,
}

const LAST_ID_KEY: &[u8] = b"mlast";
const FORGOTTEN_KEY: &[u8] = b"mforgotten";
const ANSWER_TAG: u8 = b'k';

/// With less free than this nothing more is written: the store needs room to tidy up, and a disk that
/// is really full would stop it for good.
const ROOM: u64 = 128 << 20;
impl Store {
    /// Opens the folder, which is to keep about so many bytes, or makes it.
    pub(super) fn open(dir: &Path, durability: Durability, kept_bytes: u64) -> Result<Self, OpenError> {
        let spaces = Spaces::open(dir, kept_bytes)?;
        let store = Self {
            dir: dir.to_owned(),
            spaces: RwLock::new(Some(Arc::new(spaces))),
            durability,
            kept_bytes,
            free: AtomicU64::new(0),
            said_full: AtomicBool::new(false),
            #[cfg(test)]
            fault: std::sync::Mutex::default(),
            #[cfg(test)]
            rows_fail: AtomicBool::new(false),
            #[cfg(test)]
            blocks_fail: AtomicBool::new(false),
        };
        store.look_for_room();
        Ok(store)
    }

    /// Closes the folder and opens it again: a store that has failed to write does not do so any more until
    /// then. Waits for those who read.
    pub(super) fn reopen(&self) -> Result<(), OpenError> {
        // Held all the time, so that who comes to read waits.
        let mut spaces = write(&self.spaces);
        let open = spaces.take().map(|spaces| Arc::downgrade(&spaces.open));
        // Whoever reads may be the last to let go. Closing writes what was left of the journal's buffer: opened before
        // that, the journal would have it in the middle of what comes next.
        while open.as_ref().is_some_and(|open| open.strong_count() > 0) {
            std::thread::sleep(Duration::from_millis(1));
        }
        // The store's own threads have said that they end, and are about to.
        std::thread::sleep(Duration::from_millis(50));
        *spaces = Some(Arc::new(Spaces::open(&self.dir, self.kept_bytes)?));
        Ok(())
    }

    /// Who has them must not ask for them again meanwhile: it would wait for itself where they are opened again.
    fn spaces(&self) -> Result<Arc<Spaces>, StoreError> {
        read(&self.spaces).clone().ok_or(StoreError::Closed)
    }

    /// Something to change it with, whole or not at all.
    pub(super) fn change(&self) -> Result<Change<'_>, StoreError> {
        Ok(Change::new(self, self.spaces()?))
    }

    /// Whether there is room for more.
    pub(super) fn has_room(&self) -> bool {
        self.free.load(Ordering::Relaxed) >= ROOM
    }

    /// Looks how much room the disk has.
    pub(super) fn look_for_room(&self) {
        let free = match free_bytes(&self.dir) {
            Ok(free) => free,
            Err(error) => {
                tracing::warn!(%error, dir = %self.dir.display(), "cannot tell how full the disk is");
                return;
            }
        };
        self.free.store(free, Ordering::Relaxed);
        let was_full = self.said_full.swap(free < ROOM, Ordering::Relaxed);
        match (was_full, self.want_of_room()) {
            (false, Some(want)) => tracing::warn!("{want}"),
            (true, None) => tracing::info!("the disk has room again"),
            _ => {}
        }
    }

    /// What it takes on disk, and what there is. Blocks.
    pub(super) fn disk_use(&self) -> DiskUse {
        let disk = rustix::fs::statvfs(&self.dir).ok();
        let bytes = |blocks: fn(&StatVfs) -> u64| {
            let disk = disk.as_ref()?;
            Some(blocks(disk).saturating_mul(disk.f_frsize))
        };
        let store = self.spaces().ok();
        let all = store.as_ref().and_then(|spaces| spaces.db.disk_space().ok());
        let tables = store.map(|spaces| spaces.records.disk_space() + spaces.directory.disk_space());
        DiskUse {
            store: all,
            journal: all.zip(tables).map(|(all, tables)| all.saturating_sub(tables)),
            free: bytes(|disk| disk.f_bavail),
            total: bytes(|disk| disk.f_blocks),
        }
    }

    /// Why nothing can be written, where the disk is too full for it.
    pub(super) fn want_of_room(&self) -> Option<String> {
        let free = self.free.load(Ordering::Relaxed);
        (free < ROOM).then(|| {
            // Not where: everybody may ask whether the gateway is well.
            let (free, room) = (free >> 20, ROOM >> 20);
            format!("the disk is full: {free} MiB are left, and nothing can be published with less than {room} MiB")
        })
    }

    fn mark(&self, key: &[u8]) -> Result<RecordId, StoreError> {
        match self.spaces()?.directory.get(key)? {
            None => Ok(RecordId::ZERO),
            Some(value) => row::read_id(&mut &*value).ok_or(StoreError::Row),
        }
    }

    /// Looks through the directory, as is done when a log is opened. `head` is the high-water mark.
    pub(super) fn look_through(&self, head: RecordId) -> Result<Found, StoreError> {
        let mut found = Found {
            last_id: self.mark(LAST_ID_KEY)?,
            forgotten_to: self.mark(FORGOTTEN_KEY)?,
            ..Found::default()
        };
        let mut after = None;
        loop {
            let portion = self.channels_after(after.as_ref(), 1_024)?;
            for (channel, kept) in &portion {
                if kept.last_id > head {
                    found.ahead.push(channel.clone());
                }
                found.channels += 1;
                found.bytes += kept.bytes;
                found.last_number = found.last_number.max(kept.number);
                found.last_id = found.last_id.max(kept.last_id);
            }
            after = match portion.into_iter().last() {
                Some((channel, _)) => Some(channel),
                None => break,
            };
        }
        let answers = self.spaces()?.directory.prefix([ANSWER_TAG]).map(|entry| {
            let (key, value) = entry.into_inner()?;
            row::read_answer(&key, &value).ok_or(StoreError::Row)
        });
        found.answers = Answered::restore(answers.collect::<Result<_, StoreError>>()?);
        Ok(found)
    }

    /// It cannot be read.
    pub(super) fn damaged(&self, error: &StoreError) -> OpenError {
        OpenError::Damaged(self.dir.clone(), error.to_string())
    }

    /// What is kept of this channel, where it has ever had a record that has not been forgotten.
    pub(super) fn kept(&self, channel: &Channel) -> Result<Option<Kept>, StoreError> {
        #[cfg(test)]
        if self.rows_fail.load(Ordering::Relaxed) {
            return Err(StoreError::Row);
        }
        self.spaces()?.kept(channel)
    }

    /// Every channel that a pattern chooses, to `each`, as long as it returns true.
    pub(super) fn each_chosen(
        &self,
        pattern: &ChannelPattern,
        mut each: impl FnMut(Channel, Kept) -> bool,
    ) -> Result<(), StoreError> {
        let (order, prefix) = place_of(pattern);
        let spaces = self.spaces()?;
        for entry in spaces.directory.prefix(prefix) {
            let (key, value) = entry.into_inner()?;
            let channel = order.channel(&key).ok_or(StoreError::Row)?;
            let kept = if order == Order::Workspace {
                Some(Kept::read(&value).ok_or(StoreError::Row)?)
            } else {
                spaces.kept(&channel)?
            };
            // Between two looks it may have been forgotten.
            if kept.is_some_and(|kept| !each(channel, kept)) {
                break;
            }
        }
        Ok(())
    }

    /// The channels that come after this one, a portion of them at a time.
    pub(super) fn channels_after(
        &self,
        after: Option<&Channel>,
        count: usize,
    ) -> Result<Vec<(Channel, Kept)>, StoreError> {
        let everything = [b'w'];
        let mut from = after.map_or_else(|| everything.to_vec(), |channel| Order::Workspace.key(channel));
        if after.is_some() {
            from.push(0);
        }
        let range = self.spaces()?.directory.range(from..after_prefix(&everything));
        range
            .take(count)
            .map(|entry| {
                let (key, value) = entry.into_inner()?;
                let channel = Order::Workspace.channel(&key).ok_or(StoreError::Row)?;
                Ok((channel, Kept::read(&value).ok_or(StoreError::Row)?))
            })
            .collect()
    }

    /// Gives the keys of a channel's blocks that hold records after the cursor to `each`, the oldest first, as long as it
    /// returns true; with its records where `reads` says so. A block's first records may be before the cursor.
    pub(super) fn each_block(
        &self,
        number: u32,
        after: RecordId,
        reads: impl Fn(&BlockKey) -> bool,
        mut each: impl FnMut(BlockKey, Option<&[u8]>) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        #[cfg(test)]
        if self.blocks_fail.load(Ordering::Relaxed) {
            return Err(StoreError::Row);
        }
        let from = key::place_in(number, after.next());
        let to = key::place_in(number, RecordId::new(u64::MAX, u64::MAX));
        for entry in self.spaces()?.records.range(from..=to) {
            let (key, block) =
                entry.into_inner_if(|key| BlockKey::read(key).is_some_and(|key| reads(&key)))?;
            let key = BlockKey::read(&key).ok_or(StoreError::Row)?;
            if !each(key, block.as_deref())? {
                break;
            }
        }
        Ok(())
    }

    /// Gives a channel's records after the cursor to `each`, the oldest first, as long as it returns true.
    pub(super) fn each_after(
        &self,
        number: u32,
        after: RecordId,
        mut each: impl FnMut(Lying<'_>) -> bool,
    ) -> Result<(), StoreError> {
        let everything = |_: &BlockKey| true;
        self.each_block(number, after, everything, |_, block| {
            for record in block::read_block(block.unwrap_or_default()) {
                let record = record?;
                if record.id > after && !each(record) {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }

    /// Gives a channel's records up to `limit` to `each`, the newest first, as long as it returns true.
    pub(super) fn each_newest(
        &self,
        number: u32,
        limit: RecordId,
        mut each: impl FnMut(Lying<'_>) -> bool,
    ) -> Result<(), StoreError> {
        let first = key::place_in(number, RecordId::ZERO);
        let limit_key = key::place_in(number, limit);
        let last = key::place_in(number, RecordId::new(u64::MAX, u64::MAX));
        let mut backwards = |block: &[u8]| -> Result<bool, StoreError> {
            let records = block::read_block(block).collect::<Result<Vec<_>, _>>()?;
            let wanted = records.into_iter().rev().filter(|record| record.id <= limit);
            Ok({ wanted }.all(&mut each))
        };
        // The block that ends at the limit or later may begin before it.
        if let Some(entry) = self.spaces()?.records.range(limit_key..=last).next()
            && !backwards(&entry.value()?)?
        {
            return Ok(());
        }
        for entry in self.spaces()?.records.range(first..limit_key).rev() {
            if !backwards(&entry.value()?)? {
                break;
            }
        }
        Ok(())
    }

    /// Says that another version wrote the folder.
    #[cfg(test)]
    pub(super) fn set_format(&self, format: &[u8]) {
        self.spaces()
            .unwrap()
            .directory
            .insert(spaces::FORMAT_KEY, format)
            .unwrap();
    }

    /// Makes it believe that the disk has so much room, until it looks again.
    #[cfg(test)]
    pub(super) fn pretend_free(&self, bytes: u64) {
        self.free.store(bytes, Ordering::Relaxed);
    }

    const fn persist_mode(&self) -> PersistMode {
        match self.durability {
            Durability::Process => PersistMode::Buffer,
            Durability::Fsync => PersistMode::SyncData,
        }
    }
}

fn in_words(error: &fjall::Error) -> String {
    match error {
        fjall::Error::Io(error) | fjall::Error::Storage(fjall::LsmError::Io(error)) => error.to_string(),
        fjall::Error::Poisoned => {
            "a write failed, and what is on disk must be looked through again".to_owned()
        }
        other => other.to_string(),
    }
}

fn free_bytes(dir: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(dir)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}
