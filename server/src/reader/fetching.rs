//! [`Fetching`]: what is on its way from the store.

use std::{
    future::pending,
    panic::resume_unwind,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use logs_shared::RecordId;
use tokio::{
    task::{JoinError, JoinHandle, spawn_blocking},
    time::{Sleep, sleep},
};

use super::round::Run;
use crate::{engine::Log, random};

/// What is on its way from the store. Who lets go of it waits for it no more.
pub(super) struct Fetching(JoinHandle<Fetched>);

/// What was fetched.
#[derive(Default)]
pub(super) struct Fetched {
    /// Runs with what the store had for them.
    pub(super) runs: Vec<Run>,
    /// Runs for which the store did not answer.
    pub(super) failed: Vec<Run>,
}

/// For about how many milliseconds nothing is asked of a store that is away.
const REST_MS: u64 = 1_000;

impl Fetching {
    /// Where the store answers only so many at a time, the thread is taken when it is this one's turn.
    pub(super) fn new(log: &Arc<Log>, fetch: impl FnOnce(&Log) -> Fetched + Send + 'static) -> Self {
        let (log, turns) = (log.clone(), log.turns().cloned());
        let Some(turns) = turns else {
            return Self(spawn_blocking(move || fetch(&log)));
        };
        Self(tokio::spawn(async move {
            let turn = turns.acquire_owned().await;
            let fetched = spawn_blocking(move || {
                let _turn = turn;
                fetch(&log)
            });
            match fetched.await.map_err(JoinError::try_into_panic) {
                Ok(fetched) => fetched,
                Err(Ok(panic)) => resume_unwind(panic),
                // The runtime ends.
                Err(Err(_)) => pending().await,
            }
        }))
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Fetched, JoinError>> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl Drop for Fetching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// All readers that rest are not to come at once.
pub(super) fn rest() -> Pin<Box<Sleep>> {
    Box::pin(sleep(Duration::from_millis(random::jittered(REST_MS))))
}

/// Fetches the next records of these runs from the store, about so many bytes of each. Blocks.
pub(super) fn fetch(log: &Log, runs: Vec<Run>, limit: RecordId, budget: u64) -> Fetched {
    let mut fetched = Fetched::default();
    for mut run in runs {
        // Where it does not answer once, nobody waits for it to do so again.
        if fetched.failed.is_empty() && run.fetch(log, limit, budget).is_ok() {
            fetched.runs.push(run);
        } else {
            fetched.failed.push(run);
        }
    }
    fetched
}
