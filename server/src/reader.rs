//! [`Reader`]: a cursor that moves through the channels it follows.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque, binary_heap::PeekMut},
    future::pending,
    panic::resume_unwind,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use logs_shared::{
    RecordId, ServerEvent,
    event::{Gap, GapReason},
};
use tokio::{
    task::{JoinError, JoinHandle, spawn_blocking},
    time::{Sleep, sleep},
};

use crate::{
    engine::{Batch, Found, Left, Link, Log, Stamp, StoreAway, Watch, now_ms},
    random,
};

/// A cursor that moves through the channels it follows. Live delivery, resuming, history and
/// catching up are all this: read forward from the cursor.
///
/// It goes in rounds. A round takes the high-water mark first and then drains every channel up to
/// it, merged by id; so no record can come after one with a larger id. When a round ends the cursor
/// stands at that mark, also where none of the records was for this reader.
///
/// What a channel's tail does not have any more is fetched from the store, a portion at a time and beside the
/// runtime; meanwhile the round rests. So it does where the store is away: it goes on when the store is there again.
///
/// Where others publish to the log too, no round begins before it is certain that nothing is missed of what is followed.
pub(crate) struct Reader {
    log: Arc<Log>,
    watch: Watch,
    cursor: RecordId,
    /// Channels that may hold records after the cursor.
    ready: Vec<Arc<Link>>,
    round: Option<Round>,
    fetching: Option<Fetching>,
    /// Until when nothing is fetched, because the store is away.
    resting: Option<Pin<Box<Sleep>>>,
    /// The changes of what it follows that it knows of.
    changes: usize,
    may_block: bool,
    /// Whether it takes what others read too as they get it.
    shares: bool,
    told: Told,
}

/// What a look gave besides records.
#[derive(Default)]
struct Told {
    /// Why records were missing, once a gap.
    gaps: Vec<GapReason>,
    /// The first record that was written, with the smallest id of them.
    first: Option<(RecordId, Stamp)>,
    /// Records that others get as the same bytes.
    batch: Option<Batch>,
}

struct Round {
    /// The high-water mark when the round began.
    limit: RecordId,
    /// Channels with records ready, the one with the smallest id on top.
    runs: BinaryHeap<Reverse<Run>>,
    /// Channels not looked at yet.
    unread: Vec<Arc<Link>>,
    /// Channels whose next records are in the store. Until they are here it is not known which is the next.
    in_store: Vec<Run>,
}

/// A channel's part of a round.
struct Run {
    link: Arc<Link>,
    /// What has been looked at so far.
    cursor: RecordId,
    in_hand: InHand,
    left: Left,
}

/// What a run has taken of its channel.
#[derive(Default)]
struct InHand {
    records: VecDeque<Taken>,
    /// What is missing in front of them and the reader has not been told of yet.
    gap: Option<Gap>,
}

/// One of those records.
struct Taken {
    id: RecordId,
    stamp: Stamp,
    frame: Arc<[u8]>,
}

/// What one look gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// So many records were written, and there may be more.
    Records(u64),
    /// The next records are on their way from the store; the waker is called when they are here.
    Fetching,
    /// Everything up to the high-water mark has been written.
    CaughtUp,
}

/// Why a reader goes no further. It may go on from its cursor as another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// A mistake in the gateway stopped it.
    Mistake,
    /// The store is away, and the caller does not wait until it comes back.
    Away,
}

/// What was fetched.
#[derive(Default)]
struct Fetched {
    /// Runs with what the store had for them.
    runs: Vec<Run>,
    /// Runs for which the store did not answer.
    failed: Vec<Run>,
}

/// For about how many milliseconds nothing is asked of a store that is away.
const REST_MS: u64 = 1_000;

/// A round with several channels takes their records in portions, so that what it holds at any time
/// is bounded by the number of its channels.
const PORTION: usize = 32;
/// What a round may have in hand of what was fetched from the store, over all its channels, in bytes; of each at
/// least one record.
const FETCH_BYTES: u64 = 512 * 1024;
/// What is fetched of a channel at least: a block is unpacked for it.
const LEAST_FETCH_BYTES: u64 = 4 * 1024;

impl Reader {
    /// A reader that goes on after `cursor`. A cursor in the future is set back to now. Blocks where the cursor
    /// lies behind and the store must be looked through for channels.
    ///
    /// With `may_block` it reads from the store while the caller waits, and goes no further where the store is away.
    ///
    /// # Errors
    /// The store is away.
    pub(crate) fn new(
        log: Arc<Log>,
        watch: Watch,
        cursor: RecordId,
        may_block: bool,
    ) -> Result<Self, StoreAway> {
        let changes = watch.changes();
        let head = log.head();
        let cursor = cursor.min(head);
        if cursor < head {
            bring_in_after(&log, &watch, cursor)?;
        }
        Ok(Self {
            log,
            watch,
            cursor,
            ready: Vec::new(),
            round: None,
            fetching: None,
            resting: None,
            changes,
            may_block,
            shares: false,
            told: Told::default(),
        })
    }

