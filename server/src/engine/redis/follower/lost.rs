//! [`Lost`]: nothing is heard any more, and whoever needs to know is told.

use std::sync::Arc;

use tokio::task::JoinError;

use super::Follower;
use crate::engine::{
    read,
    redis::{Away, Trouble, Trying},
    watch::Signal,
};

/// The connection is gone, or is to be given up.
pub(super) struct Lost(pub(super) Option<Trouble>);

impl From<redis::RedisError> for Lost {
    fn from(error: redis::RedisError) -> Self {
        Self(Some(Trouble::of(&error)))
    }
}

impl From<Away> for Lost {
    fn from(Away: Away) -> Self {
        Self(None)
    }
}

impl From<JoinError> for Lost {
    fn from(_: JoinError) -> Self {
        Self(None)
    }
}

impl Follower {
    /// Notes where Redis does not answer.
    pub(super) fn note<T, E: Into<Lost>>(&self, answer: Result<T, E>) -> Result<T, Lost> {
        answer.map_err(|error| {
            let lost = error.into();
            self.lose(lost.0.as_ref());
            lost
        })
    }

    /// Redis does not answer, or not as it should.
    pub(super) fn lose(&self, trouble: Option<&Trouble>) {
        if let Some(trouble @ (Trouble::Unreachable(_) | Trouble::Busy(_) | Trouble::ReadOnly)) = trouble {
            self.store.fail(trouble.clone(), Trying::Reading);
        }
        let trouble = trouble.cloned().or_else(|| self.store.trouble());
        let why = trouble.map_or_else(
            || "Redis does not answer".to_owned(),
            |trouble| trouble.to_string(),
        );
        let why = format!("what other gateways publish is not heard: {why}");
        // What others find wrong with Redis too, the store says.
        if self.store.trouble().is_none() && !self.has_said.replace(true) {
            tracing::warn!("{why}");
        }
        if self.log.live.lose(why) {
            self.wake_all();
        }
    }

    /// Has every reader look.
    pub(super) fn wake_all(&self) {
        let mut signals: Vec<Arc<Signal>> = read(&self.log.directory).signals().collect();
        signals.sort_unstable_by_key(|signal| Arc::as_ptr(signal).addr());
        signals.dedup_by(|a, b| Arc::ptr_eq(a, b));
        signals.iter().for_each(|signal| signal.wake());
    }
}
