//! [`RedisStore`]: what is kept in Redis, and the questions that readers and the sweeper have about it.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use logs_shared::{Channel, ChannelPattern, RecordId};
use redis::{Cmd, Connection, FromRedisValue, RedisError, RedisResult, Script};

use super::{
    RedisSettings,
    append::{Batch, Failed, Outcome, Terms, append, is_unknown},
    block::Block,
    pool::{Failure, Pool},
    scripts,
    standing::{Standing, Trying},
    trouble::Trouble,
};
use crate::engine::{
    Retention, Stamp,
    store::{Kept, after_prefix, place_of},
    tail::Stored,
};

/// What is kept in Redis. Everything here blocks, no longer than [`super::connect::PATIENCE`] a question.
pub(in crate::engine) struct RedisStore {
    settings: RedisSettings,
    retention: Retention,
    pool: Pool,
    standing: Mutex<Standing>,
    /// What the log of the gateway has been told to warn of.
    warned: Mutex<HashSet<String>>,
}

/// Redis did not answer, or not with what was asked for: it is to be asked again later. What it was is in
/// [`RedisStore::trouble`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Redis does not answer")]
pub(in crate::engine) struct Away;

/// Where the log in Redis stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Marks {
    /// The id that was given last.
    pub(in crate::engine) last_id: RecordId,
    /// Where the log begins: what was before is not known to it.
    pub(in crate::engine) floor: RecordId,
    /// Up to here records may have been in channels that retention has emptied and forgotten.
    pub(in crate::engine) forgotten_to: RecordId,
    /// A random number that the log got when it began. Another one means that Redis has lost everything.
    pub(in crate::engine) epoch: u64,
    /// Bytes of all records.
    pub(in crate::engine) kept_bytes: u64,
    /// Channels there are.
    pub(in crate::engine) channels: u64,
}

/// A part of a channel's records, as one look found it.
pub(in crate::engine) struct Portion {
    /// Up to here retention has taken everything.
    pub(in crate::engine) trimmed_to: RecordId,
    /// The oldest record that is left; `None` where none is.
    pub(in crate::engine) first_id: Option<RecordId>,
    /// In the order that was asked for.
    pub(in crate::engine) records: Vec<Stored>,
    /// Whether these are all that were asked for.
    pub(in crate::engine) is_all: bool,
}

/// The fields of the log's own row, in the order of [`Marks::read`].
pub(in crate::engine) const MARKS: [&str; 7] = [
    "format",
    "last",
    "born",
    "forgotten",
    "epoch",
    "bytes",
    "channels",
];
/// The fields of a channel's row, in the order of [`read_kept`].
const KEPT: [&str; 5] = ["n", "b", "f", "l", "t"];
/// What the log's row says it was written by.
const FORMAT: &str = "1";
/// Channels that are asked for at once.
const CHANNELS_AT_ONCE: usize = 256;

/// A row as Redis gives it.
type Row = Vec<Option<String>>;
/// What [`scripts::READ`] gives.
type Answer = (u8, u64, String, String, Vec<(String, String, Vec<u8>)>);

impl Marks {
    /// Reads the [`MARKS`] of the log's row: `None` where there is no log.
    ///
    /// # Errors
    /// [`Trouble::Format`]: another version has written it.
    pub(in crate::engine) fn read(row: &[Option<String>]) -> Result<Option<Self>, Trouble> {
        let format = match row.first() {
            Some(Some(format)) => format,
            _ => return Ok(None),
        };
        let read = || {
            let text = |at: usize| row.get(at)?.as_deref();
            Some(Self {
                last_id: text(1)?.parse().ok()?,
                floor: text(2)?.parse().ok()?,
                forgotten_to: text(3)?.parse().ok()?,
                epoch: text(4)?.parse().ok()?,
                kept_bytes: text(5)?.parse().ok()?,
                channels: text(6)?.parse().ok()?,
            })
        };
        match read() {
            Some(marks) if format == FORMAT => Ok(Some(marks)),
            Some(_) | None => Err(Trouble::Format(format.chars().take(20).collect())),
        }
    }
}

