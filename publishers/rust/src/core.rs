//! [`Core`]: the queue between the callers and the sender, and what is counted.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    Level, Stats,
    batch::{Batch, Line},
    dropped::{Reason, Untold, channel_of},
    problem::Problems,
    publisher::now_ms,
    queue::{Queue, Room, Waiting},
};

/// A request goes at once with so many records, and has no more.
const BATCH_RECORDS: usize = 1000;
/// A request goes at once with so many bytes, and has no more.
const BATCH_BYTES: usize = 1024 * 1024;
/// The gateway takes no larger record.
const MAX_RECORD_BYTES: usize = 256 * 1024;

/// The queue between the callers and the sender, and what is counted.
pub(crate) struct Core {
    room: Room,
    linger: Duration,
    pub(crate) problems: Problems,
    state: Mutex<State>,
    /// For the sender.
    wake: Condvar,
    /// For those who wait until everything is sent.
    progress: Condvar,
}

#[derive(Default)]
struct State {
    queue: Queue,
    /// Of the next record.
    number: u64,
    /// Since when there has been something in the queue.
    since: Option<Instant>,
    under_way: UnderWay,
    sent: u64,
    dropped: crate::Dropped,
    untold: Untold,
    /// How many wait until everything is sent.
    flushing: usize,
    /// How many have begun to.
    nudges: u64,
    /// A record was too large, and nobody was told.
    had_too_large: bool,
    /// Nothing more is taken.
    closing: bool,
    /// Nothing more is sent.
    ended: bool,
}

/// What the sender has.
#[derive(Default)]
struct UnderWay {
    records: usize,
    bytes: usize,
    /// The number of the oldest record among them.
    oldest: Option<u64>,
    /// Whether it has anything, what is told included.
    is_any: bool,
}

impl State {
    /// Whether nothing with a smaller number is left, nor anything to be told.
    fn is_done(&self, number: u64) -> bool {
        let is_later = |oldest: Option<u64>| oldest.is_none_or(|oldest| oldest >= number);
        let told = self.untold.is_empty() && !(self.under_way.is_any && self.under_way.records == 0);
        is_later(self.queue.oldest()) && is_later(self.under_way.oldest) && told
    }

    fn drop_record(&mut self, line: &[u8], channel_len: usize, level: Level, reason: Reason) {
        self.dropped.add(reason, 1);
        if reason != Reason::Closed {
            self.untold.add(channel_of(line, channel_len), level, reason);
        }
    }

    fn end(&mut self) -> u64 {
        let left = self.queue.records() + self.under_way.records;
        let left = u64::try_from(left).unwrap_or(u64::MAX);
        self.dropped.add(Reason::Closed, left);
        (self.queue, self.under_way) = (Queue::default(), UnderWay::default());
        (self.closing, self.ended) = (true, true);
        left
    }
}

impl Core {
    pub(crate) fn new(room: Room, linger: Duration, problems: Problems) -> Self {
        Self {
            room,
            linger,
            problems,
            state: Mutex::default(),
            wake: Condvar::new(),
            progress: Condvar::new(),
        }
    }

    /// Takes a record, or counts it as dropped.
    pub(crate) fn add(&self, level: Level, line: Vec<u8>, channel_len: usize) {
        let mut gone = Vec::new();
        let mut state = self.state();
        if state.closing {
            state.drop_record(&line, channel_len, level, Reason::Closed);
            return;
        }
        if line.len() > MAX_RECORD_BYTES {
            state.drop_record(&line, channel_len, level, Reason::TooLarge);
            state.had_too_large = true;
            self.tell_sender(&mut state, true);
            return;
        }
        let room = Room {
            records: self.room.records.saturating_sub(state.under_way.records),
            bytes: self.room.bytes.saturating_sub(state.under_way.bytes),
        };
        if !state.queue.can_have(level, line.len(), room) {
            state.drop_record(&line, channel_len, level, Reason::QueueFull);
            self.tell_sender(&mut state, false);
            return;
        }
        while let Some(dropped) = state.queue.make_room(line.len(), room) {
            state.drop_record(
                &dropped.line,
                dropped.channel_len,
                dropped.level,
                Reason::QueueFull,
            );
            gone.push(dropped);
        }
        let (number, was) = (state.number, (state.queue.records(), state.queue.bytes()));
        state.number += 1;
        state.queue.push(Waiting {
            number,
            level,
            line,
            channel_len,
        });
        let is_full = |(records, bytes)| records >= BATCH_RECORDS || bytes >= BATCH_BYTES;
        let has_become_full = is_full((state.queue.records(), state.queue.bytes())) && !is_full(was);
        self.tell_sender(&mut state, was.0 == 0 || has_become_full);
        // What had to go is freed when nobody waits for the lock.
        drop(state);
        drop(gone);
    }

    fn tell_sender(&self, state: &mut State, is_news: bool) {
        if state.since.is_none() {
            state.since = Some(Instant::now());
        }
        if is_news {
            self.wake.notify_one();
        }
    }

