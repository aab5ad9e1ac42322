//! [`newest`]: where the newest records of a selection begin.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, hash_map::Entry},
};

use logs_shared::{Channel, RecordId};

use crate::engine::{Link, Log, StoreAway, Stored, Watch};

/// Where the newest records of a selection begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Newest {
    /// They are what comes after it.
    pub(crate) cursor: RecordId,
    /// Whether there are others before it.
    pub(crate) has_more: bool,
}

/// Where the newest `count` records up to `limit` begin, of what is followed and `wants` takes. Blocks where it comes to
/// records that only the store has.
///
/// # Errors
/// The store is away.
pub(crate) fn newest(
    log: &Log,
    watch: &Watch,
    count: usize,
    limit: RecordId,
    wants: impl Fn(&Stored) -> bool,
) -> Result<Newest, StoreAway> {
    // The smallest of the newest ids found so far is on top, and goes first.
    let mut newest = BinaryHeap::with_capacity(count.min(1_024) + 1);
    let mut has_more = false;
    for candidate in candidates(log, watch)? {
        let oldest = newest.peek().map(|Reverse(oldest)| *oldest);
        let is_full = newest.len() >= count;
        if is_full && has_more && oldest.is_none_or(|oldest| candidate.last_id < oldest) {
            // All others are older still.
            break;
        }
        let Some(link) = candidate.link(watch) else {
            continue;
        };
        link.log.newest(log, limit, |record| {
            if !link.wants(record) || !wants(record) {
                return true;
            }
            newest.push(Reverse(record.id));
            if newest.len() <= count {
                return true;
            }
            // One too many: the oldest goes. Was it this one, all others here are older still.
            has_more = true;
            newest.pop() != Some(Reverse(record.id))
        })?;
    }
    let cursor = newest.peek().map_or(limit, |Reverse(oldest)| oldest.previous());
    Ok(Newest { cursor, has_more })
}

/// A channel that may have some of the newest records.
struct Candidate {
    last_id: RecordId,
    place: Place,
}

enum Place {
    Memory(std::sync::Arc<Link>),
    Store(Channel),
}

impl Candidate {
    fn link(self, watch: &Watch) -> Option<std::sync::Arc<Link>> {
        match self.place {
            Place::Memory(link) => Some(link),
            Place::Store(channel) => watch.bring_in(&channel),
        }
    }
}

/// Every channel that is followed, the one with the newest record first.
fn candidates(log: &Log, watch: &Watch) -> Result<Vec<Candidate>, StoreAway> {
    let mut candidates = Vec::new();
    let mut known = HashMap::new();
    for link in watch.links() {
        known.insert(link.log.channel().clone(), candidates.len());
        candidates.push(Candidate {
            last_id: link.log.last_id(),
            place: Place::Memory(link),
        });
    }
    log.each_kept(&watch.wildcards(), |channel, last_id| {
        match known.entry(channel) {
            // Two patterns may choose the same channel, and the store may know more of one in memory.
            Entry::Occupied(known) => {
                let known: &mut Candidate = &mut candidates[*known.get()];
                known.last_id = known.last_id.max(last_id);
            }
            Entry::Vacant(place) => {
                let channel = place.key().clone();
                place.insert(candidates.len());
                candidates.push(Candidate {
                    last_id,
                    place: Place::Store(channel),
                });
            }
        }
    })?;
    if !log.tails_tell_newest() {
        for candidate in &mut candidates {
            if let Place::Memory(link) = &candidate.place
                && link.is_by_name()
                && let Some(last_id) = log.newest_kept(link.log.channel())?
            {
                candidate.last_id = candidate.last_id.max(last_id);
            }
        }
    }
    candidates.sort_unstable_by_key(|candidate| Reverse(candidate.last_id));
    Ok(candidates)
}