impl RedisStore {
    /// Connects to nothing yet.
    pub(in crate::engine) fn new(settings: RedisSettings, retention: Retention) -> Self {
        Self {
            pool: Pool::new(settings.url.clone()),
            settings,
            retention,
            standing: Mutex::default(),
            warned: Mutex::default(),
        }
    }

    pub(in crate::engine) fn settings(&self) -> &RedisSettings {
        &self.settings
    }

    pub(super) fn retention(&self) -> &Retention {
        &self.retention
    }

    /// The key of this name.
    pub(in crate::engine) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.settings.prefix)
    }

    /// What is wrong with it now; `None` where all is well.
    pub(in crate::engine) fn trouble(&self) -> Option<Trouble> {
        self.standing().trouble().cloned()
    }

    /// Notes what is wrong with it, and says so in the log of the gateway where that is news.
    pub(in crate::engine) fn fail(&self, trouble: Trouble, trying: Trying) {
        // What it was connected to is the primary no more, and what is read there may be old.
        if trouble == Trouble::ReadOnly {
            self.pool.drop_all();
        }
        let is_news = self.standing().fail(trouble.clone(), trying);
        if is_news {
            tracing::warn!(state = trouble.word(), redis = %self.settings.url, "{trouble}");
        }
    }

    /// Notes that it does what it is asked for.
    pub(in crate::engine) fn succeed(&self, trying: Trying) {
        let is_news = self.standing().succeed(trying);
        if is_news {
            tracing::info!(redis = %self.settings.url, "Redis is well again");
        }
    }

    fn standing(&self) -> std::sync::MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks what may be asked twice.
    pub(super) fn ask<T>(&self, question: impl FnMut(&mut Connection) -> RedisResult<T>) -> Result<T, Away> {
        self.ask_to(Trying::Reading, question)
    }

    /// The same, where a refusal may be one to write.
    pub(super) fn ask_to<T>(
        &self,
        trying: Trying,
        question: impl FnMut(&mut Connection) -> RedisResult<T>,
    ) -> Result<T, Away> {
        match self.pool.ask(question) {
            Ok(answer) => {
                self.succeed(Trying::Reading);
                Ok(answer)
            }
            Err(Failure::Trouble(trouble)) => {
                self.fail(trouble, trying);
                Err(Away)
            }
            // Redis has nothing to do with that.
            Err(Failure::Crowded) => Err(Away),
        }
    }

    /// Looks what the server says about itself.
    pub(super) fn look(&self) -> Result<(), Away> {
        let facts = match self.pool.facts() {
            Ok(facts) => facts,
            Err(Failure::Trouble(trouble)) => {
                self.fail(trouble, Trying::Reading);
                return Err(Away);
            }
            Err(Failure::Crowded) => return Err(Away),
        };
        for warning in facts.warnings() {
            let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
            if !warned.contains(&warning) {
                tracing::warn!("{warning}");
                warned.insert(warning);
            }
        }
        if let Err(trouble) = facts.keeps() {
            self.fail(trouble, Trying::Writing);
            return Err(Away);
        }
        self.succeed(Trying::Reading);
        Ok(())
    }

    /// A connection for a writer, to a server that may be written to.
    pub(super) fn connect(&self) -> Result<Connection, Trouble> {
        let connection = self.pool.connect()?;
        self.pool.keeps()?;
        Ok(connection)
    }

    /// Appends a batch. Ids come after `head`.
    pub(super) fn append(
        &self,
        connection: &mut Connection,
        batch: &Batch,
        head: RecordId,
    ) -> Result<(RecordId, Vec<Outcome>), Failed> {
        let terms = Terms {
            prefix: &self.settings.prefix,
            head,
            records: self.retention.records,
            replicas: self.settings.replicas,
        };
        append(connection, batch, &terms)
    }

    /// Makes sure that no id up to this one is given any more, and that there is a log. Returns the id that was given last.
    /// Whether anything can be appended is known then.
    pub(in crate::engine) fn raise(&self, head: RecordId) -> Result<RecordId, Away> {
        let raised = self.connect().and_then(|mut connection| {
            self.append(&mut connection, &Batch::default(), head)
                .map_err(|failed| failed.trouble())
        });
        match raised {
            Ok((last_id, _)) => {
                self.succeed(Trying::Writing);
                Ok(last_id)
            }
            Err(trouble) => {
                self.fail(trouble, Trying::Writing);
                Err(Away)
            }
        }
    }

    /// Where the log stands. Begins one, where there is none.
    pub(in crate::engine) fn marks(&self) -> Result<Marks, Away> {
        let mut question = redis::cmd("HMGET");
        question.arg(self.key("log")).arg(&MARKS);
        for _ in 0..2 {
            let row: Row = self.ask(|connection| question.query(connection))?;
            match Marks::read(&row) {
                Ok(Some(marks)) => return Ok(marks),
                Ok(None) => drop(self.raise(RecordId::ZERO)?),
                Err(trouble) => {
                    self.fail(trouble, Trying::Reading);
                    return Err(Away);
                }
            }
        }
        Err(Away)
    }

    /// What is kept of this channel, where it has ever had a record that has not been forgotten.
    pub(in crate::engine) fn kept(&self, channel: &Channel) -> Result<Option<Kept>, Away> {
        let row: Row = self.ask(|connection| self.kept_question(channel).query(connection))?;
        Ok(read_kept(channel, &row))
    }

    fn kept_question(&self, channel: &Channel) -> Cmd {
        let mut question = redis::cmd("HMGET");
        question.arg(self.key("c:") + channel.as_str()).arg(&KEPT);
        question
    }

    /// Every channel that a pattern chooses, to `each`, as long as it returns true.
    pub(in crate::engine) fn each_chosen(
        &self,
        pattern: &ChannelPattern,
        mut each: impl FnMut(Channel, Kept) -> bool,
    ) -> Result<(), Away> {
        let (order, prefix) = place_of(pattern);
        let end = [b"(", &after_prefix(&prefix)[..]].concat();
        let mut from = [b"[", &prefix[..]].concat();
        loop {
            let mut question = redis::cmd("ZRANGEBYLEX");
            question.arg(self.key("dir")).arg(&from).arg(&end);
            question.arg("LIMIT").arg(0).arg(CHANNELS_AT_ONCE);
            let places: Vec<Vec<u8>> = self.ask(|connection| question.query(connection))?;
            let Some(last) = places.last() else {
                return Ok(());
            };
            from = [b"(", &last[..]].concat();
            // What is no place of a channel, no gateway has put there.
            let channels: Vec<_> = places.iter().filter_map(|place| order.channel(place)).collect();
            let rows: Vec<Row> = self.ask(|connection| {
                let mut questions = redis::pipe();
                for channel in &channels {
                    questions.add_command(self.kept_question(channel));
                }
                questions.query(connection)
            })?;
            for (channel, row) in channels.into_iter().zip(rows) {
                // Between two looks it may have been forgotten.
                let kept = read_kept(&channel, &row);
                if kept.is_some_and(|kept| !each(channel, kept)) {
                    return Ok(());
                }
            }
        }
    }

    /// Every channel that may have a record after this one, in any order.
    pub(in crate::engine) fn active_after(&self, id: RecordId) -> Result<Vec<Channel>, Away> {
        let (mut from, mut count) = (id.ms, 4 * CHANNELS_AT_ONCE);
        let mut found = HashSet::new();
        loop {
            let mut question = redis::cmd("ZRANGEBYSCORE");
            question.arg(self.key("recent")).arg(from).arg("+inf");
            question.arg("WITHSCORES").arg("LIMIT").arg(0).arg(count);
            let names: Vec<(String, f64)> = self.ask(|connection| question.query(connection))?;
            let (read, last) = (names.len(), names.last().map(|(_, ms)| *ms));
            found.extend(
                names
                    .into_iter()
                    .filter_map(|(name, _)| name.parse::<Channel>().ok()),
            );
            match last {
                Some(last) if read == count => {
                    // Milliseconds are far below the numbers that a float does not hold.
                    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                    let last = last as u64;
                    // All of one millisecond must come at once.
                    if last == from {
                        count *= 2;
                    }
                    from = last;
                }
                _ => return Ok(found.into_iter().collect()),
            }
        }
    }

    /// Records of the channel after `after` and up to `limit`, the oldest first, about so many bytes; at least one
    /// where there is one.
    pub(in crate::engine) fn read_after(
        &self,
        channel: &Channel,
        after: RecordId,
        limit: RecordId,
        bytes: u64,
    ) -> Result<Portion, Away> {
        self.read(channel, after, limit, bytes, false)
    }

    /// Records of the channel up to `limit`, the newest first, about so many bytes; at least one where there is one.
    pub(in crate::engine) fn read_newest(
        &self,
        channel: &Channel,
        limit: RecordId,
        bytes: u64,
    ) -> Result<Portion, Away> {
        self.read(channel, RecordId::ZERO, limit, bytes, true)
    }

    fn read(
        &self,
        channel: &Channel,
        mut after: RecordId,
        mut limit: RecordId,
        bytes: u64,
        is_newest: bool,
    ) -> Result<Portion, Away> {
        loop {
            let mut question = redis::cmd("EVALSHA");
            question.arg(scripts::READ.get_hash()).arg(0);
            question.arg(&self.settings.prefix).arg(channel.as_str());
            question.arg(after.to_string()).arg(limit.to_string());
            question
                .arg(bytes)
                .arg(if is_newest { "newest" } else { "oldest" });
            let (is_all, kept, first_id, trimmed_to, blocks): Answer =
                self.ask(|connection| run(connection, &scripts::READ, &question))?;
            let trimmed_to = trimmed_to.parse().unwrap_or(RecordId::ZERO);
            let mut records = Vec::new();
            let mut reached = None;
            for (last_id, count, data) in &blocks {
                let Ok(last_id) = last_id.parse() else { continue };
                reached = Some(last_id);
                let block = count.parse().ok().map(|count| Block::new(last_id, count, data));
                let read = block.map(|block| block.and_then(|block| block.read(Stamp::UNKNOWN)));
                let Some(Ok(mut read)) = read else {
                    self.warn_damaged(channel, last_id);
                    continue;
                };
                read.retain(|record| record.id > after.max(trimmed_to) && record.id <= limit);
                if is_newest {
                    read.reverse();
                }
                records.append(&mut read);
            }
            let is_all = is_all == 1 || reached.is_none();
            // Where nothing could be read, what lies behind it is looked for.
            match reached {
                Some(reached) if records.is_empty() && !is_all => {
                    if is_newest {
                        limit = reached.previous();
                    } else {
                        after = reached;
                    }
                }
                _ => {
                    return Ok(Portion {
                        trimmed_to,
                        first_id: (kept > 0).then(|| first_id.parse().ok()).flatten(),
                        records,
                        is_all,
                    });
                }
            }
        }
    }

    /// Says once of a block that it cannot be read.
    pub(in crate::engine) fn warn_damaged(&self, channel: &Channel, last_id: RecordId) {
        const MOST: usize = 1_000;
        let what = format!("{channel} {last_id}");
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.len() < MOST && warned.insert(what) {
            tracing::error!(%channel, %last_id, "there are records in Redis that cannot be read");
        }
    }
}

/// Runs a script, which is given to Redis where it does not know it.
pub(super) fn run<T: FromRedisValue>(
    connection: &mut Connection,
    script: &Script,
    command: &Cmd,
) -> RedisResult<T> {
    let unknown = |error: &RedisError| is_unknown(error);
    match command.query(connection) {
        Err(error) if unknown(&error) => {
            script.load(connection)?;
            command.query(connection)
        }
        other => other,
    }
}

fn read_kept(channel: &Channel, row: &[Option<String>]) -> Option<Kept> {
    let text = |at: usize| row.get(at)?.as_deref();
    let records = text(0)?;
    let read = || {
        Some(Kept {
            number: 1,
            records: records.parse().ok()?,
            bytes: text(1)?.parse().ok()?,
            first_id: text(2)?.parse().ok()?,
            last_id: text(3)?.parse().ok()?,
            trimmed_to: text(4)?.parse().ok()?,
        })
    };
    let kept = read();
    if kept.is_none() {
        tracing::error!(%channel, "what Redis keeps of a channel cannot be read");
    }
    kept
}
