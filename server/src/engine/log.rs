//! [`Log`]: what the writer, the sweeper and the readers share.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicBool, AtomicU64},
    },
};

use logs_shared::{Channel, ChannelPattern, RecordId, overview::ChannelOverview};
use tokio::sync::Semaphore;

use super::{
    Retention,
    batches::Batches,
    channel_log,
    directory::Directory,
    keeping::{Keeping, StoreAway},
    live::Live,
    lock, now_ms, read,
    store::{Kept, Store, StoreError},
    waking::{Pacer, Waking},
    watch::Signal,
    work::Work,
    write,
};

/// What the writer, the sweeper and the readers share.
pub(crate) struct Log {
    /// The high-water mark: every record up to it can be read.
    pub(super) head: RwLock<RecordId>,
    /// Where this log begins: what was before is not known to it.
    pub(super) floor: RwLock<RecordId>,
    /// Channels that are forgotten had records up to here.
    pub(super) forgotten_to: RwLock<RecordId>,
    /// What came after the first of these and up to the second is perhaps lost: the store came back without its newest.
    pub(super) lost: Mutex<Option<(RecordId, RecordId)>>,
    pub(super) directory: RwLock<Directory>,
    pub(super) keeping: Keeping,
    /// What is heard of other gateways' records.
    pub(super) live: Live,
    pub(super) retention: Retention,
    /// The most bytes of records in memory.
    pub(super) memory: u64,
    /// Bytes of records in memory.
    pub(super) tail_bytes: AtomicU64,
    /// Bytes of records that are kept, as [`Retention::bytes`] counts them.
    pub(super) kept_bytes: AtomicU64,
    /// Channels there are, in memory or in the store.
    pub(super) channels: AtomicU64,
    pub(super) published: AtomicU64,
    pub(crate) work: Work,
    /// Wakes readers when there are records for them.
    pub(super) pacer: Pacer,
    /// What was joined for several readers.
    pub(crate) batches: Batches,
    /// Readers that have found records which cannot be read before the high-water mark has moved.
    pub(super) awaiting: Mutex<Vec<Arc<Signal>>>,
    /// Whether the sweeper has been told that tails take too much memory.
    pub(super) noticed_tails: AtomicBool,
    /// What the store failed at.
    pub(super) failure: Mutex<Option<Failure>>,
}

/// What a store failed at, and with what.
pub(super) enum Failure {
    /// Nothing more can be written, until it is opened again.
    Writing(String),
    /// Something in it is damaged.
    Reading(String),
}

impl Log {
    /// Whose turn it is to ask the store, where it answers only so many at a time.
    pub(crate) fn turns(&self) -> Option<&Arc<Semaphore>> {
        self.keeping.redis().map(|store| store.turns())
    }

    pub(crate) fn head(&self) -> RecordId {
        *read(&self.head)
    }

    /// Raises the high-water mark. Nobody may begin or cease to follow a channel meanwhile.
    pub(super) fn raise_head(&self, to: RecordId) {
        let mut head = write(&self.head);
        *head = to.max(*head);
    }

    /// Wakes who must look, and who waited for the high-water mark, which stands where it should before this is called.
    pub(super) fn wake(&self, mut waking: Waking) {
        waking.signals.append(&mut lock(&self.awaiting));
        self.pacer.wake(waking);
    }

    /// Where what this reader follows is confirmed by whoever tells of new records, it may read.
    pub(crate) fn is_confirmed(&self, needs: u64) -> bool {
        self.live.is_confirmed(needs)
    }

    /// For how many milliseconds nothing was heard of what others publish, where that is longer than usual.
    pub(crate) fn delayed_ms(&self) -> Option<u64> {
        self.live.delayed_ms()
    }

    /// Whether what is kept is known to be out of reach.
    pub(crate) fn is_away(&self) -> bool {
        self.live.is_away()
    }

    pub(super) fn disk(&self) -> Option<&Store> {
        self.keeping.disk()
    }

