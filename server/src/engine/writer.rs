//! [`Writer`]: the one place where ids are given, records appended and anything on disk is changed.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use logs_shared::{Channel, RecordId};
use tokio::sync::mpsc;

use super::{
    AppendError, Appended, Log, NewRecord,
    channel_log::ChannelLog,
    group::{Append, Command, Group, Run},
    id_text::IdText,
    idempotency::{Answered, Reused},
    lock, now_ms, read,
    stamp::Stamp,
    store::{Store, StoreError},
    sweeper::Notice,
    tail::Stored,
    trim::Trim,
    waking::Waking,
    write,
};

/// The one place where ids are given, records appended and anything on disk is changed. A thread of its own: it
/// takes everything that waits, stores it at once, makes it readable, wakes the readers, and only then answers
/// the publishers.
pub(super) struct Writer {
    log: Arc<Log>,
    receiver: mpsc::Receiver<Command>,
    /// Where the sweeper hears what it should look at.
    notices: std::sync::mpsc::Sender<Notice>,
    last_id: RecordId,
    last_number: u32,
    answered: Answered,
    scratch: Vec<u8>,
    id_text: IdText,
    /// When it took what it is about to store.
    stamp: Stamp,
}

/// The most commands taken at once: bounds how long the first waits for the last.
const COMMANDS_AT_ONCE: usize = 512;
/// About the most bytes stored at once.
const GROUP_BYTES: usize = 8 << 20;

impl Writer {
    pub(super) fn new(
        log: Arc<Log>,
        receiver: mpsc::Receiver<Command>,
        notices: std::sync::mpsc::Sender<Notice>,
        answered: Answered,
        last_number: u32,
    ) -> Self {
        let last_id = log.head();
        let stamp = log.work.now();
        Self {
            log,
            receiver,
            notices,
            last_id,
            last_number,
            answered,
            scratch: Vec::new(),
            id_text: IdText::default(),
            stamp,
        }
    }

    /// Ends when it is told to, or when the last handle of the engine is gone.
    pub(super) fn run(mut self) {
        let mut waiting = Vec::with_capacity(COMMANDS_AT_ONCE);
        while self.receiver.blocking_recv_many(&mut waiting, COMMANDS_AT_ONCE) > 0 {
            let now_ms = now_ms();
            self.stamp = self.log.work.now();
            let mut group = Group::default();
            for command in waiting.drain(..) {
                match command {
                    Command::Append(appends) => {
                        for append in appends {
                            self.append(append, now_ms, &mut group);
                            self.finish_large(&mut group);
                        }
                    }
                    Command::Trim(trim) => group.trims.push(trim),
                    Command::Forget(channels, done) => {
                        group.forgets.extend(channels);
                        group.done.push(done);
                    }
                    Command::Reopen => group.reopens = true,
                    // What is waiting behind it is still finished.
                    Command::Close => self.receiver.close(),
                }
            }
            let reopens = group.reopens;
            self.finish(group);
            if reopens {
                self.reopen();
            }
        }
    }

    /// Who waits for a little must not wait for all that others bring.
    fn finish_large(&mut self, group: &mut Group) {
        if group.bytes >= GROUP_BYTES {
            self.finish(std::mem::take(group));
        }
    }

    /// Opens the store again and goes on from what is in it, as after a restart: of what was refused last, all may be
    /// in it or nothing.
    fn reopen(&mut self) {
        let log = self.log.clone();
        let Some(store) = log.disk().filter(|_| log.cannot_write()) else {
            return;
        };
        let found = match store.reopen() {
            Ok(()) => store.look_through(log.head()),
            Err(error) => {
                tracing::error!(%error, "the store cannot be opened again");
                return;
            }
        };
        let found = match found {
            Ok(found) => found,
            Err(error) => return log.fail_reading(&error),
        };
        self.answered = found.answers;
        self.last_id = self.last_id.max(found.last_id);
        self.last_number = self.last_number.max(found.last_number);
        log.kept_bytes.store(found.bytes, Ordering::Relaxed);
        log.channels.store(found.channels, Ordering::Relaxed);
        let mut waking = Waking::default();
        {
            let mut directory = write(&log.directory);
            // Who follows a channel by a pattern is to find what was refused and is there all the same.
            for channel in &found.ahead {
                directory.get_or_create(&log, channel).mark_all(&mut waking);
            }
            for channel in directory.channels() {
                if let Ok(Some(kept)) = store.kept(channel.channel()) {
                    let freed = channel.restore(kept, &mut waking);
                    log.tail_bytes.fetch_sub(freed, Ordering::Relaxed);
                }
            }
            *write(&log.head) = self.last_id;
        }
        *lock(&log.failure) = None;
        tracing::info!("the store was opened again and takes records");
        log.wake(waking);
    }

