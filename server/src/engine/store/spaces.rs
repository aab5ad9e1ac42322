//! [`Spaces`]: the open key spaces of a data folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, KvSeparationOptions};
use logs_shared::Channel;

use super::{Kept, Order, StoreError};

/// The open key spaces.
pub(super) struct Spaces {
    pub(super) db: Database,
    pub(super) records: Keyspace,
    pub(super) directory: Keyspace,
    /// As long as this is held, something of the others may be. The last field, because it must be the last to go.
    pub(super) open: Arc<()>,
}

/// Why a data folder cannot be used. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("DATA_DIR {0} is in use by another gateway; give this one a folder of its own")]
    InUse(PathBuf),
    /// A later version wrote it.
    #[error(
        "DATA_DIR {0} was written by another version of the gateway, in a format that this one does not know"
    )]
    Format(PathBuf),
    /// It is no folder.
    #[error("DATA_DIR {0} is not a folder")]
    NoFolder(PathBuf),
    /// It cannot be made, read or written.
    #[error("DATA_DIR {0} cannot be used: {1}")]
    Io(PathBuf, io::Error),
    /// It is damaged.
    #[error("DATA_DIR {0} cannot be read: {1}")]
    Damaged(PathBuf, String),
    /// The system gives no thread.
    #[error("the log's threads do not start: {0}")]
    Thread(io::Error),
}

/// What a folder's format is called. Another number means that this version must not touch it.
const FORMAT: &[u8] = b"1";
pub(super) const FORMAT_KEY: &[u8] = b"mformat";
/// Memory for blocks read back.
const CACHE_BYTES: u64 = 32 << 20;
/// Memory for what is not yet in a table, a key space each: a 64th of what is kept, within these bounds. What is in it
/// after a crash is read again from the journal: this and the journal's size bound the time a start takes, and what a
/// folder takes beside what is kept.
const MEMTABLE_BYTES: std::ops::RangeInclusive<u64> = 4 << 20..=32 << 20;
/// How many memory tables the journal may be behind, and what it is at least.
const JOURNAL_MEMTABLES: u64 = 8;
const LEAST_JOURNAL_BYTES: u64 = 64 << 20;

/// Makes the folder where there is none, for its owner alone: log lines say more than their authors think.
fn make(dir: &Path) -> io::Result<()> {
    let mut folder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.recursive(true).create(dir)
}

impl Spaces {
    pub(super) fn kept(&self, channel: &Channel) -> Result<Option<Kept>, StoreError> {
        let value = self.directory.get(Order::Workspace.key(channel))?;
        value
            .map(|value| Kept::read(&value).ok_or(StoreError::Row))
            .transpose()
    }

    /// Opens the folder, which is to keep about so many bytes, or makes it.
    pub(super) fn open(dir: &Path, kept_bytes: u64) -> Result<Self, OpenError> {
        let memtable_bytes = (kept_bytes / 64).clamp(*MEMTABLE_BYTES.start(), *MEMTABLE_BYTES.end());
        let journal_bytes = (JOURNAL_MEMTABLES * memtable_bytes).max(LEAST_JOURNAL_BYTES);
        let io = |error| OpenError::Io(dir.to_owned(), error);
        let failed = |error: fjall::Error| match error {
            fjall::Error::Locked => OpenError::InUse(dir.to_owned()),
            fjall::Error::InvalidVersion(_) => OpenError::Format(dir.to_owned()),
            fjall::Error::Io(error) | fjall::Error::Storage(fjall::LsmError::Io(error)) => io(error),
            other => OpenError::Damaged(dir.to_owned(), super::in_words(&other)),
        };
        if dir.exists() && !dir.is_dir() {
            return Err(OpenError::NoFolder(dir.to_owned()));
        }
        make(dir).map_err(io)?;
        let db = Database::builder(dir)
            .cache_size(CACHE_BYTES)
            .max_journaling_size(journal_bytes)
            .open()
            .map_err(failed)?;
        let options = || KeyspaceCreateOptions::default().max_memtable_size(memtable_bytes);
        // Large values in files of their own are not written again each time their neighbours move.
        let files = KvSeparationOptions::default().file_target_size(2 * memtable_bytes);
        let apart = || options().with_kv_separation(Some(files.clone()));
        let spaces = Self {
            records: db.keyspace("records", apart).map_err(failed)?,
            directory: db.keyspace("directory", options).map_err(failed)?,
            db,
            open: Arc::default(),
        };
        match spaces.directory.get(FORMAT_KEY).map_err(failed)? {
            None => spaces.directory.insert(FORMAT_KEY, FORMAT).map_err(failed)?,
            Some(format) if &*format == FORMAT => {}
            Some(_) => return Err(OpenError::Format(dir.to_owned())),
        }
        Ok(spaces)
    }
}