    /// Gives every channel that the patterns choose and that may be nowhere in memory, with its newest record, to `each`.
    /// One that several choose may come more than once. Blocks.
    pub(crate) fn each_kept(
        &self,
        patterns: &[ChannelPattern],
        mut each: impl FnMut(Channel, RecordId),
    ) -> Result<(), StoreAway> {
        patterns.iter().try_for_each(|pattern| {
            self.each_chosen(pattern, |channel, kept| {
                each(channel, kept.last_id);
                true
            })
        })
    }

    /// The newest record of a channel, which may be nowhere in memory. Blocks.
    pub(crate) fn newest_kept(&self, channel: &Channel) -> Result<Option<RecordId>, StoreAway> {
        Ok(match self.keeping.redis() {
            Some(store) => store.kept(channel)?.map(|kept| kept.last_id),
            None => None,
        })
    }

    /// Whether the tails of channels tell which record is their newest.
    pub(crate) fn tails_tell_newest(&self) -> bool {
        self.keeping.redis().is_none()
    }

    fn each_chosen(
        &self,
        pattern: &ChannelPattern,
        each: impl FnMut(Channel, Kept) -> bool,
    ) -> Result<(), StoreAway> {
        match &self.keeping {
            Keeping::Memory => {}
            Keeping::Disk(store) => {
                if let Err(error) = store.each_chosen(pattern, each) {
                    self.fail_reading(&error);
                }
            }
            Keeping::Redis(store) => store.each_chosen(pattern, each)?,
        }
        Ok(())
    }

    /// Notes that something in the store cannot be read.
    pub(super) fn fail_reading(&self, error: &StoreError) {
        tracing::error!(%error, "there are records that cannot be read");
        let mut failure = lock(&self.failure);
        if failure.is_none() {
            *failure = Some(Failure::Reading(error.to_string()));
        }
    }

    /// Notes that nothing can be written.
    pub(super) fn fail_writing(&self, error: &StoreError) {
        let mut failure = lock(&self.failure);
        // What it failed with first says most: from then on it only refuses.
        if !matches!(*failure, Some(Failure::Writing(_))) {
            tracing::error!(%error, "the store fails, nothing can be published");
            *failure = Some(Failure::Writing(error.to_string()));
        }
    }

    pub(super) fn cannot_write(&self) -> bool {
        matches!(*lock(&self.failure), Some(Failure::Writing(_)))
    }

    /// What the store fails at, in words.
    pub(super) fn failure(&self) -> Option<String> {
        lock(&self.failure).as_ref().map(|failure| match failure {
            Failure::Writing(error) => format!("the store fails, nothing can be published: {error}"),
            Failure::Reading(error) => format!("there are records that cannot be read: {error}"),
        })
    }

    /// What there is to say about each channel that the pattern chooses: of those in memory, where the store is away.
    /// Blocks.
    pub(super) fn overviews(
        &self,
        pattern: &ChannelPattern,
    ) -> (Vec<ChannelOverview>, Result<(), StoreAway>) {
        let in_memory: Vec<_> = read(&self.directory).chosen(pattern).cloned().collect();
        let mut overviews: Vec<_> = in_memory.iter().map(|log| log.overview(now_ms())).collect();
        let known = in_memory.iter().map(|log| log.channel()).zip(0..);
        let mut known: HashMap<&Channel, usize> = known.collect();
        let is_shared = self.keeping.redis().is_some();
        let looked = self.each_chosen(pattern, |channel, kept| {
            match known.remove(&channel) {
                None => overviews.push(channel_log::overview(&channel, &kept, 0)),
                // What is in memory is a part of it.
                Some(place) if is_shared => {
                    let known = &overviews[place];
                    overviews[place] = ChannelOverview {
                        per_second: known.per_second,
                        ..channel_log::overview(&channel, &kept, known.readers)
                    };
                }
                Some(_) => {}
            }
            true
        });
        if is_shared && looked.is_ok() {
            // A channel that is followed and has nothing.
            for place in known.into_values() {
                let ChannelOverview { channel, readers, .. } = &overviews[place];
                overviews[place] = channel_log::overview(channel, &Kept::default(), *readers);
            }
        }
        (overviews, looked)
    }
}
