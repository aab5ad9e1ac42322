//! [`Round`]: what a reader goes through up to a high-water mark.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque, binary_heap::PeekMut},
    sync::Arc,
};

use logs_shared::{
    RecordId,
    event::{Gap, GapReason},
};

use crate::engine::{Found, Left, Link, Log, Stamp, StoreAway};

/// What a reader goes through up to a high-water mark.
pub(super) struct Round {
    /// The high-water mark when the round began.
    pub(super) limit: RecordId,
    /// Channels with records ready, the one with the smallest id on top.
    pub(super) runs: BinaryHeap<Reverse<Run>>,
    /// Channels not looked at yet.
    pub(super) unread: Vec<Arc<Link>>,
    /// Channels whose next records are in the store. Until they are here it is not known which is the next.
    pub(super) in_store: Vec<Run>,
}

/// A channel's part of a round.
pub(super) struct Run {
    pub(super) link: Arc<Link>,
    /// What has been looked at so far.
    pub(super) cursor: RecordId,
    pub(super) in_hand: InHand,
    pub(super) left: Left,
}

/// What a run has taken of its channel.
#[derive(Default)]
pub(super) struct InHand {
    pub(super) records: VecDeque<Taken>,
    /// What is missing in front of them and the reader has not been told of yet.
    pub(super) gap: Option<Gap>,
}

/// One of those records.
pub(super) struct Taken {
    pub(super) id: RecordId,
    pub(super) stamp: Stamp,
    pub(super) frame: Arc<[u8]>,
}

/// A round with several channels takes their records in portions, so that what it holds at any time
/// is bounded by the number of its channels.
const PORTION: usize = 32;
impl Round {
    /// The record with the smallest id, and its run where that has none left in hand.
    pub(super) fn next_record(&mut self) -> Option<(Taken, Option<Run>)> {
        let mut top = self.runs.peek_mut()?;
        let Reverse(run) = &mut *top;
        let record = run.in_hand.records.pop_front()?;
        let emptied = run.in_hand.records.is_empty().then(|| PeekMut::pop(top).0);
        Some((record, emptied))
    }

    pub(super) fn is_done(&self) -> bool {
        self.runs.is_empty() && self.unread.is_empty() && self.in_store.is_empty()
    }
}

impl Run {
    pub(super) fn new(link: Arc<Link>, cursor: RecordId) -> Self {
        Self {
            link,
            cursor,
            in_hand: InHand::default(),
            left: Left::More,
        }
    }

    /// Takes the next portion of its channel's records, where the tail has any up to the limit.
    pub(super) fn refill(&mut self, limit: RecordId) {
        while self.in_hand.records.is_empty() && self.left == Left::More {
            self.left = self.link.log.take(&self.link, &mut self.cursor, limit, |found| {
                self.in_hand.take(&self.link, found);
                self.in_hand.records.len() < PORTION
            });
        }
    }

    /// Takes the next portion from the store. Blocks.
    pub(super) fn fetch(&mut self, log: &Log, limit: RecordId, budget: u64) -> Result<(), StoreAway> {
        let take = |found: Found<'_>| self.in_hand.take(&self.link, found);
        self.left = self
            .link
            .log
            .fetch(log, &self.link, &mut self.cursor, limit, budget, take)?;
        Ok(())
    }

    pub(super) fn next_id(&self) -> Option<RecordId> {
        self.in_hand.records.front().map(|record| record.id)
    }
}

impl InHand {
    pub(super) fn take(&mut self, link: &Link, found: Found<'_>) {
        match (found, &mut self.gap) {
            (Found::Record(record), _) => self.records.push_back(Taken {
                id: record.id,
                stamp: record.stamp,
                frame: record.frame.clone(),
            }),
            (Found::Gap { from, to, reason }, gap @ None) => *gap = Some(self::gap(link, from, to, reason)),
            // Nothing came between the two.
            (Found::Gap { to, .. }, Some(gap)) => gap.to = to,
        }
    }
}

pub(super) fn gap(link: &Link, from: RecordId, to: RecordId, reason: GapReason) -> Gap {
    Gap {
        channel: link.log.channel().clone().into(),
        from,
        to,
        reason,
    }
}

impl PartialEq for Run {
    fn eq(&self, other: &Self) -> bool {
        self.next_id() == other.next_id()
    }
}

impl Eq for Run {}

impl PartialOrd for Run {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Run {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.next_id().cmp(&other.next_id())
    }
}
