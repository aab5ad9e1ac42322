//! What was published while nothing was heard.

use std::{collections::HashSet, sync::Arc};

use logs_shared::{Channel, RecordId};
use tokio::task::spawn_blocking;

use super::Lost;
use crate::engine::{
    Log, read,
    redis::{Away, Marks, Portion, RedisStore, followed::Touched, topics},
};

/// What was published to followed channels while nothing was heard.
#[derive(Default)]
pub(super) struct Missed {
    /// What of each could be fetched; readers fetch the others themselves.
    pub(super) channels: Vec<(Channel, Option<Portion>)>,
}

/// What is fetched of one channel, and of all together. Readers who all want the same then find it in memory.
const CHANNEL_BYTES: u64 = 1 << 20;
const ALL_BYTES: u64 = 32 << 20;

impl Missed {
    /// The same, where readers are to fetch everything themselves.
    pub(super) fn unread(mut self) -> Self {
        self.channels.iter_mut().for_each(|(_, portion)| *portion = None);
        self
    }
}

/// Looks what was published after `from` and up to where the log stands, and what retention has taken since.
///
/// # Errors
/// Redis does not answer, or another Redis does than the one where the log stands so.
pub(super) async fn catch_up(
    log: &Arc<Log>,
    store: &Arc<RedisStore>,
    from: RecordId,
    marks: Marks,
    followed: &Touched,
) -> Result<Missed, Lost> {
    if marks.last_id <= from {
        return Ok(Missed::default());
    }
    let (log, store) = (log.clone(), store.clone());
    let patterns: HashSet<_> = followed.patterns.keys().cloned().collect();
    let looked = spawn_blocking(move || {
        look(&log, &store, from, marks, |channel| {
            topics::choosing(channel).any(|pattern| patterns.contains(&pattern))
        })
    });
    Ok(looked.await??)
}

fn look(
    log: &Log,
    store: &RedisStore,
    from: RecordId,
    marks: Marks,
    is_chosen: impl Fn(&Channel) -> bool,
) -> Result<Missed, Away> {
    let there = store.marks()?;
    if there.epoch != marks.epoch || there.last_id < marks.last_id {
        return Err(Away);
    }
    let mut missed = Missed::default();
    let mut bytes = 0;
    let active = store.active_after(from)?;
    if marks.forgotten_to > from {
        // What came to a channel meanwhile may be gone with it.
        let active: HashSet<_> = active.iter().collect();
        let directory = read(&log.directory);
        let known = directory.channels().map(|known| known.channel());
        let forgotten = known.filter(|channel| !active.contains(channel));
        missed
            .channels
            .extend(forgotten.map(|channel| (channel.clone(), None)));
    }
    for channel in active {
        let is_in_memory = read(&log.directory).get(&channel).is_some();
        if !is_in_memory && !is_chosen(&channel) {
            continue;
        }
        let portion = if bytes < ALL_BYTES {
            Some(store.read_after(&channel, from, marks.last_id, CHANNEL_BYTES)?)
        } else {
            None
        };
        let records = portion.iter().flat_map(|portion| &portion.records);
        bytes += records.map(crate::engine::Stored::cost).sum::<u64>();
        missed.channels.push((channel, portion));
    }
    Ok(missed)
}