    /// Gives ids, or finds that this was done before.
    fn append(&mut self, append: Append, now_ms: u64, group: &mut Group) {
        let Append {
            records,
            named,
            reply,
            _waiting,
        } = append;
        // The log's own time never steps back.
        let log_ms = now_ms.max(self.last_id.ms);
        if let Some(named) = &named {
            match self.answered.find(named, log_ms) {
                Ok(None) => {}
                Ok(Some(first)) => {
                    let repeat = Appended {
                        is_repeat: true,
                        ..first
                    };
                    return group.appended.push((reply, repeat));
                }
                Err(Reused) => return group.refused.push((reply, AppendError::KeyReused)),
            }
        }
        if self.log.disk().is_some_and(|store| !store.has_room()) {
            return group.refused.push((reply, AppendError::Full));
        }
        let mut records = records.into_iter();
        let Some(first) = records.next() else { return };
        let first_run = self.add(first, now_ms, group);
        let first_id = self.last_id;
        for record in records {
            self.add(record, now_ms, group);
        }
        let appended = Appended {
            first_id,
            last_id: self.last_id,
            subscribers: group.runs[first_run].log.followers(),
            is_repeat: false,
        };
        if let Some(named) = named {
            let key = named.key.clone();
            let remembered = self.answered.remember(named, appended, log_ms);
            group.named.push((key, remembered));
        }
        group.appended.push((reply, appended));
    }

    /// Gives a record its id and its bytes, and puts it where it belongs. Returns which run that is.
    fn add(&mut self, record: NewRecord, now_ms: u64, group: &mut Group) -> usize {
        let NewRecord { channel, level, json } = record;
        self.last_id = self.last_id.following(now_ms);
        self.scratch.clear();
        json.write_event(self.id_text.of(self.last_id), &mut self.scratch);
        let run = match group.last_run(&channel) {
            Some(run) => run,
            None => self.begin_run(channel, group),
        };
        let stored = Stored::new(self.last_id, level, self.stamp, &self.scratch);
        group.runs[run].push(stored);
        group.records += 1;
        group.bytes += self.scratch.len();
        run
    }

    fn begin_run(&mut self, channel: Channel, group: &mut Group) -> usize {
        let run = group.runs.len();
        let log = self.bring_in(&channel);
        if let Some(store) = self.log.disk()
            && log.kept().number == 0
        {
            // Looked at once more: it may have come in while the store could not be read, and a new row over an old one
            // would lose all its records.
            match store.kept(&channel) {
                Ok(None) => {
                    self.last_number += 1;
                    log.set_number(self.last_number);
                }
                Ok(Some(kept)) => {
                    let mut waking = Waking::default();
                    log.restore(kept, &mut waking);
                    self.log.wake(waking);
                }
                Err(error) => group.failed = Some(error),
            }
        }
        group.runs.push(Run::new(log));
        group.by_channel.insert(channel, run);
        run
    }

    /// A channel's log, which stays in memory until it is let go of.
    fn bring_in(&self, channel: &Channel) -> Arc<ChannelLog> {
        let known = {
            let directory = read(&self.log.directory);
            let known = directory.get(channel).cloned();
            if let Some(log) = &known {
                log.set_pending(true);
            }
            known
        };
        known.unwrap_or_else(|| {
            let mut directory = write(&self.log.directory);
            let log = directory.get_or_create(&self.log, channel);
            log.set_pending(true);
            log
        })
    }

    /// Stores everything, makes it readable, wakes and answers, in this order.
    fn finish(&mut self, mut group: Group) {
        let trimmed: Vec<_> = group
            .trims
            .iter()
            .map(|trim| (self.bring_in(&trim.channel), trim))
            .collect();
        for (log, trim) in &trimmed {
            // Said before it is done, so that a reader that finds nothing finds out why.
            let freed = log.trim(trim.records, trim.bytes, trim.to, trim.first_id);
            self.log.tail_bytes.fetch_sub(freed, Ordering::Relaxed);
        }
        let forgets = std::mem::take(&mut group.forgets);
        let forgotten = self.forget(forgets);
        let log = self.log.clone();
        let stored = match (log.disk(), group.failed.take()) {
            (None, _) => {
                self.answered.forget(self.log_ms(), |_| {});
                Ok(())
            }
            (Some(_), Some(error)) => Err(error),
            (Some(store), None) => {
                let begun = Instant::now();
                let stored = self.store(store, &group, &trimmed, &forgotten);
                if group.records > 0 {
                    log.work.writes.took(begun.elapsed());
                }
                stored
            }
        };
        if let Err(error) = &stored {
            self.log.fail_writing(error);
        }
        let trimmed: Vec<_> = trimmed.into_iter().map(|(log, _)| log).collect();
        for trim in group.trims.drain(..) {
            if stored.is_ok() {
                self.log.kept_bytes.fetch_sub(trim.bytes, Ordering::Relaxed);
            }
            group.done.push(trim.done);
        }
        match stored {
            Ok(()) => self.publish(group),
            Err(_) => self.refuse(group),
        }
        trimmed.iter().for_each(|log| log.set_pending(false));
        self.spare_memory();
    }