    /// From now on, what others read too may come as one batch, see [`Self::take_batch`].
    pub(crate) fn sharing(self) -> Self {
        Self { shares: true, ..self }
    }

    /// What the last look gave in front of the bytes that it appended.
    pub(crate) fn take_batch(&mut self) -> Option<Batch> {
        self.told.batch.take()
    }

    /// Everything up to here has been written; nothing after it has.
    pub(crate) fn cursor(&self) -> RecordId {
        self.cursor
    }

    /// The gaps of the last look.
    pub(crate) fn gaps(&self) -> &[GapReason] {
        &self.told.gaps
    }

    /// For how many milliseconds nothing was heard of what other gateways publish, because the store they share is away.
    pub(crate) fn delayed_ms(&self) -> Option<u64> {
        self.log.delayed_ms()
    }

    /// How long ago the first record of the last look came to the log; `None` where there was none. Where it came from the
    /// store it is told by its id, which counts milliseconds of a clock that may step.
    pub(crate) fn age(&self) -> Option<Duration> {
        let (id, stamp) = self.told.first?;
        let us = match stamp.us() {
            Some(us) => self.log.work.now_us().saturating_sub(us),
            None => now_ms().saturating_sub(id.ms) * 1_000,
        };
        Some(Duration::from_micros(us))
    }

    /// Appends records to `out`, in order, until it holds about `budget` bytes. Registers the waker
    /// first, so that nothing published from then on is missed.
    pub(crate) fn read(
        &mut self,
        waker: &Waker,
        budget: usize,
        out: &mut Vec<u8>,
    ) -> Result<Progress, Broken> {
        self.told = Told::default();
        self.watch.register(waker);
        let changes = self.watch.changes();
        if changes % 2 == 1 {
            // It is called again when the change is done.
            return Ok(Progress::Fetching);
        }
        if std::mem::replace(&mut self.changes, changes) != changes {
            self.abandon_round();
        }
        let mut records = 0;
        loop {
            let rests = match self.poll_fetch(waker, out)? {
                Poll::Pending => Some(Progress::Fetching),
                Poll::Ready(()) if self.round.is_some() => None,
                Poll::Ready(()) => self.begin_round(),
            };
            if let Some(progress) = rests {
                return Ok(if records > 0 {
                    Progress::Records(records)
                } else {
                    progress
                });
            }
            records += self.drain(budget, out);
            if self.is_full(budget, out) {
                return Ok(Progress::Records(records));
            }
        }
    }

    /// What it follows has changed: what it has in hand may be of channels that it has left. The channels it
    /// follows now are ready, to be read from the cursor on.
    fn abandon_round(&mut self) {
        (self.fetching, self.resting) = (None, None);
        // A channel that was read to its end may have gone out of memory, with records still in hand here.
        for Reverse(run) in self.round.take().into_iter().flat_map(|round| round.runs) {
            self.watch.bring_in(run.link.log.channel());
        }
    }

    /// Returns why it rests, where it does.
    fn begin_round(&mut self) -> Option<Progress> {
        if !self.log.is_confirmed(self.watch.needs()) {
            return Some(Progress::Fetching);
        }
        let mut awaits_head = false;
        let limit = loop {
            // The order matters: what is at or below this mark has marked its channel before.
            let limit = self.log.head();
            self.watch.take_ready(&mut self.ready);
            if self.watch.changes() != self.changes {
                // Some links may be detached already and others not attached yet: a round without them would lose records.
                return Some(Progress::Fetching);
            }
            if limit > self.cursor {
                break limit;
            }
            let cursor = self.cursor;
            self.ready.retain(|link| !link.log.settle(link, cursor));
            if self.ready.is_empty() || awaits_head {
                return Some(Progress::CaughtUp);
            }
            // There are records that cannot be read yet: they have marked their channel, which no record marks once more.
            self.watch.await_head();
            awaits_head = true;
        };
        let unread = std::mem::take(&mut self.ready);
        self.round = Some(Round {
            limit,
            runs: BinaryHeap::new(),
            unread,
            in_store: Vec::new(),
        });
        None
    }

