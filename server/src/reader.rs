//! [`Reader`]: a cursor that moves through the channels it follows.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque, binary_heap::PeekMut},
    sync::Arc,
    task::Waker,
};

use logs_shared::{
    Level, RecordId, ServerEvent,
    event::{Gap, GapReason},
};

use crate::engine::{Engine, Found, Left, Link, Stored, Watch};

/// A cursor that moves through the channels it follows. Live delivery, resuming, history and
/// catching up are all this: read forward from the cursor.
///
/// It goes in rounds. A round takes the high-water mark first and then drains every channel up to
/// it, merged by id; so no record can come after one with a larger id. When a round ends the cursor
/// stands at that mark, also where none of the records was for this reader.
pub(crate) struct Reader {
    engine: Engine,
    watch: Watch,
    level: Option<Level>,
    cursor: RecordId,
    /// Channels that may hold records after the cursor.
    ready: Vec<Arc<Link>>,
    round: Option<Round>,
}

struct Round {
    /// The high-water mark when the round began.
    limit: RecordId,
    /// Channels with records ready, the one with the smallest id on top.
    runs: BinaryHeap<Reverse<Run>>,
    /// Channels not looked at yet.
    unread: Vec<Arc<Link>>,
}

/// A channel's part of a round.
struct Run {
    link: Arc<Link>,
    /// What has been looked at so far.
    cursor: RecordId,
    records: VecDeque<(RecordId, Arc<[u8]>)>,
    left: Left,
}

/// What one look gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// So many records were written, and there may be more.
    Records(u64),
    /// Everything up to the high-water mark has been written.
    CaughtUp,
}

/// Where the newest records of a selection begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Newest {
    /// They are what comes after it.
    pub(crate) cursor: RecordId,
    /// Whether there are others before it.
    pub(crate) has_more: bool,
}

/// A round with several channels takes their records in portions, so that what it holds at any time
/// is bounded by the number of its channels.
const PORTION: usize = 32;

impl Reader {
    /// A reader that goes on after `cursor`. A cursor in the future is set back to now.
    pub(crate) fn new(engine: Engine, watch: Watch, level: Option<Level>, cursor: RecordId) -> Self {
        let cursor = cursor.min(engine.head());
        Self {
            engine,
            watch,
            level,
            cursor,
            ready: Vec::new(),
            round: None,
        }
    }

    /// Everything up to here has been written; nothing after it has.
    pub(crate) fn cursor(&self) -> RecordId {
        self.cursor
    }

