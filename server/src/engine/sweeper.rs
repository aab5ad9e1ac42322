//! [`Sweeper`]: lets go of what is not to be kept, beside delivery.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use logs_shared::{Channel, RecordId};
use tokio::sync::{mpsc, oneshot};

use super::{
    Log,
    group::Command,
    now_ms, read,
    store::{Kept, Store},
    trim::Cut,
    write,
};

/// Lets go of what is not to be kept: records over retention's limits, tails over the memory they may take, channels
/// that are idle. A thread of its own. It only looks, and asks the writer to change what is on disk.
pub(super) struct Sweeper {
    log: Arc<Log>,
    commands: mpsc::WeakSender<Command>,
    notices: Receiver<Notice>,
    /// When it last looked through everything that is kept.
    swept: Option<Instant>,
}

/// What the writer noticed.
pub(super) enum Notice {
    /// A channel has more records than retention keeps.
    Over(Channel),
    /// Tails take more memory than they may.
    Tails,
}

/// The writer is gone.
struct Ended;

const TICK: Duration = Duration::from_secs(1);
/// How long a channel may rest before its records are on disk only.
const IDLE_MS: u64 = 300_000;
/// Channels looked at in one go.
const CHANNELS_AT_ONCE: usize = 256;

impl Sweeper {
    pub(super) fn new(log: Arc<Log>, commands: mpsc::WeakSender<Command>, notices: Receiver<Notice>) -> Self {
        Self {
            log,
            commands,
            notices,
            swept: None,
        }
    }