    /// The next batch, when its time has come; none when there will be none.
    pub(crate) fn next_batch(&self) -> Option<Batch> {
        let mut state = self.state();
        loop {
            if state.ended {
                return None;
            }
            let is_empty = state.queue.records() == 0 && state.untold.is_empty();
            if is_empty {
                state.since = None;
                if state.closing {
                    state.ended = true;
                    return None;
                }
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let since = *state.since.get_or_insert_with(Instant::now);
            let is_full = state.queue.records() >= BATCH_RECORDS || state.queue.bytes() >= BATCH_BYTES;
            let wait = self.linger.saturating_sub(since.elapsed());
            if is_full || state.flushing > 0 || wait.is_zero() {
                break;
            }
            let waited = self.wake.wait_timeout(state, wait);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let told = state.untold.take();
        let waiting = state.queue.take(BATCH_RECORDS, BATCH_BYTES);
        state.since = (state.queue.records() > 0).then(Instant::now);
        state.under_way = UnderWay {
            records: waiting.len(),
            bytes: waiting.iter().map(|waiting| waiting.line.len()).sum(),
            oldest: waiting.first().map(|waiting| waiting.number),
            is_any: true,
        };
        drop(state);
        let now = now_ms();
        let told = told.into_iter().map(|tally| Line::Told {
            line: tally.line(now),
            tally,
        });
        Some(Batch::new(
            told.chain(waiting.into_iter().map(Line::Record)).collect(),
        ))
    }

    /// Counts what became of records that were under way; `is_stored` says of each line whether it was.
    pub(crate) fn finish(&self, lines: &[Line], fate: impl Fn(usize) -> Result<(), Reason>) {
        let mut state = self.state();
        if state.ended {
            // They are counted already.
            return;
        }
        for (index, line) in lines.iter().enumerate() {
            match (line, fate(index)) {
                (Line::Record(_), Ok(())) => state.sent += 1,
                (Line::Record(record), Err(reason)) => {
                    state.drop_record(&record.line, record.channel_len, record.level, reason);
                }
                (Line::Told { tally, .. }, Err(Reason::Unconfirmed)) => state.untold.put_back(tally),
                // Where its channel is refused there is nobody to tell.
                (Line::Told { .. }, _) => {}
            }
            if let Line::Record(record) = line {
                state.under_way.records = state.under_way.records.saturating_sub(1);
                state.under_way.bytes = state.under_way.bytes.saturating_sub(record.line.len());
            }
        }
    }

    /// Says that the sender has nothing under way.
    pub(crate) fn rest(&self) {
        self.state().under_way = UnderWay::default();
        self.progress.notify_all();
    }

    /// Waits before something is tried again; `false` where it need not be. A flush that begins meanwhile ends the wait, unless
    /// the gateway has named the time.
    pub(crate) fn pause(&self, time: Duration, is_named: bool) -> bool {
        let until = Instant::now() + time;
        let mut state = self.state();
        let nudges = state.nudges;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if state.ended || left.is_zero() || (!is_named && state.nudges != nudges) {
                return !state.ended;
            }
            let waited = self.wake.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// How many have begun to wait until everything is sent.
    pub(crate) fn flushes(&self) -> u64 {
        self.state().nudges
    }

    /// Whether a record was too large since this was asked.
    pub(crate) fn had_too_large(&self) -> bool {
        std::mem::take(&mut self.state().had_too_large)
    }

    pub(crate) fn flush(&self, timeout: Duration) -> bool {
        let state = self.state();
        let number = state.number;
        self.wait(state, number, timeout).1
    }

    pub(crate) fn close(&self, timeout: Duration) -> bool {
        let mut state = self.state();
        state.closing = true;
        let (mut state, is_done) = self.wait(state, u64::MAX, timeout);
        let left = if state.ended { 0 } else { state.end() };
        self.wake.notify_one();
        // Others may wait for what is dropped now.
        self.progress.notify_all();
        drop(state);
        if left > 0 {
            self.problems
                .say_last(&format!("the end came before {left} records could be sent"));
        }
        is_done
    }

    fn wait<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        number: u64,
        timeout: Duration,
    ) -> (MutexGuard<'a, State>, bool) {
        // A time that no clock can show is a day.
        let until = Instant::now() + timeout.min(Duration::from_secs(24 * 60 * 60));
        state.flushing += 1;
        state.nudges += 1;
        self.wake.notify_one();
        let is_done = loop {
            if state.ended || state.is_done(number) {
                break state.dropped.closed == 0 || !state.ended;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break false;
            }
            let waited = self.progress.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        };
        state.flushing -= 1;
        (state, is_done)
    }

    /// Nothing will ever be sent.
    pub(crate) fn give_up(&self) {
        self.state().end();
        self.progress.notify_all();
    }

    pub(crate) fn stats(&self) -> Stats {
        let state = self.state();
        let queued = state.queue.records() + state.under_way.records;
        Stats {
            queued: u64::try_from(queued).unwrap_or(u64::MAX),
            sent: state.sent,
            dropped: state.dropped,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
