//! [`Command`]: what the writer is asked to do, and [`Group`]: everything that it does at once.

use std::{collections::HashMap, sync::Arc};

use logs_shared::Channel;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{
    AppendError, Appended, NewRecord,
    channel_log::ChannelLog,
    handover::Reply,
    idempotency::{IdempotencyKey, Named, Remembered},
    store::{StoreError, bytes_on_disk},
    tail::Stored,
    trim::Trim,
};

/// What the writer is asked to do.
pub(super) enum Command {
    /// In this order.
    Append(Vec<Append>),
    /// Let go of a channel's oldest records.
    Trim(Trim),
    /// Forget channels that have no records and no readers.
    Forget(Vec<Channel>, oneshot::Sender<()>),
    /// Open the store again, which has failed.
    Reopen,
    /// Take no more.
    Close,
}

/// Records to append together, and who waits for it.
pub(super) struct Append {
    pub(super) records: Vec<NewRecord>,
    /// Its name, where it may be repeated.
    pub(super) named: Option<Named>,
    pub(super) reply: Reply,
    /// Its part of the bytes that may wait for the writer.
    pub(super) _waiting: OwnedSemaphorePermit,
}

/// Everything that is done at once.
#[derive(Default)]
pub(super) struct Group {
    pub(super) runs: Vec<Run>,
    /// Where each channel's run is.
    pub(super) by_channel: HashMap<Channel, usize>,
    pub(super) appended: Vec<(Reply, Appended)>,
    /// Names used here.
    pub(super) named: Vec<(IdempotencyKey, Remembered)>,
    pub(super) refused: Vec<(Reply, AppendError)>,
    pub(super) trims: Vec<Trim>,
    pub(super) forgets: Vec<Channel>,
    pub(super) done: Vec<oneshot::Sender<()>>,
    pub(super) reopens: bool,
    pub(super) records: u64,
    /// Of all frames.
    pub(super) bytes: usize,
    /// What could not be read that had to be known.
    pub(super) failed: Option<StoreError>,
}

/// What is appended to one channel.
pub(super) struct Run {
    pub(super) log: Arc<ChannelLog>,
    pub(super) records: Vec<Stored>,
    /// What they take on disk.
    pub(super) on_disk: u64,
    /// What they take in memory.
    pub(super) in_memory: u64,
}

impl Run {
    pub(super) const fn new(log: Arc<ChannelLog>) -> Self {
        Self {
            log,
            records: Vec::new(),
            on_disk: 0,
            in_memory: 0,
        }
    }

    pub(super) fn push(&mut self, record: Stored) {
        self.on_disk += bytes_on_disk(&record);
        self.in_memory += record.cost();
        self.records.push(record);
    }
}

impl Group {
    /// The run of this channel, if it has one already. Neighbours mostly belong to the same.
    pub(super) fn last_run(&self, channel: &Channel) -> Option<usize> {
        let last = self.runs.len().checked_sub(1)?;
        if self.runs[last].log.channel() == channel {
            return Some(last);
        }
        self.by_channel.get(channel).copied()
    }
}
