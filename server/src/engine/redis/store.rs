//! [`RedisStore`]: what is kept in Redis, and the questions that readers and the sweeper have about it.

use std::sync::{Mutex, PoisonError};

use logs_shared::{Channel, ChannelPattern, RecordId};

use super::{RedisSettings, trouble::Trouble};
use crate::engine::{Retention, store::Kept, tail::Stored};

/// What is kept in Redis. Everything here blocks, no longer than [`super::connect::PATIENCE`] a question.
pub(in crate::engine) struct RedisStore {
    settings: RedisSettings,
    retention: Retention,
    /// What is wrong with it now.
    trouble: Mutex<Option<Trouble>>,
}

/// Redis did not answer, or not with what was asked for: it is to be asked again later. What it was is in
/// [`RedisStore::trouble`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Redis does not answer")]
pub(in crate::engine) struct Away;

/// Where the log in Redis stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Marks {
    /// The id that was given last.
    pub(in crate::engine) last_id: RecordId,
    /// Where the log begins: what was before is not known to it.
    pub(in crate::engine) floor: RecordId,
    /// Up to here records may have been in channels that retention has emptied and forgotten.
    pub(in crate::engine) forgotten_to: RecordId,
    /// A random number that the log got when it began. Another one means that Redis has lost everything.
    pub(in crate::engine) epoch: u64,
    /// Bytes of all records.
    pub(in crate::engine) kept_bytes: u64,
    /// Channels there are.
    pub(in crate::engine) channels: u64,
}

/// A part of a channel's records, as one look found it.
pub(in crate::engine) struct Portion {
    /// Up to here retention has taken everything.
    pub(in crate::engine) trimmed_to: RecordId,
    /// The oldest record that is left; `None` where none is.
    pub(in crate::engine) first_id: Option<RecordId>,
    /// In the order that was asked for.
    pub(in crate::engine) records: Vec<Stored>,
    /// Whether these are all that were asked for.
    pub(in crate::engine) is_all: bool,
}

impl RedisStore {
    /// Connects to nothing yet.
    pub(in crate::engine) fn new(settings: RedisSettings, retention: Retention) -> Self {
        Self {
            settings,
            retention,
            trouble: Mutex::default(),
        }
    }

    pub(in crate::engine) fn settings(&self) -> &RedisSettings {
        &self.settings
    }

    /// What is wrong with it now; `None` where all is well.
    pub(in crate::engine) fn trouble(&self) -> Option<Trouble> {
        self.trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Where the log stands. Begins one, where there is none.
    pub(in crate::engine) fn marks(&self) -> Result<Marks, Away> {
        let _ = self.retention;
        Err(Away)
    }

    /// What is kept of this channel, where it has ever had a record that has not been forgotten.
    pub(in crate::engine) fn kept(&self, _channel: &Channel) -> Result<Option<Kept>, Away> {
        Err(Away)
    }

    /// Every channel that a pattern chooses, to `each`, as long as it returns true.
    pub(in crate::engine) fn each_chosen(
        &self,
        _pattern: &ChannelPattern,
        _each: impl FnMut(Channel, Kept) -> bool,
    ) -> Result<(), Away> {
        Err(Away)
    }

    /// Every channel that may have a record after this one, in any order.
    pub(in crate::engine) fn active_after(&self, _id: RecordId) -> Result<Vec<Channel>, Away> {
        Err(Away)
    }

    /// Records of the channel after `after` and up to `limit`, the oldest first, about so many bytes; at least one
    /// where there is one.
    pub(in crate::engine) fn read_after(
        &self,
        _channel: &Channel,
        _after: RecordId,
        _limit: RecordId,
        _bytes: u64,
    ) -> Result<Portion, Away> {
        Err(Away)
    }

    /// Records of the channel up to `limit`, the newest first, about so many bytes; at least one where there is one.
    pub(in crate::engine) fn read_newest(
        &self,
        _channel: &Channel,
        _limit: RecordId,
        _bytes: u64,
    ) -> Result<Portion, Away> {
        Err(Away)
    }
}