    /// Goes on with the round, and ends it when nothing is left up to its limit.
    fn drain(&mut self, budget: usize, out: &mut Vec<u8>) -> u64 {
        let Some(mut round) = self.round.take() else {
            return 0;
        };
        let mut records = 0;
        if round.unread.len() == 1 && round.runs.is_empty() && round.in_store.is_empty() {
            records += self.drain_single(&mut round, budget, out);
            if self.is_full(budget, out) && !round.is_done() {
                // The rest of it goes the same way.
                self.round = Some(round);
                return records;
            }
        }
        for link in std::mem::take(&mut round.unread) {
            self.sort_in(Run::new(link, self.cursor), &mut round, out);
        }
        while out.len() < budget && round.in_store.is_empty() {
            let Some((record, emptied)) = round.next_record() else {
                break;
            };
            self.told.first.get_or_insert((record.id, record.stamp));
            out.extend_from_slice(&record.frame);
            self.cursor = record.id;
            records += 1;
            if let Some(run) = emptied {
                self.sort_in(run, &mut round, out);
            }
        }
        if round.is_done() {
            self.cursor = round.limit;
        } else {
            self.round = Some(round);
        }
        records
    }

    /// Whether the look has given enough.
    fn is_full(&self, budget: usize, out: &[u8]) -> bool {
        out.len() >= budget || self.told.batch.is_some()
    }

