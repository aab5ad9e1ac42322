//! [`RedisWriter`]: takes what is to be appended, and gives it to Redis.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use logs_shared::{RecordId, sse};
use redis::Connection;
use tokio::sync::mpsc;

use super::{
    append::{Batch, Outcome},
    standing::Trying,
    store::RedisStore,
    trouble::Trouble,
};
use crate::engine::{
    AppendError, Appended, Log,
    group::{Append, Command},
    handover::Reply,
};

/// Takes what is to be appended, and gives everything that waits to Redis at once. A thread of its own. While something
/// is wrong with Redis it refuses at once: the sweeper finds out when that is over.
pub(in crate::engine) struct RedisWriter {
    log: Arc<Log>,
    store: Arc<RedisStore>,
    receiver: mpsc::Receiver<Command>,
    connection: Option<(Connection, Instant)>,
    /// The id that was given last, as far as is known here.
    last_id: RecordId,
}

/// The most commands taken at once: bounds how long the first waits for the last.
const COMMANDS_AT_ONCE: usize = 512;
/// About the most bytes appended at once.
const GROUP_BYTES: usize = 8 << 20;
/// About the most blocks appended at once: bounds how long Redis does nothing else.
const GROUP_BLOCKS: usize = 1_024;
/// A connection that has been idle for so long may have been closed by whatever is in between.
const IDLE: Duration = Duration::from_secs(1);

/// Everything that is appended at once.
#[derive(Default)]
struct Group {
    batch: Batch,
    /// Who waits for each unit.
    waiting: Vec<Vec<Waiting>>,
    /// The unit that further unnamed records of a channel may join, by the channel's place. None that came in
    /// between has records of this channel.
    open: HashMap<usize, usize>,
}

/// Who waits for a part of a unit.
struct Waiting {
    reply: Reply,
    records: u64,
    /// Of their JSON, but for the ids.
    bytes: usize,
}

impl RedisWriter {
    pub(in crate::engine) fn new(
        log: Arc<Log>,
        store: Arc<RedisStore>,
        receiver: mpsc::Receiver<Command>,
    ) -> Self {
        Self {
            log,
            store,
            receiver,
            connection: None,
            last_id: RecordId::ZERO,
        }
    }

    /// Ends when it is told to, or when the last handle of the engine is gone.
    pub(in crate::engine) fn run(mut self) {
        let mut waiting = Vec::with_capacity(COMMANDS_AT_ONCE);
        while self.receiver.blocking_recv_many(&mut waiting, COMMANDS_AT_ONCE) > 0 {
            let mut group = Group::default();
            for command in waiting.drain(..) {
                match command {
                    Command::Append(appends) => {
                        for append in appends {
                            group.add(append);
                            if group.is_large() {
                                self.finish(std::mem::take(&mut group));
                            }
                        }
                    }
                    // Retention is Redis' own business.
                    Command::Trim(_) | Command::Reopen => {}
                    Command::Forget(_, done) => drop(done.send(())),
                    // What is waiting behind it is still finished.
                    Command::Close => self.receiver.close(),
                }
            }
            self.finish(group);
        }
    }

    /// Appends everything and answers.
    fn finish(&mut self, group: Group) {
        if group.batch.is_empty() {
            return;
        }
        if let Some(trouble) = self.store.trouble() {
            return group.refuse(&trouble);
        }
        let begun = Instant::now();
        let appended = self.append(&group.batch);
        self.log.work.writes.took(begun.elapsed());
        match appended {
            Ok(outcomes) => {
                let refused = outcomes.iter().find_map(Outcome::refused);
                match refused {
                    Some(trouble) => self.store.fail(trouble, Trying::Writing),
                    None => self.store.succeed(Trying::Writing),
                }
                self.answer(group, outcomes);
            }
            Err(trouble) => {
                // Before anybody hears of it, so that who asks then what is wrong is told.
                self.store.fail(trouble.clone(), Trying::Writing);
                group.refuse(&trouble);
            }
        }
    }

    fn append(&mut self, batch: &Batch) -> Result<Vec<Outcome>, Trouble> {
        let mut connection = self.take_connection()?;
        let head = self.log.head().max(self.last_id);
        match self.store.append(&mut connection, batch, head) {
            Ok((last_id, outcomes)) => {
                self.last_id = self.last_id.max(last_id);
                self.connection = Some((connection, Instant::now()));
                Ok(outcomes)
            }
            // Whatever it was: where Redis is another one by now, a fresh connection leads there.
            Err(failed) => Err(failed.trouble()),
        }
    }

