//! What was published while nothing was heard.

use std::sync::Arc;

use logs_shared::{Channel, RecordId};
use tokio::task::spawn_blocking;

use super::Lost;
use crate::engine::{
    Log, read,
    redis::{Away, Portion, RedisStore, followed::Touched, topics},
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

/// Looks what was published after `from` and up to `to`.
pub(super) async fn catch_up(
    log: &Arc<Log>,
    store: &Arc<RedisStore>,
    from: RecordId,
    to: RecordId,
    followed: &Touched,
) -> Result<Missed, Lost> {
    if to <= from {
        return Ok(Missed::default());
    }
    let (log, store) = (log.clone(), store.clone());
    let patterns: std::collections::HashSet<_> = followed.patterns.keys().cloned().collect();
    let looked = spawn_blocking(move || {
        look(&log, &store, from, to, |channel| {
            topics::choosing(channel).any(|pattern| patterns.contains(&pattern))
        })
    });
    Ok(looked.await??)
}

fn look(
    log: &Log,
    store: &RedisStore,
    from: RecordId,
    to: RecordId,
    is_chosen: impl Fn(&Channel) -> bool,
) -> Result<Missed, Away> {
    let mut missed = Missed::default();
    let mut bytes = 0;
    for channel in store.active_after(from)? {
        let is_in_memory = read(&log.directory).get(&channel).is_some();
        if !is_in_memory && !is_chosen(&channel) {
            continue;
        }
        let portion = if bytes < ALL_BYTES {
            Some(store.read_after(&channel, from, to, CHANNEL_BYTES)?)
        } else {
            None
        };
        let records = portion.iter().flat_map(|portion| &portion.records);
        bytes += records.map(crate::engine::Stored::cost).sum::<u64>();
        missed.channels.push((channel, portion));
    }
    Ok(missed)
}
