//! [`Sweeper`]: lets go of what is not to be kept, beside delivery.

use std::{
    collections::{BinaryHeap, HashSet},
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
pub(super) const IDLE_MS: u64 = 300_000;
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
            self.log.noticed_tails.store(false, Ordering::Relaxed);
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
        let log = self.log.clone();
        let (store, retention) = (log.disk(), log.retention);
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
        let too_old = too_old(now_ms(), self.log.retention.age_ms);
        let logs: Vec<_> = read(&self.log.directory).channels().cloned().collect();
        let mut empty = Vec::new();
        for log in logs {
            let freed = log.shorten_tail(false, too_old);
            self.log.tail_bytes.fetch_sub(freed, Ordering::Relaxed);
            let kept = log.kept();
            if kept.records == 0 && kept.last_id != RecordId::ZERO {
                empty.push(log.channel().clone());
            }
        }
        self.forget(empty)
    }

    /// Lets go of what is too old or too much for its channel, and of the oldest where all together is too much.
    fn sweep_store(&self, store: &Store) -> Result<(), Ended> {
        // Channels of which nothing can be taken now: the others make up for them.
        let mut stuck = HashSet::new();
        // The writer tells of a channel to which too much is appended, and of no other: not of one that has it already.
        let count = Cut::AllBut(self.log.retention.records);
        let age = Cut::UpTo(too_old(now_ms(), self.log.retention.age_ms));
        self.trim_all(store, &[age, count], &mut stuck)?;
        loop {
            let limit = self.log.retention.bytes;
            let excess = self.log.kept_bytes.load(Ordering::Relaxed).saturating_sub(limit);
            if excess == 0 {
                return Ok(());
            }
            // Somewhat more than is needed, so that this is not to be done again at once.
            let mut oldest = Oldest::new(excess + limit / 64);
            self.each_channel(store, |channel, kept| {
                if kept.records == 0 || stuck.contains(channel) {
                    return Ok(());
                }
                let looked = store.each_block(
                    kept.number,
                    kept.trimmed_to,
                    |_| false,
                    |key, _| Ok(oldest.add(key.last_id(), key.bytes())),
                );
                if let Err(error) = looked {
                    self.log.fail_reading(&error);
                    stuck.insert(channel.clone());
                }
                Ok(())
            })?;
            let Some(last) = oldest.last() else { return Ok(()) };
            self.trim_all(store, &[Cut::UpTo(last)], &mut stuck)?;
        }
    }

    /// Lets go of what these cuts take of any channel, and of channels that have nothing left.
    fn trim_all(&self, store: &Store, cuts: &[Cut], stuck: &mut HashSet<Channel>) -> Result<(), Ended> {
        let mut empty = Vec::new();
        self.each_channel(store, |channel, kept| {
            let mut is_empty = kept.records == 0;
            for cut in cuts.iter().filter(|cut| cut.concerns(&kept)) {
                if !stuck.contains(channel) && !self.trim(store, channel, *cut)? {
                    stuck.insert(channel.clone());
                }
                is_empty = self.kept(store, channel).is_some_and(|kept| kept.records == 0);
            }
            if is_empty {
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
        let log = self.log.clone();
        let Some(store) = log.disk() else {
            return Ok(());
        };
        if let Some(log) = read(&self.log.directory).get(channel) {
            log.set_noticed(false);
        }
        self.trim(store, channel, Cut::AllBut(self.log.retention.records))?;
        Ok(())
    }

    /// Lets go of a channel's oldest records, a portion after the other. Returns whether that could be done.
    fn trim(&self, store: &Store, channel: &Channel, cut: Cut) -> Result<bool, Ended> {
        loop {
            let Some(kept) = self.kept(store, channel) else {
                return Ok(false);
            };
            let (done, wait) = oneshot::channel();
            let trim = match cut.plan(store, channel, kept, done) {
                Ok(Some(trim)) => trim,
                Ok(None) => return Ok(true),
                Err(error) => {
                    self.log.fail_reading(&error);
                    return Ok(false);
                }
            };
            let is_last = trim.first_id.is_some();
            self.ask(Command::Trim(trim))?;
            // Not done is not trimmed: the next sweep tries again.
            if wait.blocking_recv().is_err() {
                return Ok(false);
            }
            if is_last {
                return Ok(true);
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
                    let freed = log.shorten_tail(true, RecordId::before_ms(before_ms));
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

    /// Lets go of records in memory that the store has let go of: those up to `last`, and all but the newest `most` of a
    /// channel.
    pub(super) fn forget_in_tails(&self, last: RecordId, most: u64) {
        let logs: Vec<_> = read(&self.directory).channels().cloned().collect();
        for log in logs {
            let freed = log.forget_in_tail(last, most);
            self.tail_bytes.fetch_sub(freed, Ordering::Relaxed);
        }
    }

    /// Lets go of the oldest records in memory, where there are more than there may be: for good without a store.
    pub(super) fn shorten_tails(&self) {
        let limit = self.memory;
        while self.tail_bytes.load(Ordering::Relaxed) > limit {
            let excess = self.tail_bytes.load(Ordering::Relaxed) - limit;
            let logs: Vec<_> = read(&self.directory).channels().cloned().collect();
            // Somewhat more than is needed, so that this is not to be done again at once.
            let mut oldest = Oldest::new(excess + limit / 16);
            logs.iter()
                .for_each(|log| log.each_in_tail(|id, bytes| oldest.add(id, bytes)));
            let Some(last) = oldest.last() else { return };
            for log in &logs {
                let freed = log.shorten_tail(self.keeping.has_more_than_tails(), last);
                self.tail_bytes.fetch_sub(freed, Ordering::Relaxed);
            }
        }
    }
}

/// The last record that is too old.
const fn too_old(now_ms: u64, age_ms: u64) -> RecordId {
    RecordId::before_ms(now_ms.saturating_sub(age_ms))
}

/// The oldest of all that is kept, as far as is needed to free so many bytes. What it holds is bounded by that.
struct Oldest {
    needed: u64,
    bytes: u64,
    /// The youngest on top.
    found: BinaryHeap<(RecordId, u64)>,
}

impl Oldest {
    const fn new(needed: u64) -> Self {
        Self {
            needed,
            bytes: 0,
            found: BinaryHeap::new(),
        }
    }

    /// Takes the next of a channel, the oldest first. Returns whether those after it are of interest.
    fn add(&mut self, id: RecordId, bytes: u64) -> bool {
        if self.bytes >= self.needed && self.last().is_some_and(|last| last < id) {
            return false;
        }
        self.found.push((id, bytes));
        self.bytes += bytes;
        while let Some((_, youngest)) = self.found.peek()
            && self.bytes - youngest >= self.needed
        {
            self.bytes -= youngest;
            self.found.pop();
        }
        true
    }

    /// Up to this one all must go.
    fn last(&self) -> Option<RecordId> {
        self.found.peek().map(|(id, _)| *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_go_is_the_oldest_of_all_and_no_more_than_is_needed() {
        let id = |ms| RecordId::new(ms, 0);
        // A burst long ago and a quiet channel since.
        let burst = (100..200).map(|ms| (id(ms), 10));
        let quiet = (150..900).step_by(50).map(|ms| (id(ms), 1));
        let channels = [burst.collect::<Vec<_>>(), quiet.collect()];
        for (needed, last) in [
            (1, 100),
            (10, 100),
            (11, 101),
            (500, 149),
            (501, 150),
            (502, 150),
            (512, 151),
            (1_000_000, 850),
        ] {
            for turned in [false, true] {
                let mut oldest = Oldest::new(needed);
                let mut channels = channels.clone();
                if turned {
                    channels.reverse();
                }
                for channel in &channels {
                    let _ = channel.iter().all(|(id, bytes)| oldest.add(*id, *bytes));
                }
                assert_eq!(oldest.last(), Some(id(last)), "{needed}");
            }
        }
        assert_eq!(Oldest::new(5).last(), None);
    }
}