    fn take_connection(&mut self) -> Result<Connection, Trouble> {
        if let Some((mut connection, used)) = self.connection.take() {
            let answered = if used.elapsed() < IDLE {
                Ok(())
            } else {
                redis::cmd("PING").exec(&mut connection)
            };
            match answered {
                Ok(()) => return Ok(connection),
                // Who publishes has waited enough.
                Err(error) if error.is_timeout() => return Err(Trouble::of(&error)),
                Err(_) => {}
            }
        }
        self.store.connect()
    }

    fn answer(&self, group: Group, outcomes: Vec<Outcome>) {
        let (mut records, mut bytes) = (0, 0);
        let mut answers = Vec::new();
        for (waiting, outcome) in group.waiting.into_iter().zip(outcomes) {
            let (first_id, subscribers, is_repeat) = match outcome {
                Outcome::Appended {
                    first_id,
                    subscribers,
                    is_repeat,
                    ..
                } => (first_id, subscribers, is_repeat),
                Outcome::Reused => {
                    refuse(waiting, AppendError::KeyReused);
                    continue;
                }
                Outcome::Failed(why) => {
                    tracing::error!(%why, "records could not be appended");
                    refuse(waiting, AppendError::Failed);
                    continue;
                }
            };
            // The ids of a unit are consecutive, whoever they are for.
            let mut from = first_id;
            for one in waiting {
                let to = RecordId::new(from.ms, from.seq + one.records.saturating_sub(1));
                if !is_repeat {
                    records += one.records;
                    bytes +=
                        one.bytes + frame_bytes(from) * usize::try_from(one.records).unwrap_or(usize::MAX);
                }
                let appended = Appended {
                    first_id: from,
                    last_id: to,
                    subscribers,
                    is_repeat,
                };
                answers.push((one.reply, appended));
                from = to.next();
            }
        }
        if records > 0 {
            self.log.published.fetch_add(records, Ordering::Relaxed);
            self.log.work.stored(records, bytes);
        }
        for (reply, answer) in answers {
            reply.send(Ok(answer));
        }
    }
}

impl Group {
    fn is_large(&self) -> bool {
        self.batch.bytes >= GROUP_BYTES || self.batch.blocks >= GROUP_BLOCKS
    }

    fn add(&mut self, append: Append) {
        let Append {
            records,
            named,
            reply,
            _waiting,
        } = append;
        let Some(first) = records.first() else { return };
        let place = self.batch.place(&first.channel);
        let is_one = records.iter().all(|record| record.channel == first.channel);
        let may_join = named.is_none() && is_one;
        let unit = match self.open.get(&place) {
            Some(unit) if may_join => *unit,
            _ => {
                self.waiting.push(Vec::new());
                self.batch.begin(named.as_ref())
            }
        };
        for record in &records {
            self.batch.push(unit, record);
            if !may_join {
                let place = self.batch.place(&record.channel);
                self.open.remove(&place);
            }
        }
        if may_join {
            self.open.insert(place, unit);
        }
        self.waiting[unit].push(Waiting {
            reply,
            records: records.len() as u64,
            bytes: records.iter().map(|record| record.json.after_id().len()).sum(),
        });
    }

    /// Nothing of it is acknowledged.
    fn refuse(self, trouble: &Trouble) {
        let error = match trouble {
            Trouble::Full => AppendError::Full,
            _ => AppendError::Away,
        };
        refuse(self.waiting.into_iter().flatten(), error);
    }
}

/// Answers that nothing is acknowledged.
fn refuse(waiting: impl IntoIterator<Item = Waiting>, error: AppendError) {
    for one in waiting {
        one.reply.send(Err(error));
    }
}

/// What a record's frame has beside the part of its JSON that comes behind the id.
fn frame_bytes(id: RecordId) -> usize {
    let mut frame = Vec::new();
    sse::start_event(&mut frame, None, Some(id));
    frame.extend_from_slice(r#"{"type":"log","id":""#.as_bytes());
    sse::end_event(&mut frame);
    frame.len() + id.to_string().len()
}
