//! [`Pool`]: a few connections that are shared by all who ask.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use redis::{Connection, RedisError, RedisResult};

use super::{
    RedisUrl,
    check::{self, Facts},
    connect::{PATIENCE, connect},
    trouble::Trouble,
};
use crate::random;

/// The most connections at a time. Who comes when all are in use waits.
pub(super) const MOST: usize = 8;
/// How long after a failure nobody tries again, about.
const REST_MS: u64 = 250;
/// For so long what was found out about the server holds.
const CHECKED: Duration = Duration::from_secs(1);

/// A few connections that are shared by all who ask. While Redis is away nobody waits for it: one tries again every
/// quarter of a second, and all others get at once what the last try gave.
pub(super) struct Pool {
    url: RedisUrl,
    state: Mutex<State>,
    given_back: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Connection>,
    in_use: usize,
    /// Connections from before the last time that all were dropped are not taken back.
    generation: u64,
    /// What the last try to connect gave, and when the next may begin.
    failed: Option<(Trouble, Instant)>,
    is_trying: bool,
    checked: Option<(Instant, Facts)>,
}

/// Why there was no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// All connections were in use for too long.
    Crowded,
    Trouble(Trouble),
}

impl Pool {
    pub(super) fn new(url: RedisUrl) -> Self {
        Self {
            url,
            state: Mutex::default(),
            given_back: Condvar::new(),
        }
    }

    /// Asks on some connection. One that was idle may turn out to be closed: then it is asked once more on a fresh one, so
    /// only what may be done twice is asked like this.
    pub(super) fn ask<T>(
        &self,
        mut question: impl FnMut(&mut Connection) -> RedisResult<T>,
    ) -> Result<T, Failure> {
        let (place, idle) = self.enter()?;
        let was_idle = idle.is_some();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.connect().map_err(Failure::Trouble)?,
        };
        let mut answer = question(&mut connection);
        if was_idle && answer.as_ref().is_err_and(is_closed) {
            connection = self.connect().map_err(Failure::Trouble)?;
            answer = question(&mut connection);
        }
        match answer {
            Ok(answer) => {
                place.give_back(connection);
                Ok(answer)
            }
            Err(error) => {
                let trouble = Trouble::of(&error);
                if let Trouble::Unreachable(_) = trouble {
                    // Whoever waits on another connection finds out soon enough, and nobody else is to wait.
                    self.rest(&trouble);
                }
                if !is_broken(&error) && trouble != Trouble::ReadOnly {
                    place.give_back(connection);
                }
                Err(Failure::Trouble(trouble))
            }
        }
    }

    /// A connection of its own, to a server that is what it must be.
    pub(super) fn connect(&self) -> Result<Connection, Trouble> {
        let mut state = self.state();
        if let Some((trouble, rest)) = &state.failed
            && (state.is_trying || Instant::now() < *rest)
        {
            return Err(trouble.clone());
        }
        let trying = state.failed.is_some();
        state.is_trying |= trying;
        drop(state);
        let connected = connect(&self.url).map_err(|error| Trouble::of(&error));
        let connected = connected.and_then(|mut connection| {
            self.check(&mut connection)?;
            Ok(connection)
        });
        let mut state = self.state();
        state.is_trying &= !trying;
        match &connected {
            Ok(_) => state.failed = None,
            Err(trouble) => {
                drop(state);
                self.rest(trouble);
            }
        }
        connected
    }

    /// Nobody connects again for a while.
    fn rest(&self, trouble: &Trouble) {
        let rest = Duration::from_millis(random::jittered(REST_MS));
        let mut state = self.state();
        state.failed = Some((trouble.clone(), Instant::now() + rest));
        state.generation += 1;
        state.idle.clear();
    }

    /// Finds out whether the server is what it must be, where that was not done just now.
    fn check(&self, connection: &mut Connection) -> Result<(), Trouble> {
        let is_known = |(at, _): &(Instant, Facts)| at.elapsed() < CHECKED;
        if self.state().checked.as_ref().is_some_and(is_known) {
            return Ok(());
        }
        let facts = check::ask(connection).map_err(|error| Trouble::of(&error))?;
        let usable = facts.usable();
        self.state().checked = usable.is_ok().then(|| (Instant::now(), facts));
        usable
    }

    /// Finds out about the server now.
    pub(super) fn facts(&self) -> Result<Facts, Failure> {
        let facts = self.ask(check::ask)?;
        if let Err(trouble) = facts.usable() {
            self.drop_all();
            self.state().failed = Some((trouble.clone(), Instant::now()));
            return Err(Failure::Trouble(trouble));
        }
        self.state().checked = Some((Instant::now(), facts.clone()));
        Ok(facts)
    }

    /// Whether records may be put into the server, by what was found out about it last.
    pub(super) fn keeps(&self) -> Result<(), Trouble> {
        let state = self.state();
        state.checked.as_ref().map_or(Ok(()), |(_, facts)| facts.keeps())
    }

    /// Lets all connections go, those in use when they come back.
    pub(super) fn drop_all(&self) {
        let mut state = self.state();
        state.generation += 1;
        state.idle.clear();
        state.checked = None;
    }

    fn enter(&self) -> Result<(Place<'_>, Option<Connection>), Failure> {
        let state = self.state();
        let waited = self
            .given_back
            .wait_timeout_while(state, PATIENCE, |state| state.in_use >= MOST);
        let (mut state, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return Err(Failure::Crowded);
        }
        state.in_use += 1;
        let idle = state.idle.pop();
        let place = Place {
            pool: self,
            generation: state.generation,
        };
        Ok((place, idle))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to use one of the connections.
struct Place<'a> {
    pool: &'a Pool,
    generation: u64,
}

impl Place<'_> {
    fn give_back(self, connection: Connection) {
        let mut state = self.pool.state();
        if state.generation == self.generation {
            state.idle.push(connection);
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.pool.state().in_use -= 1;
        self.pool.given_back.notify_one();
    }
}

/// Whether nothing more can be asked on this connection.
pub(super) fn is_broken(error: &RedisError) -> bool {
    error.is_io_error() || error.is_unrecoverable_error()
}

/// Whether the other end had hung up.
fn is_closed(error: &RedisError) -> bool {
    is_broken(error) && !error.is_timeout()
}
