//! The log: an ordered sequence of records, cut by channel, that readers follow by cursor.
//!
//! [`Engine`] is the seam behind which records are kept; `contract` has the tests that whatever is behind
//! it must pass. In the order a record meets them: the [`writer`] gives it an id and bytes and puts it
//! into the [`store`], its [`ChannelLog`] keeps it in the [`tail`], and the [`watch`] of each reader
//! learns that there is something to read. The [`sweeper`] lets go of what is not to be kept. Where records are
//! in [`redis`], that has a writer and a sweeper of its own, and what is appended comes back to the channel logs over
//! its follower; [`live`] says how far that has come. Nothing here knows HTTP.

mod append;
mod batch;
mod batches;
mod channel_log;
#[cfg(test)]
mod contract;
mod directory;
mod filter;
mod group;
mod handover;
mod id_text;
mod idempotency;
mod keeping;
mod live;
mod log;
mod redis;
mod stamp;
mod storage;
mod store;
mod sweeper;
mod tail;
mod trim;
mod waking;
mod watch;
mod work;
mod writer;

use std::{
    cmp::Reverse,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use logs_shared::{Channel, ChannelPattern, Interest, RecordId, overview::ChannelOverview};
use tokio::sync::{Semaphore, mpsc};

pub(crate) use self::redis::{Trouble as RedisTrouble, connect_live};
pub(crate) use self::store::DiskUse;
pub use self::{
    append::{AppendError, Appended, NewRecord},
    idempotency::{IdempotencyKey, Named},
    redis::{RedisSettings, RedisUrl, RedisUrlError},
    storage::{Retention, Storage},
    store::{Durability, OpenError},
};
pub(crate) use self::{
    batch::Batch,
    channel_log::{ChannelLog, Found, Left},
    keeping::StoreAway,
    log::Log,
    stamp::Stamp,
    tail::Stored,
    watch::{Link, Subscriber, Watch},
};

use self::{
    batches::Batches,
    directory::Directory,
    group::{Append, Command},
    handover::Handover,
    keeping::Keeping,
    live::Live,
    redis::RedisStore,
    store::Store,
    sweeper::Sweeper,
    waking::Pacer,
    work::Work,
    writer::Writer,
};
use crate::quantity;

/// The log. A cheap handle: clones share it.
#[derive(Clone)]
pub struct Engine {
    log: Arc<Log>,
    handover: Handover,
    /// Bytes that may still be given to the writer.
    waiting: Arc<Semaphore>,
    threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

/// How the Redis is that keeps the records.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RedisState {
    /// What is wrong with it, in one of [`REDIS_TROUBLES`].
    pub(crate) trouble: Option<&'static str>,
}

/// What may be wrong with Redis, a word each.
pub(crate) const REDIS_TROUBLES: [&str; 11] = redis::Trouble::WORDS;

/// Bytes of records in memory over all channels, where the store has them too.
const TAIL_BYTES: u64 = 64 << 20;
/// How many appends may wait for the writer before publishers wait too.
const WAITING_COMMANDS: usize = 1_024;
/// How many bytes of records may.
const WAITING_BYTES: u32 = 64 << 20;

impl Engine {
    /// Opens the log, with its writer.
    ///
    /// # Errors
    /// [`OpenError`]: the data folder cannot be used. Nothing in it was changed.
    pub fn open(storage: &Storage, retention: Retention) -> Result<Self, OpenError> {
        let memory = match storage {
            Storage::Memory => retention.bytes,
            Storage::Disk { .. } | Storage::Redis(_) => TAIL_BYTES.min(retention.bytes),
        };
        Self::open_within(storage, retention, memory)
    }

    /// As [`Self::open`], with so many bytes of records in memory at most.
    fn open_within(storage: &Storage, retention: Retention, memory: u64) -> Result<Self, OpenError> {
        let (keeping, found) = match storage {
            Storage::Memory => (Keeping::Memory, store::Found::default()),
            Storage::Disk { dir, durability } => {
                let store = Store::open(dir, *durability, retention.bytes)?;
                let found = store
                    .look_through(RecordId::new(u64::MAX, u64::MAX))
                    .map_err(|error| store.damaged(&error))?;
                (Keeping::Disk(store), found)
            }
            Storage::Redis(settings) => {
                let store = RedisStore::new(settings.clone(), retention);
                (Keeping::Redis(Arc::new(store)), store::Found::default())
            }
        };
        // Without a store nothing is known of what was before now.
        let floor = match keeping {
            Keeping::Memory => RecordId::new(now_ms(), 0),
            Keeping::Disk(_) | Keeping::Redis(_) => RecordId::ZERO,
        };
        let (live, directory) = match keeping {
            Keeping::Redis(_) => (Live::among_others(), Directory::among_others()),
            Keeping::Memory | Keeping::Disk(_) => (Live::alone(), Directory::default()),
        };
        let log = Arc::new(Log {
            head: RwLock::new(found.last_id.max(floor)),
            floor: RwLock::new(floor),
            forgotten_to: RwLock::new(found.forgotten_to),
            lost: Mutex::default(),
            directory: RwLock::new(directory),
            keeping,
            live,
            retention,
            memory,
            tail_bytes: AtomicU64::new(0),
            kept_bytes: AtomicU64::new(found.bytes),
            channels: AtomicU64::new(found.channels),
            published: AtomicU64::new(0),
            work: Work::new(),
            pacer: Pacer::begin().map_err(OpenError::Thread)?,
            batches: Batches::new(),
            awaiting: Mutex::default(),
            noticed_tails: AtomicBool::new(false),
            failure: Mutex::default(),
        });
        let (commands, receiver) = mpsc::channel(WAITING_COMMANDS);
        let threads = match &log.keeping {
            Keeping::Memory | Keeping::Disk(_) => {
                let (notices, noticed) = std::sync::mpsc::channel();
                let writer = Writer::new(log.clone(), receiver, notices, found.answers, found.last_number);
                let sweeper = Sweeper::new(log.clone(), commands.downgrade(), noticed);
                vec![
                    spawn("writer", move || writer.run()),
                    spawn("sweeper", move || sweeper.run()),
                ]
            }
            Keeping::Redis(store) => redis::begin(&log, store, &commands, receiver),
        };
        let threads = threads.into_iter().collect::<std::io::Result<_>>();
        Ok(Self {
            log,
            handover: Handover::new(commands),
            waiting: Arc::new(Semaphore::new(WAITING_BYTES as usize)),
            threads: Arc::new(Mutex::new(threads.map_err(OpenError::Thread)?)),
        })
    }

    /// A reader is woken by records no sooner than this after it was woken by others, while the gateway is busy. Zero: it always is at
    /// once. Where this is not called it is 10 ms.
    pub fn pace_writes(&self, pace: Duration) {
        self.log.pacer.set_pace(pace);
    }

    /// Appends these records, next to each other and in this order. When it returns they are kept,
    /// and every reader that follows them has been woken. A repeat of a named append appends nothing
    /// and gets the answer of the first.
    ///
    /// # Errors
    /// [`AppendError`]: nothing was appended, but where it says that this is not known.
    pub async fn append(
        &self,
        records: Vec<NewRecord>,
        named: Option<Named>,
    ) -> Result<Appended, AppendError> {
        let asked = Instant::now();
        let bytes: usize = records.iter().map(|record| record.json.max_len()).sum();
        let waiting = u32::try_from(bytes).unwrap_or(u32::MAX).min(WAITING_BYTES);
        let waiting = self.waiting.clone().acquire_many_owned(waiting).await;
        let waiting = waiting.map_err(|_| AppendError::Closed)?;
        let append = |reply| Append {
            records,
            named,
            reply,
            _waiting: waiting,
        };
        let answer = self.handover.append(bytes, append).await;
        if answer.is_ok() {
            self.log.work.appends.took(asked.elapsed());
        }
        answer
    }

    /// Finishes what is under way and takes no more. Blocks until its threads have ended; the data folder is free
    /// when the last handle and the last reader are gone too.
    pub fn close(&self) {
        // Where it is closed already, there is nobody to tell.
        let _ = self.handover.commands().blocking_send(Command::Close);
        self.log.live.close();
        for thread in std::mem::take(&mut *lock(&self.threads)) {
            let _ = thread.join();
        }
    }

    /// Why the log does not take records, where it does not.
    pub(crate) fn trouble(&self) -> Option<String> {
        let failure = self.log.failure();
        if self.handover.commands().is_closed() {
            return Some("the log takes no more records: its writer has ended".to_owned());
        }
        failure.or_else(|| match &self.log.keeping {
            Keeping::Memory => None,
            Keeping::Disk(store) => store.want_of_room(),
            Keeping::Redis(store) => {
                let trouble = store.trouble().map(|trouble| trouble.to_string());
                trouble.or_else(|| self.log.live.trouble())
            }
        })
    }

    /// Where records are in Redis: how that is.
    pub(crate) fn redis(&self) -> Option<RedisState> {
        let trouble = self.log.keeping.redis()?.trouble();
        Some(RedisState {
            trouble: trouble.map(|trouble| trouble.word()),
        })
    }

    /// The same log after its writer has ended, as after a panic.
    #[cfg(test)]
    pub(crate) fn without_writer(&self) -> Self {
        Self {
            handover: Handover::new(mpsc::channel(1).0),
            ..self.clone()
        }
    }

    /// Paces wake-ups as where the gateway is busy.
    #[cfg(test)]
    pub(crate) fn pace_always(&self) {
        self.log.pacer.pace_always();
    }

    /// As after a long rest: what is in the store is nowhere else, where nobody needs it.
    #[cfg(test)]
    pub(crate) fn rest(&self) {
        if self.log.keeping.has_more_than_tails() {
            self.log.let_out_idle(u64::MAX);
        }
    }

    /// What readers need of it.
    pub(crate) fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// Follows what is wanted from now on.
    pub(crate) fn watch(&self, interests: Vec<Interest>) -> Watch {
        Watch::new(self.log.clone(), interests)
    }

    /// The high-water mark: every record up to it can be read, and no record will ever be put before it.
    pub(crate) fn head(&self) -> RecordId {
        self.log.head()
    }

    /// Where this log begins, where it does not remember what was before.
    pub(crate) fn floor(&self) -> RecordId {
        *read(&self.log.floor)
    }

    /// Up to here records may have been in channels that retention has emptied and forgotten.
    pub(crate) fn forgotten_to(&self) -> RecordId {
        *read(&self.log.forgotten_to)
    }

    /// Waits until everything that was acknowledged before, by any gateway, can be read in what is followed by now. Where all
    /// records come through this gateway that is always so.
    ///
    /// # Errors
    /// The store is away, or does not answer in time.
    pub(crate) async fn fresh(&self) -> Result<(), StoreAway> {
        if self.log.keeping.redis().is_some() {
            self.log.live.fresh().await?;
        }
        Ok(())
    }

    /// Whether others publish to the same log, so that [`Self::fresh`] takes a while.
    pub(crate) fn is_shared(&self) -> bool {
        self.log.keeping.redis().is_some()
    }

    /// Channels whose followers here are others than when this was called before, and how many each has. There are none
    /// where nobody else needs to know.
    pub(crate) fn take_recounted(&self) -> Vec<(Channel, usize)> {
        let mut directory = write(&self.log.directory);
        let recounted = directory.followed().map(redis::Followed::take_recounted);
        let recounted = recounted.unwrap_or_default().into_iter();
        let counted = recounted.map(|channel| {
            let followers = directory.get(&channel).map_or(0, |log| log.followers());
            (channel, followers)
        });
        counted.collect()
    }

    /// Every channel that the pattern chooses, in the order of their names. Blocks.
    ///
    /// # Errors
    /// The store is away.
    pub(crate) fn channels(&self, pattern: &ChannelPattern) -> Result<Vec<ChannelOverview>, StoreAway> {
        let (mut overviews, looked) = self.log.overviews(pattern);
        looked?;
        overviews.sort_by(|a, b| a.channel.cmp(&b.channel));
        Ok(overviews)
    }

    /// The channels there are, ordered by name, and how many. Of more than `most` those to which most is published just now are
    /// told, and then those to which something was published last. Where the store is away, those that are followed here.
    pub(crate) fn busiest_channels(&self, most: usize) -> (Vec<ChannelOverview>, usize) {
        let (mut overviews, _) = self.log.overviews(&ChannelPattern::everything());
        let all = overviews.len();
        // Bits of numbers that are not negative have the order of the numbers.
        let busy = |of: &ChannelOverview| Reverse((of.per_second.to_bits(), of.last_id));
        first_of(&mut overviews, most, busy);
        overviews.sort_by(|a, b| a.channel.cmp(&b.channel));
        (overviews, all)
    }

    /// How many channels exist.
    pub(crate) fn channel_count(&self) -> usize {
        let in_memory = read(&self.log.directory).len();
        let count = self.log.channels.load(Ordering::Relaxed);
        usize::try_from(count).unwrap_or(usize::MAX).max(in_memory)
    }

    /// Bytes of records in memory.
    pub(crate) fn tail_bytes(&self) -> u64 {
        self.log.tail_bytes.load(Ordering::Relaxed)
    }

    /// Bytes of records that are kept, in memory, on disk before compression, or in Redis.
    pub(crate) fn kept_bytes(&self) -> u64 {
        match self.log.keeping {
            Keeping::Memory => self.tail_bytes(),
            Keeping::Disk(_) | Keeping::Redis(_) => self.log.kept_bytes.load(Ordering::Relaxed),
        }
    }

    /// What the data folder takes, and what its disk has; `None` without one. Blocks.
    pub(crate) fn disk_use(&self) -> Option<DiskUse> {
        self.log.disk().map(Store::disk_use)
    }

    /// What its writer has done.
    pub(crate) fn work(&self) -> &Work {
        &self.log.work
    }

    /// Records appended since the start.
    pub(crate) fn published(&self) -> u64 {
        self.log.published.load(Ordering::Relaxed)
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run)
}

/// Leaves so many, those with the smallest keys, in any order.
pub(crate) fn first_of<T, K: Ord>(all: &mut Vec<T>, most: usize, key: impl FnMut(&T) -> K) {
    if all.len() > most {
        all.select_nth_unstable_by_key(most, key);
        all.truncate(most);
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

fn lock_mut<T>(mutex: &mut Mutex<T>) -> &mut T {
    mutex.get_mut().unwrap_or_else(PoisonError::into_inner)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
