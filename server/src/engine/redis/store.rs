//! [`RedisStore`]: what is kept in Redis, and the questions that readers and the sweeper have about it.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use logs_shared::{Channel, RecordId};
use redis::{Cmd, Connection, FromRedisValue, RedisError, RedisResult, Script};
use tokio::sync::Semaphore;

use super::{
    RedisSettings,
    append::{Batch, Failed, Outcome, Terms, append, is_unknown},
    marks::{MARKS, Marks, Row},
    pool::{self, Failure, Pool},
    standing::{Standing, Trying},
    trouble::Trouble,
};
use crate::engine::Retention;

/// What is kept in Redis. Everything here blocks, no longer than [`super::connect::PATIENCE`] a question.
pub(in crate::engine) struct RedisStore {
    settings: RedisSettings,
    retention: Retention,
    pool: Pool,
    turns: Arc<Semaphore>,
    standing: Mutex<Standing>,
    /// What the log of the gateway has been told to warn of.
    warned: Mutex<HashSet<String>>,
}

/// Redis did not answer, or not with what was asked for: it is to be asked again later. What it was is in
/// [`RedisStore::trouble`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Redis does not answer")]
pub(in crate::engine) struct Away;

impl RedisStore {
    /// Connects to nothing yet.
    pub(in crate::engine) fn new(settings: RedisSettings, retention: Retention) -> Self {
        Self {
            pool: Pool::new(settings.url.clone()),
            turns: Arc::new(Semaphore::new(pool::MOST)),
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

    /// Whose turn it is to ask: as many as are answered at a time. Who waits for it keeps no thread from others.
    pub(in crate::engine) fn turns(&self) -> &Arc<Semaphore> {
        &self.turns
    }

    /// Has whoever asks next connect anew: Redis may be another server by now.
    pub(in crate::engine) fn renew(&self) {
        self.pool.drop_all();
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
