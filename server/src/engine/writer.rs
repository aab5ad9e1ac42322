//! [`Writer`]: the one place where ids are given and records appended.

use std::{
    sync::{Arc, atomic::Ordering},
    thread,
    time::Instant,
};

use logs_shared::{Channel, RecordId, sse};
use tokio::sync::{mpsc, oneshot};

use super::{
    AppendError, Appended, Log, NewRecord,
    idempotency::{Answered, Named, Reused},
    now_ms, read,
    tail::Stored,
    watch::Signal,
    write,
};

/// Records to append together, and who waits for it.
pub(super) struct Append {
    pub(super) records: Vec<NewRecord>,
    /// Its name, where it may be repeated.
    pub(super) named: Option<Named>,
    pub(super) reply: oneshot::Sender<Answer>,
}

type Answer = Result<Appended, AppendError>;

/// The one place where ids are given and records appended. A thread of its own: it takes everything
/// that waits, makes it readable, wakes the readers, and only then answers the publishers.
pub(super) struct Writer {
    log: Arc<Log>,
    receiver: mpsc::Receiver<Append>,
    last_id: RecordId,
    answered: Answered,
    scratch: Vec<u8>,
    wake: Vec<Arc<Signal>>,
}

/// The most appends taken at once: bounds how long the first waits for the last.
const APPENDS_AT_ONCE: usize = 256;

impl Writer {
    pub(super) fn new(log: Arc<Log>, receiver: mpsc::Receiver<Append>) -> Self {
        let last_id = log.floor;
        Self {
            log,
            receiver,
            last_id,
            answered: Answered::default(),
            scratch: Vec::new(),
            wake: Vec::new(),
        }
    }

    pub(super) fn spawn(self) -> std::io::Result<()> {
        thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || self.run())?;
        Ok(())
    }

    /// Ends when the last handle of the engine is gone.
    fn run(mut self) {
        let mut waiting = Vec::with_capacity(APPENDS_AT_ONCE);
        while self.receiver.blocking_recv_many(&mut waiting, APPENDS_AT_ONCE) > 0 {
            let answers: Vec<_> = waiting
                .drain(..)
                .filter_map(|append| self.append(append))
                .collect();
            *write(&self.log.head) = self.last_id;
            for signal in self.wake.drain(..) {
                signal.wake();
            }
            for (reply, answer) in answers {
                // A publisher that went away needs no answer; its records stay.
                let _ = reply.send(answer);
            }
            self.keep_within_bytes();
        }
    }

    /// Appends, or finds that this was done before. Nothing to append gets no answer.
    fn append(&mut self, append: Append) -> Option<(oneshot::Sender<Answer>, Answer)> {
        let Append {
            records,
            named,
            reply,
        } = append;
        let Some(named) = named else {
            return Some((reply, Ok(self.append_records(records)?)));
        };
        let now = Instant::now();
        let answer = match self.answered.find(&named, now) {
            Ok(Some(first)) => Ok(first),
            Err(Reused) => Err(AppendError::KeyReused),
            Ok(None) => {
                let appended = self.append_records(records)?;
                self.answered.remember(named, appended, now);
                Ok(appended)
            }
        };
        Some((reply, answer))
    }

    fn append_records(&mut self, records: Vec<NewRecord>) -> Option<Appended> {
        let now_ms = now_ms();
        let mut first_id = None;
        let mut subscribers = None;
        let mut count = 0;
        let mut records = records.into_iter().peekable();
        while let Some(record) = records.next() {
            let channel = record.channel.clone();
            let mut run = vec![self.store(record, now_ms)];
            while let Some(same) = records.next_if(|next| next.channel == channel) {
                run.push(self.store(same, now_ms));
            }
            first_id = first_id.or(run.first().map(|record| record.id));
            count += run.len() as u64;
            let followers = self.append_run(&channel, run);
            subscribers = subscribers.or(Some(followers));
        }
        self.log.published.fetch_add(count, Ordering::Relaxed);
        Some(Appended {
            first_id: first_id?,
            last_id: self.last_id,
            subscribers: subscribers?,
        })
    }

    /// Gives a record its id, and makes the bytes that every reader gets.
    fn store(&mut self, record: NewRecord, now_ms: u64) -> Stored {
        self.last_id = self.last_id.following(now_ms);
        self.scratch.clear();
        sse::start_event(&mut self.scratch, None, Some(self.last_id));
        record.json.write_json(self.last_id, &mut self.scratch);
        sse::end_event(&mut self.scratch);
        Stored {
            id: self.last_id,
            level: record.level,
            frame: Arc::from(self.scratch.as_slice()),
        }
    }

    /// Appends records of one channel, and returns how many streams follow it.
    fn append_run(&mut self, channel: &Channel, run: Vec<Stored>) -> usize {
        let most = self.log.retention.records;
        // The directory stays locked meanwhile: a channel nobody uses may be removed from it, but
        // not while a record is on its way there.
        let directory = read(&self.log.directory);
        let (gained, lost, followers) = if let Some(log) = directory.get(channel) {
            log.append(run, most, &mut self.wake)
        } else {
            drop(directory);
            write(&self.log.directory).get_or_create(channel, |log| log.append(run, most, &mut self.wake))
        };
        self.log.tail_bytes.fetch_add(gained as u64, Ordering::Relaxed);
        self.log.tail_bytes.fetch_sub(lost as u64, Ordering::Relaxed);
        followers
    }

    /// Over the limit, channels give up the older half of their records, the one with the oldest
    /// first. Halves, so that looking for the oldest is rare.
    fn keep_within_bytes(&self) {
        while self.log.tail_bytes.load(Ordering::Relaxed) > self.log.retention.bytes {
            let oldest = {
                let directory = read(&self.log.directory);
                let with_records = directory
                    .channels()
                    .filter_map(|log| Some((log.first_id()?, log)));
                with_records
                    .min_by_key(|(first, _)| *first)
                    .map(|(_, log)| log.clone())
            };
            let Some(log) = oldest else { return };
            self.log.tail_bytes.fetch_sub(log.trim_half(), Ordering::Relaxed);
        }
    }
}