    fn store(
        &mut self,
        store: &Store,
        group: &Group,
        trimmed: &[(Arc<ChannelLog>, &Trim)],
        forgotten: &[Channel],
    ) -> Result<(), StoreError> {
        // Opened again, but not looked through: what is in memory is not yet what is on disk.
        if group.records > 0 && self.log.cannot_write() {
            return Err(StoreError::Closed);
        }
        let mut change = store.change()?;
        for channel in forgotten {
            change.remove_channel(channel);
        }
        if !forgotten.is_empty() {
            change.set_forgotten_to(*read(&self.log.forgotten_to));
        }
        for (log, trim) in trimmed {
            trim.blocks.iter().for_each(|key| change.remove_block(*key));
            change.set_kept(log.channel(), &log.kept());
        }
        for Run {
            log,
            records,
            on_disk,
            ..
        } in &group.runs
        {
            let mut kept = log.kept();
            if kept.last_id == RecordId::ZERO {
                change.add_channel(log.channel());
            }
            change.append(kept.number, records);
            if let (Some(first), Some(last)) = (records.first(), records.last()) {
                kept.gain(records.len() as u64, *on_disk, first.id, last.id);
            }
            change.set_kept(log.channel(), &kept);
        }
        if group.records > 0 {
            change.set_last_id(self.last_id);
        }
        for (key, remembered) in &group.named {
            change.remember(key, remembered);
        }
        self.answered.forget(self.log_ms(), |key| change.forget(key));
        change.commit()
    }

    /// The log's own time in milliseconds, which never steps back.
    fn log_ms(&self) -> u64 {
        now_ms().max(self.last_id.ms)
    }

    /// Makes the records readable, wakes who waits for them, and answers.
    fn publish(&self, group: Group) {
        let Log {
            directory,
            keeping,
            retention,
            tail_bytes,
            kept_bytes,
            channels,
            published,
            work,
            ..
        } = &*self.log;
        let mut waking = Waking::default();
        {
            // Nobody begins or ceases to follow a channel meanwhile, so that the high-water mark is an exact border.
            let _directory = read(directory);
            for Run {
                log,
                records,
                on_disk,
                in_memory,
            } in group.runs
            {
                if log.kept().last_id == RecordId::ZERO {
                    channels.fetch_add(1, Ordering::Relaxed);
                }
                // Counted before somebody may count them out.
                tail_bytes.fetch_add(in_memory, Ordering::Relaxed);
                kept_bytes.fetch_add(on_disk, Ordering::Relaxed);
                let (bytes, most) = if keeping.has_more_than_tails() {
                    (on_disk, u64::MAX)
                } else {
                    (in_memory, retention.records)
                };
                let growth = log.append(records, bytes, most, &mut waking);
                log.set_pending(false);
                tail_bytes.fetch_sub(growth.lost, Ordering::Relaxed);
                if growth.records > retention.records && !log.set_noticed(true) {
                    // Without a sweeper there is nobody to tell.
                    let _ = self.notices.send(Notice::Over(log.channel().clone()));
                }
            }
            // Ids that were given to what was refused may be on disk, and are not passed before that is known.
            if group.records > 0 {
                *write(&self.log.head) = self.last_id;
            }
        }
        self.log.wake(waking);
        if group.records > 0 {
            published.fetch_add(group.records, Ordering::Relaxed);
            work.stored(group.records, group.bytes);
        }
        for (reply, appended) in group.appended {
            reply.send(Ok(appended));
        }
        for (reply, error) in group.refused {
            reply.send(Err(error));
        }
        for done in group.done {
            let _ = done.send(());
        }
    }

    /// Nothing of it happened.
    fn refuse(&mut self, group: Group) {
        for Run { log, .. } in group.runs {
            log.set_pending(false);
        }
        for (key, _) in &group.named {
            self.answered.take_back(key);
        }
        for (reply, _) in group.appended {
            reply.send(Err(AppendError::Failed));
        }
        for (reply, error) in group.refused {
            reply.send(Err(error));
        }
    }

    /// Tells the sweeper where tails take too much memory, and does its work where it does not keep up.
    fn spare_memory(&self) {
        let (bytes, limit) = (self.log.tail_bytes.load(Ordering::Relaxed), self.log.memory);
        if bytes / 2 > limit {
            self.log.shorten_tails();
        } else if bytes > limit && !self.log.noticed_tails.swap(true, Ordering::Relaxed) {
            let _ = self.notices.send(Notice::Tails);
        }
    }

    /// Forgets channels that have neither records nor readers, and returns which those are.
    fn forget(&self, channels: Vec<Channel>) -> Vec<Channel> {
        if channels.is_empty() {
            return channels;
        }
        let mut directory = write(&self.log.directory);
        let forget = |channel: &Channel| {
            let kept = match (directory.get(channel), self.log.disk()) {
                (Some(log), _) => log.kept(),
                (None, Some(store)) => match store.kept(channel) {
                    Ok(Some(kept)) => kept,
                    Ok(None) | Err(_) => return false,
                },
                (None, None) => return false,
            };
            if kept.records > 0 || !directory.forget(channel) {
                return false;
            }
            let mut forgotten_to = write(&self.log.forgotten_to);
            *forgotten_to = kept.trimmed_to.max(*forgotten_to);
            self.log.channels.fetch_sub(1, Ordering::Relaxed);
            true
        };
        channels.into_iter().filter(forget).collect()
    }
}
