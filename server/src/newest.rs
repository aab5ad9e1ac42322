//! [`newest`]: where the newest records of a selection begin.

use std::{cmp::Reverse, collections::BinaryHeap};

use logs_shared::{Channel, RecordId};

use crate::engine::{Link, Log, Stored, Watch};

/// Where the newest records of a selection begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Newest {
    /// They are what comes after it.
    pub(crate) cursor: RecordId,
    /// Whether there are others before it.
    pub(crate) has_more: bool,
}

/// Where the newest `count` records up to `limit` begin, of what is followed and `wants` takes. Blocks where it comes to
/// records that are on disk only.
pub(crate) fn newest(
    log: &Log,
    watch: &Watch,
    count: usize,
    limit: RecordId,
    wants: impl Fn(&Stored) -> bool,
) -> Newest {
    // The smallest of the newest ids found so far is on top, and goes first.
    let mut newest = BinaryHeap::with_capacity(count.min(1_024) + 1);
    let mut has_more = false;
    for candidate in candidates(log, watch) {
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
        });
    }
    let cursor = newest.peek().map_or(limit, |Reverse(oldest)| oldest.previous());
    Newest { cursor, has_more }
}

/// A channel that may have some of the newest records.
struct Candidate {
    last_id: RecordId,
    place: Place,
}

enum Place {
    Memory(std::sync::Arc<Link>),
    Disk(Channel),
}

impl Candidate {
    fn link(self, watch: &Watch) -> Option<std::sync::Arc<Link>> {
        match self.place {
            Place::Memory(link) => Some(link),
            Place::Disk(channel) => watch.bring_in(&channel),
        }
    }
}

/// Every channel that is followed, the one with the newest record first.
fn candidates(log: &Log, watch: &Watch) -> Vec<Candidate> {
    let in_memory = watch.links().into_iter().map(|link| Candidate {
        last_id: link.log.last_id(),
        place: Place::Memory(link),
    });
    let mut candidates: Vec<Candidate> = in_memory.collect();
    let mut known: std::collections::HashSet<Channel> = candidates
        .iter()
        .filter_map(|candidate| match &candidate.place {
            Place::Memory(link) => Some(link.log.channel().clone()),
            Place::Disk(_) => None,
        })
        .collect();
    log.each_on_disk(&watch.wildcards(), |channel, last_id| {
        // Two patterns may choose the same channel.
        if known.insert(channel.clone()) {
            let place = Place::Disk(channel);
            candidates.push(Candidate { last_id, place });
        }
    });
    candidates.sort_unstable_by_key(|candidate| Reverse(candidate.last_id));
    candidates
}