    /// Where the newest `count` records up to `limit` begin, of those that `wants` takes.
    pub(crate) fn newest(
        watch: &Watch,
        count: usize,
        limit: RecordId,
        wants: impl Fn(&Stored) -> bool,
    ) -> Newest {
        // The smallest of the newest ids found so far is on top, and goes first.
        let mut newest = BinaryHeap::with_capacity(count.min(1_024) + 1);
        let mut has_more = false;
        for link in watch.links() {
            link.log.newest(limit, |record| {
                if !wants(record) {
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

    /// Appends records to `out`, in order, until it holds about `budget` bytes. Registers the waker
    /// first, so that nothing published from then on is missed.
    pub(crate) fn read(&mut self, waker: &Waker, budget: usize, out: &mut Vec<u8>) -> Progress {
        let mut records = 0;
        loop {
            if self.round.is_none() && !self.begin_round(waker) {
                return if records > 0 {
                    Progress::Records(records)
                } else {
                    Progress::CaughtUp
                };
            }
            records += self.drain(budget, out);
            if out.len() >= budget {
                return Progress::Records(records);
            }
        }
    }

    /// Returns whether there is anything new.
    fn begin_round(&mut self, waker: &Waker) -> bool {
        self.watch.register(waker);
        // The order matters: what is at or below this mark has marked its channel before.
        let limit = self.engine.head();
        self.watch.take_ready(&mut self.ready);
        if limit <= self.cursor {
            return false;
        }
        let unread = std::mem::take(&mut self.ready);
        self.round = Some(Round {
            limit,
            runs: BinaryHeap::new(),
            unread,
        });
        true
    }

    /// Goes on with the round, and ends it when nothing is left up to its limit.
    fn drain(&mut self, budget: usize, out: &mut Vec<u8>) -> u64 {
        let Some(mut round) = self.round.take() else {
            return 0;
        };
        let mut records = 0;
        if let ([_], true) = (&round.unread[..], round.runs.is_empty()) {
            records += self.drain_single(&mut round, budget, out);
        }
        for link in round.unread.drain(..) {
            let mut run = Run {
                link,
                cursor: self.cursor,
                records: VecDeque::new(),
                left: Left::More,
            };
            run.refill(round.limit, self.level, out);
            Self::sort_in(run, &mut round.runs, &mut self.ready);
        }
        while out.len() < budget
            && let Some((id, frame, emptied)) = round.next_record()
        {
            out.extend_from_slice(&frame);
            self.cursor = id;
            records += 1;
            if let Some(mut run) = emptied {
                run.refill(round.limit, self.level, out);
                Self::sort_in(run, &mut round.runs, &mut self.ready);
            }
        }
        if round.runs.is_empty() && round.unread.is_empty() {
            self.cursor = round.limit;
        } else {
            self.round = Some(round);
        }
        records
    }

    /// One channel alone needs no merging: its bytes go straight to where they are wanted. Leaves
    /// the channel unread where the budget ends first.
    fn drain_single(&mut self, round: &mut Round, budget: usize, out: &mut Vec<u8>) -> u64 {
        let Some(link) = round.unread.pop() else { return 0 };
        let mut records = 0;
        loop {
            let left = link
                .log
                .take(&link, &mut self.cursor, round.limit, self.level, |found| {
                    match found {
                        Found::Gap { from, to } => write_gap(&link, from, to, out),
                        Found::Record(record) => {
                            out.extend_from_slice(&record.frame);
                            records += 1;
                        }
                    }
                    out.len() < budget
                });
            match left {
                Left::Nothing => return records,
                Left::Beyond => {
                    self.ready.push(link);
                    return records;
                }
                Left::More if out.len() < budget => {}
                Left::More => {
                    round.unread.push(link);
                    return records;
                }
            }
        }
    }

    /// Puts a run where it belongs: among those with records, back to the channels that are ready
    /// for the next round, or nowhere, until its next record marks it.
    fn sort_in(run: Run, runs: &mut BinaryHeap<Reverse<Run>>, ready: &mut Vec<Arc<Link>>) {
        if !run.records.is_empty() {
            runs.push(Reverse(run));
        } else if run.left == Left::Beyond {
            ready.push(run.link);
        }
    }
}

impl Round {
    /// The record with the smallest id, and its run where that has none left in hand.
    fn next_record(&mut self) -> Option<(RecordId, Arc<[u8]>, Option<Run>)> {
        let mut top = self.runs.peek_mut()?;
        let Reverse(run) = &mut *top;
        let (id, frame) = run.records.pop_front()?;
        let emptied = run.records.is_empty().then(|| PeekMut::pop(top).0);
        Some((id, frame, emptied))
    }
}

impl Run {
    /// Takes the next portion of its channel's records, where there are any up to the limit.
    fn refill(&mut self, limit: RecordId, level: Option<Level>, out: &mut Vec<u8>) {
        let Self {
            link,
            cursor,
            records,
            left,
        } = self;
        while records.is_empty() && *left == Left::More {
            *left = link.log.take(link, cursor, limit, level, |found| {
                match found {
                    Found::Gap { from, to } => write_gap(link, from, to, out),
                    Found::Record(record) => records.push_back((record.id, record.frame.clone())),
                }
                records.len() < PORTION
            });
        }
    }

    fn next_id(&self) -> Option<RecordId> {
        self.records.front().map(|(id, _)| *id)
    }
}

fn write_gap(link: &Link, from: RecordId, to: RecordId, out: &mut Vec<u8>) {
    let channel = link.log.channel().clone().into();
    ServerEvent::Gap(Gap {
        channel,
        from,
        to,
        reason: GapReason::Retention,
    })
    .write_sse(None, out);
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

#[cfg(test)]
mod tests;
