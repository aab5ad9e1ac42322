//! [`Log`]: what the writer, the sweeper and the readers share.

use std::{
    collections::HashSet,
    sync::{
        Mutex, RwLock,
        atomic::{AtomicBool, AtomicU64},
    },
};

use logs_shared::{Channel, ChannelPattern, RecordId, overview::ChannelOverview};

use super::{
    Retention, channel_log,
    directory::Directory,
    lock, now_ms, read,
    store::{Store, StoreError},
    work::Work,
};

/// What the writer, the sweeper and the readers share.
pub(crate) struct Log {
    /// The high-water mark: every record up to it can be read.
    pub(super) head: RwLock<RecordId>,
    /// Where this log begins: what was before is not known to it.
    pub(super) floor: RecordId,
    /// Channels that are forgotten had records up to here.
    pub(super) forgotten_to: RwLock<RecordId>,
    pub(super) directory: RwLock<Directory>,
    pub(super) store: Option<Store>,
    pub(super) retention: Retention,
    /// The most bytes of records in memory.
    pub(super) memory: u64,
    /// Bytes of records in memory.
    pub(super) tail_bytes: AtomicU64,
    /// Bytes of records that are kept, as [`Retention::bytes`] counts them.
    pub(super) kept_bytes: AtomicU64,
    /// Channels there are, in memory or on disk.
    pub(super) channels: AtomicU64,
    pub(super) published: AtomicU64,
    pub(crate) work: Work,
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
    pub(crate) fn head(&self) -> RecordId {
        *read(&self.head)
    }

    /// Gives every channel on disk that the patterns choose, with its newest record, to `each`. One that several
    /// choose may come more than once. Blocks.
    pub(crate) fn each_on_disk(&self, patterns: &[ChannelPattern], mut each: impl FnMut(Channel, RecordId)) {
        let Some(store) = &self.store else { return };
        for pattern in patterns {
            let looked = store.each_chosen(pattern, |channel, kept| {
                each(channel, kept.last_id);
                true
            });
            if let Err(error) = looked {
                self.fail_reading(&error);
            }
        }
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

    pub(super) fn overviews(&self, pattern: &ChannelPattern) -> Vec<ChannelOverview> {
        let in_memory: Vec<_> = read(&self.directory).chosen(pattern).cloned().collect();
        let mut overviews: Vec<_> = in_memory.iter().map(|log| log.overview(now_ms())).collect();
        let Some(store) = &self.store else {
            return overviews;
        };
        let known: HashSet<&Channel> = in_memory.iter().map(|log| log.channel()).collect();
        let looked = store.each_chosen(pattern, |channel, kept| {
            if !known.contains(&channel) {
                overviews.push(channel_log::overview(&channel, &kept, 0));
            }
            true
        });
        if let Err(error) = looked {
            self.fail_reading(&error);
        }
        overviews
    }
}