    /// One channel alone needs no merging: its bytes go straight to where they are wanted, or are those of others. Leaves
    /// the channel unread where the budget ends first or the store must be asked.
    fn drain_single(&mut self, round: &mut Round, budget: usize, out: &mut Vec<u8>) -> u64 {
        let Some(link) = round.unread.pop() else { return 0 };
        let mut records = 0;
        loop {
            if self.shares && out.is_empty() {
                let (log, cursor) = (&self.log, &mut self.cursor);
                let joined = link
                    .log
                    .take_joined(&log.batches, &link, cursor, round.limit, budget);
                if let Some((joined, left)) = joined {
                    self.told.first.get_or_insert(joined.first);
                    self.told.batch = Some(joined.batch);
                    match left {
                        Left::Nothing => {}
                        Left::Beyond => self.ready.push(link),
                        Left::More | Left::InStore => round.unread.push(link),
                    }
                    return joined.records;
                }
            }
            let left = link.log.take(&link, &mut self.cursor, round.limit, |found| {
                match found {
                    Found::Gap { from, to, reason } => {
                        self.told.write_gap(&gap(&link, from, to, reason), out);
                    }
                    Found::Record(record) => {
                        self.told.first.get_or_insert((record.id, record.stamp));
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
                Left::More | Left::InStore => {
                    round.unread.push(link);
                    return records;
                }
            }
        }
    }

    /// Has a run look for its next records, and puts it where it belongs: among those that have some, among those
    /// that wait for the store, back to the channels that are ready for the next round, or nowhere, until its
    /// next record marks it.
    fn sort_in(&mut self, mut run: Run, round: &mut Round, out: &mut Vec<u8>) {
        run.refill(round.limit);
        if let Some(gap) = run.in_hand.gap.take() {
            self.told.write_gap(&gap, out);
        }
        if !run.in_hand.records.is_empty() {
            round.runs.push(Reverse(run));
        } else if run.left == Left::InStore {
            round.in_store.push(run);
        } else if run.left == Left::Beyond {
            self.ready.push(run.link);
        }
    }

    /// Has what the round needs of the store fetched. Ready where it needs nothing.
    fn poll_fetch(&mut self, waker: &Waker, out: &mut Vec<u8>) -> Result<Poll<()>, Broken> {
        let mut cx = Context::from_waker(waker);
        loop {
            if let Some(fetching) = &mut self.fetching {
                let Poll::Ready(fetched) = Pin::new(&mut fetching.0).poll(&mut cx) else {
                    return Ok(Poll::Pending);
                };
                self.fetching = None;
                self.take_fetched(fetched.map_err(|_| Broken::Mistake)?, out)?;
            }
            if let Some(resting) = &mut self.resting {
                if resting.as_mut().poll(&mut cx).is_pending() {
                    return Ok(Poll::Pending);
                }
                self.resting = self.log.is_away().then(rest);
                continue;
            }
            let Some(round) = self.round.as_mut().filter(|round| !round.in_store.is_empty()) else {
                return Ok(Poll::Ready(()));
            };
            let (runs, limit) = (std::mem::take(&mut round.in_store), round.limit);
            let budget = (FETCH_BYTES / (runs.len() + round.runs.len()) as u64).max(LEAST_FETCH_BYTES);
            if self.may_block {
                let fetched = fetch(&self.log, runs, limit, budget);
                self.take_fetched(fetched, out)?;
            } else {
                self.fetching = Some(Fetching::new(&self.log, move |log| {
                    fetch(log, runs, limit, budget)
                }));
            }
        }
    }

    fn take_fetched(&mut self, fetched: Fetched, out: &mut Vec<u8>) -> Result<(), Broken> {
        let Some(mut round) = self.round.take() else {
            return Ok(());
        };
        for run in fetched.runs {
            self.sort_in(run, &mut round, out);
        }
        let is_away = !fetched.failed.is_empty();
        round.in_store.extend(fetched.failed);
        self.round = Some(round);
        if is_away && self.may_block {
            return Err(Broken::Away);
        }
        if is_away {
            self.resting = Some(rest());
        }
        Ok(())
    }
}

/// What is on its way from the store. Who lets go of it waits for it no more.
struct Fetching(JoinHandle<Fetched>);

impl Fetching {
    /// Where the store answers only so many at a time, the thread is taken when it is this one's turn.
    fn new(log: &Arc<Log>, fetch: impl FnOnce(&Log) -> Fetched + Send + 'static) -> Self {
        let (log, turns) = (log.clone(), log.turns().cloned());
        let Some(turns) = turns else {
            return Self(spawn_blocking(move || fetch(&log)));
        };
        Self(tokio::spawn(async move {
            let turn = turns.acquire_owned().await;
            let fetched = spawn_blocking(move || {
                let _turn = turn;
                fetch(&log)
            });
            match fetched.await.map_err(JoinError::try_into_panic) {
                Ok(fetched) => fetched,
                Err(Ok(panic)) => resume_unwind(panic),
                // The runtime ends.
                Err(Err(_)) => pending().await,
            }
        }))
    }
}

impl Drop for Fetching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// All readers that rest are not to come at once.
fn rest() -> Pin<Box<Sleep>> {
    Box::pin(sleep(Duration::from_millis(random::jittered(REST_MS))))
}

/// Fetches the next records of these runs from the store, about so many bytes of each. Blocks.
fn fetch(log: &Log, runs: Vec<Run>, limit: RecordId, budget: u64) -> Fetched {
    let mut fetched = Fetched::default();
    for mut run in runs {
        // Where it does not answer once, nobody waits for it to do so again.
        if fetched.failed.is_empty() && run.fetch(log, limit, budget).is_ok() {
            fetched.runs.push(run);
        } else {
            fetched.failed.push(run);
        }
    }
    fetched
}

/// Brings channels into memory that only the store has and that have records after the cursor.
fn bring_in_after(log: &Log, watch: &Watch, cursor: RecordId) -> Result<(), StoreAway> {
    let mut found = Vec::new();
    log.each_kept(&watch.wildcards(), |channel, last_id| {
        if last_id > cursor {
            found.push(channel);
        }
    })?;
    for channel in found {
        watch.bring_in(&channel);
    }
    Ok(())
}

impl Round {
    /// The record with the smallest id, and its run where that has none left in hand.
    fn next_record(&mut self) -> Option<(Taken, Option<Run>)> {
        let mut top = self.runs.peek_mut()?;
        let Reverse(run) = &mut *top;
        let record = run.in_hand.records.pop_front()?;
        let emptied = run.in_hand.records.is_empty().then(|| PeekMut::pop(top).0);
        Some((record, emptied))
    }

    fn is_done(&self) -> bool {
        self.runs.is_empty() && self.unread.is_empty() && self.in_store.is_empty()
    }
}

impl Run {
    fn new(link: Arc<Link>, cursor: RecordId) -> Self {
        Self {
            link,
            cursor,
            in_hand: InHand::default(),
            left: Left::More,
        }
    }

    /// Takes the next portion of its channel's records, where the tail has any up to the limit.
    fn refill(&mut self, limit: RecordId) {
        while self.in_hand.records.is_empty() && self.left == Left::More {
            self.left = self.link.log.take(&self.link, &mut self.cursor, limit, |found| {
                self.in_hand.take(&self.link, found);
                self.in_hand.records.len() < PORTION
            });
        }
    }

    /// Takes the next portion from the store. Blocks.
    fn fetch(&mut self, log: &Log, limit: RecordId, budget: u64) -> Result<(), StoreAway> {
        let take = |found: Found<'_>| self.in_hand.take(&self.link, found);
        self.left = self
            .link
            .log
            .fetch(log, &self.link, &mut self.cursor, limit, budget, take)?;
        Ok(())
    }

    fn next_id(&self) -> Option<RecordId> {
        self.in_hand.records.front().map(|record| record.id)
    }
}

impl InHand {
    fn take(&mut self, link: &Link, found: Found<'_>) {
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

fn gap(link: &Link, from: RecordId, to: RecordId, reason: GapReason) -> Gap {
    Gap {
        channel: link.log.channel().clone().into(),
        from,
        to,
        reason,
    }
}

impl Told {
    fn write_gap(&mut self, gap: &Gap, out: &mut Vec<u8>) {
        self.gaps.push(gap.reason);
        ServerEvent::Gap(gap.clone()).write_sse(None, out);
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

#[cfg(test)]
mod tests;
