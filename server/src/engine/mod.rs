//! The log: an ordered sequence of records, cut by channel, that readers follow by cursor.
//!
//! [`Engine`] is the seam behind which records are kept. In the order a record meets them: the
//! [`writer`] gives it an id and bytes, its [`ChannelLog`] keeps it in the [`tail`], and the
//! [`watch`] of each reader learns that there is something to read. Nothing here knows HTTP.

mod channel_log;
mod directory;
mod idempotency;
mod tail;
mod watch;
mod writer;

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use logs_shared::{
    Channel, ChannelPattern, Level, RecordId, overview::ChannelOverview, record::EncodedEntry,
};
use tokio::sync::{mpsc, oneshot};

pub use self::idempotency::{IdempotencyKey, Named};
pub(crate) use self::{
    channel_log::{ChannelLog, Found, Left},
    tail::Stored,
    watch::{Link, Signal, Watch},
};
use self::{directory::Directory, writer::Append};
use crate::quantity;

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Records per channel.
    pub records: usize,
    /// Milliseconds.
    pub age_ms: u64,
    /// Bytes over all channels.
    pub bytes: u64,
}

/// The log. A cheap handle: clones share it.
#[derive(Clone)]
pub struct Engine {
    log: Arc<Log>,
    appends: mpsc::Sender<Append>,
}

/// What the writer and the readers share.
pub(crate) struct Log {
    /// The high-water mark: every record up to it can be read.
    head: RwLock<RecordId>,
    /// Where this log begins: what was before is not known.
    floor: RecordId,
    directory: RwLock<Directory>,
    retention: Retention,
    tail_bytes: AtomicU64,
    published: AtomicU64,
}

/// What an append gave.
#[derive(Clone, Copy, Debug)]
pub struct Appended {
    /// The first record's id.
    pub first_id: RecordId,
    /// The last record's id.
    pub last_id: RecordId,
    /// Streams that follow the first record's channel.
    pub subscribers: usize,
}

/// Why nothing was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The log takes no more records.
    #[error("the log is closed")]
    Closed,
    /// The name was used for something else.
    #[error("the idempotency key was used for another publication")]
    KeyReused,
}

/// An entry as the writer takes it: everything done that can be done before the id is known.
pub struct NewRecord {
    /// Where it belongs.
    pub channel: Channel,
    /// For readers that want grave records only.
    pub level: Level,
    /// Its bytes.
    pub json: EncodedEntry,
}

/// How many appends may wait for the writer before publishers wait too.
const WAITING_APPENDS: usize = 1_024;

impl Engine {
    /// Starts an empty log in memory, with its writer.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(retention: Retention) -> std::io::Result<Self> {
        let floor = RecordId::new(now_ms(), 0);
        let log = Arc::new(Log {
            head: RwLock::new(floor),
            floor,
            directory: RwLock::default(),
            retention,
            tail_bytes: AtomicU64::new(0),
            published: AtomicU64::new(0),
        });
        let (appends, receiver) = mpsc::channel(WAITING_APPENDS);
        writer::Writer::new(log.clone(), receiver).spawn()?;
        Ok(Self { log, appends })
    }

    /// Appends these records, next to each other and in this order. When it returns they are kept,
    /// and every reader that follows them has been woken. A repeat of a named append appends nothing
    /// and gets the answer of the first.
    ///
    /// # Errors
    /// [`AppendError`]: nothing was appended.
    pub async fn append(
        &self,
        records: Vec<NewRecord>,
        named: Option<Named>,
    ) -> Result<Appended, AppendError> {
        let (reply, answer) = oneshot::channel();
        let append = Append {
            records,
            named,
            reply,
        };
        self.appends.send(append).await.map_err(|_| AppendError::Closed)?;
        answer.await.map_err(|_| AppendError::Closed)?
    }

    /// Whether every append fails.
    pub(crate) fn is_closed(&self) -> bool {
        self.appends.is_closed()
    }

    /// The same log after its writer has ended, as after a panic.
    #[cfg(test)]
    pub(crate) fn without_writer(&self) -> Self {
        Self {
            log: self.log.clone(),
            appends: mpsc::channel(1).0,
        }
    }

    /// Follows these channels from now on.
    pub(crate) fn watch(&self, patterns: &[ChannelPattern]) -> Watch {
        Watch::new(self.log.clone(), patterns)
    }

    /// The high-water mark: every record up to it can be read, and no record will ever be put before it.
    pub(crate) fn head(&self) -> RecordId {
        *read(&self.log.head)
    }

    /// Where this log begins. What was published before is not known to it.
    pub(crate) fn floor(&self) -> RecordId {
        self.log.floor
    }

    /// Every channel that matches, in the order of their names.
    pub(crate) fn channels(&self, matches: impl Fn(&Channel) -> bool) -> Vec<ChannelOverview> {
        let logs: Vec<_> = read(&self.log.directory)
            .channels()
            .filter(|log| matches(log.channel()))
            .cloned()
            .collect();
        let mut overviews: Vec<_> = logs.iter().map(|log| log.overview()).collect();
        overviews.sort_by(|a, b| a.channel.cmp(&b.channel));
        overviews
    }

    /// How many channels exist.
    pub(crate) fn channel_count(&self) -> usize {
        read(&self.log.directory).channels().count()
    }

    /// Bytes of records in memory.
    pub(crate) fn tail_bytes(&self) -> u64 {
        self.log.tail_bytes.load(Ordering::Relaxed)
    }

    /// Records appended since the start.
    pub(crate) fn published(&self) -> u64 {
        self.log.published.load(Ordering::Relaxed)
    }

    /// Lets go of records that are older than retention keeps.
    pub fn trim_by_age(&self) {
        let before = RecordId::new(now_ms().saturating_sub(self.log.retention.age_ms), 0);
        let logs: Vec<_> = read(&self.log.directory).channels().cloned().collect();
        for log in logs {
            self.log
                .tail_bytes
                .fetch_sub(log.trim_before(before), Ordering::Relaxed);
        }
    }
}

/// Milliseconds since 1970, by the system's clock, which may step.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    quantity::millis(since)
}

// A panic while a lock is held leaves data that is still whole: each change under a lock is one step.
// So a poisoned lock is taken as it is, and one failed request does not stop all others.

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