    /// Ends with the writer.
    pub(super) fn run(mut self) {
        let mut ticked = Instant::now();
        loop {
            let mut over = HashSet::new();
            match self.notices.recv_timeout(TICK.saturating_sub(ticked.elapsed())) {
                Ok(notice) => {
                    for notice in std::iter::once(notice).chain(self.notices.try_iter()) {
                        if let Notice::Over(channel) = notice {
                            over.insert(channel);
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.log.shorten_tails();
            let mut swept = over.iter().try_for_each(|channel| self.trim_to_count(channel));
            if swept.is_ok() && ticked.elapsed() >= TICK {
                ticked = Instant::now();
                swept = self.tick();
            }
            if swept.is_err() {
                return;
            }
        }
    }

    /// What is done once a second.
    fn tick(&mut self) -> Result<(), Ended> {
        let Log { store, retention, .. } = &*self.log.clone();
        if let Some(store) = store {
            store.look_for_room();
            if store.has_room() && self.log.cannot_write() {
                self.ask(Command::Reopen)?;
            }
            self.log.let_out_idle(now_ms().saturating_sub(IDLE_MS));
        }
        // Records may stay a thousandth longer than they must.
        let pause = Duration::from_millis(retention.age_ms / 1_000).clamp(TICK, Duration::from_secs(600));
        let is_over = store.is_some() && self.log.kept_bytes.load(Ordering::Relaxed) > retention.bytes;
        if is_over || self.swept.is_none_or(|swept| swept.elapsed() >= pause) {
            self.swept = Some(Instant::now());
            match store {
                None => self.sweep_memory()?,
                Some(store) => self.sweep_store(store)?,
            }
        }
        Ok(())
    }

    /// Lets go of what is too old, where there is no store.
    fn sweep_memory(&self) -> Result<(), Ended> {
        let before_ms = now_ms().saturating_sub(self.log.retention.age_ms);
        let logs: Vec<_> = read(&self.log.directory).channels().cloned().collect();
        let mut empty = Vec::new();
        for log in logs {
            let freed = log.shorten_tail(false, before_ms);
            self.log.tail_bytes.fetch_sub(freed, Ordering::Relaxed);
            let kept = log.kept();
            if kept.records == 0 && kept.last_id != RecordId::ZERO {
                empty.push(log.channel().clone());
            }
        }
        self.forget(empty)
    }

    /// Lets go of what is too old, and of the oldest where all together is too much.
    fn sweep_store(&self, store: &Store) -> Result<(), Ended> {
        let age_limit = now_ms().saturating_sub(self.log.retention.age_ms);
        self.trim_before(store, age_limit)?;
        // What a span's bytes are at which time is a guess, so it may take a few rounds.
        loop {
            let excess = self
                .log
                .kept_bytes
                .load(Ordering::Relaxed)
                .saturating_sub(self.log.retention.bytes);
            if excess == 0 {
                return Ok(());
            }
            let mut spans = Vec::new();
            self.each_channel(store, |_, kept| {
                if kept.records > 0 {
                    spans.push((kept.first_id.ms, kept.last_id.ms, kept.bytes));
                }
                Ok(())
            })?;
            if spans.is_empty() {
                return Ok(());
            }
            let before_ms = time_that_frees(&spans, excess + self.log.retention.bytes / 64);
            self.trim_before(store, before_ms)?;
        }
    }

    /// Lets go of every record before this time.
    fn trim_before(&self, store: &Store, before_ms: u64) -> Result<(), Ended> {
        let mut empty = Vec::new();
        self.each_channel(store, |channel, kept| {
            if kept.records > 0 && kept.first_id.ms < before_ms {
                self.trim(store, channel, Cut::Before(before_ms))?;
            }
            if self.kept(store, channel).is_some_and(|kept| kept.records == 0) {
                empty.push(channel.clone());
            }
            Ok(())
        })?;
        self.forget(empty)
    }

    fn each_channel(
        &self,
        store: &Store,
        mut each: impl FnMut(&Channel, Kept) -> Result<(), Ended>,
    ) -> Result<(), Ended> {
        let mut after = None;
        loop {
            let portion = store.channels_after(after.as_ref(), CHANNELS_AT_ONCE);
            let portion = match portion {
                Ok(portion) if portion.is_empty() => return Ok(()),
                Ok(portion) => portion,
                Err(error) => {
                    self.log.fail_reading(&error);
                    return Ok(());
                }
            };
            for (channel, kept) in &portion {
                each(channel, *kept)?;
            }
            after = portion.into_iter().last().map(|(channel, _)| channel);
        }
    }

    fn trim_to_count(&self, channel: &Channel) -> Result<(), Ended> {
        let Some(store) = &self.log.store else {
            return Ok(());
        };
        self.trim(store, channel, Cut::AllBut(self.log.retention.records))
    }

    /// Lets go of a channel's oldest records, a portion after the other.
    fn trim(&self, store: &Store, channel: &Channel, cut: Cut) -> Result<(), Ended> {
        loop {
            let Some(kept) = self.kept(store, channel) else {
                return Ok(());
            };
            let (done, wait) = oneshot::channel();
            let trim = match cut.plan(store, channel, kept, done) {
                Ok(Some(trim)) => trim,
                Ok(None) => return Ok(()),
                Err(error) => {
                    self.log.fail_reading(&error);
                    return Ok(());
                }
            };
            let is_last = trim.first_id.is_some();
            self.ask(Command::Trim(trim))?;
            // Not done is not trimmed: the next sweep tries again.
            if wait.blocking_recv().is_err() || is_last {
                return Ok(());
            }
        }
    }

    fn kept(&self, store: &Store, channel: &Channel) -> Option<Kept> {
        let in_memory = read(&self.log.directory).get(channel).map(|log| log.kept());
        in_memory.or_else(|| store.kept(channel).ok().flatten())
    }

    fn forget(&self, channels: Vec<Channel>) -> Result<(), Ended> {
        for channels in channels.chunks(CHANNELS_AT_ONCE) {
            let (done, wait) = oneshot::channel();
            self.ask(Command::Forget(channels.to_vec(), done))?;
            let _ = wait.blocking_recv();
        }
        Ok(())
    }

    fn ask(&self, command: Command) -> Result<(), Ended> {
        let commands = self.commands.upgrade().ok_or(Ended)?;
        commands.blocking_send(command).map_err(|_| Ended)
    }
}

impl Log {
    /// Lets channels go out of memory to which nothing has come since then, where the store has their records.
    pub(super) fn let_out_idle(&self, before_ms: u64) {
        let logs: Vec<_> = read(&self.directory).channels().cloned().collect();
        for portion in logs.chunks(CHANNELS_AT_ONCE) {
            let mut idle = Vec::new();
            for log in portion {
                if log.kept().last_id.ms < before_ms {
                    let freed = log.shorten_tail(true, before_ms);
                    self.tail_bytes.fetch_sub(freed, Ordering::Relaxed);
                }
                if log.is_idle() {
                    idle.push(log.channel());
                }
            }
            if !idle.is_empty() {
                let mut directory = write(&self.directory);
                idle.into_iter().for_each(|channel| directory.let_out(channel));
            }
        }
    }

    /// Lets go of the oldest records in memory, where there are more than there may be: for good without a store.
    pub(super) fn shorten_tails(&self) {
        let limit = self.memory;
        while self.tail_bytes.load(Ordering::Relaxed) > limit {
            let excess = self.tail_bytes.load(Ordering::Relaxed) - limit;
            let logs: Vec<_> = read(&self.directory).channels().cloned().collect();
            let spans: Vec<_> = logs.iter().filter_map(|log| log.tail_span()).collect();
            if spans.is_empty() {
                return;
            }
            // Somewhat more than is needed, so that this is not to be done again at once.
            let before_ms = time_that_frees(&spans, excess + limit / 16);
            for log in &logs {
                let freed = log.shorten_tail(self.store.is_some(), before_ms);
                self.tail_bytes.fetch_sub(freed, Ordering::Relaxed);
            }
        }
    }
}

/// A time before which these spans have about so many bytes; each is the times of its first and last record in
/// milliseconds, and its bytes, taken as evenly spread. At least the oldest record is before it.
fn time_that_frees(spans: &[(u64, u64, u64)], bytes: u64) -> u64 {
    let before = |time: u64| -> u128 {
        let part = |(first, last, bytes): &(u64, u64, u64)| {
            let length = last.saturating_sub(*first) + 1;
            let passed = time.saturating_sub(*first).min(length);
            u128::from(*bytes) * u128::from(passed) / u128::from(length)
        };
        spans.iter().map(part).sum()
    };
    let mut low = spans.iter().map(|(first, ..)| *first).min().unwrap_or_default();
    let mut high = spans.iter().map(|(_, last, _)| *last).max().unwrap_or_default() + 1;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if before(middle) < u128::from(bytes) {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_frees_enough_is_found() {
        let spans = [(1_000, 1_999, 1_000), (1_500, 1_999, 5_000)];
        assert_eq!(time_that_frees(&spans, 100), 1_100);
        assert_eq!(time_that_frees(&spans, 500), 1_500);
        assert_eq!(time_that_frees(&spans, 500 + 110), 1_510);
        assert_eq!(time_that_frees(&spans, 1 << 60), 2_000);
        let at_once = [(7, 7, 100)];
        assert_eq!(time_that_frees(&at_once, 1), 8);
    }
}
