//! [`Pace`]: whether a stream of an HTTP/2 connection gets on.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, ready},
    time::Duration,
};

use hyper::rt::Executor;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::rejections::{Rejections, reason};

/// Whether a stream of an HTTP/2 connection gets on. Each has a window of its own, so one may stall while its
/// connection lives: what was given to it waits, and its body is not asked for more.
#[derive(Clone, Default)]
pub(super) struct Pace(Arc<Mutex<Option<Instant>>>);

tokio::task_local! {
    /// That of the stream whose task this is.
    static PACE: Pace;
}

impl Pace {
    /// That of the stream whose task calls; of an HTTP/1 connection there is none.
    pub(super) fn current() -> Option<Self> {
        PACE.try_with(Self::clone).ok()
    }

    /// The stream's body has given something.
    pub(super) fn gave(&self) {
        *self.waits_since() = Some(Instant::now());
    }

    /// The stream's body is asked for more.
    pub(super) fn asked(&self) {
        *self.waits_since() = None;
    }

    /// Waits until the stream has taken nothing for so long. To be polled by the stream's own task, after its stream.
    async fn stalled(&self, limit: Duration) {
        let mut sleep: Option<Pin<Box<Sleep>>> = None;
        poll_fn(|cx| {
            loop {
                let Some(since) = *self.waits_since() else {
                    sleep = None;
                    return Poll::Pending;
                };
                let sleep = sleep.get_or_insert_with(|| Box::pin(sleep_until(since + limit)));
                if sleep.deadline() == since + limit {
                    ready!(sleep.as_mut().poll(cx));
                    return Poll::Ready(());
                }
                sleep.as_mut().reset(since + limit);
            }
        })
        .await;
    }

    fn waits_since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs the streams of HTTP/2 connections, and resets one that stalls: the others of its connection go on.
#[derive(Clone)]
pub(super) struct StreamTasks {
    pub(super) limit: Duration,
    pub(super) rejections: Rejections,
}

impl<F> Executor<F> for StreamTasks
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let Self { limit, rejections } = self.clone();
        let pace = Pace::default();
        tokio::spawn(PACE.scope(pace.clone(), async move {
            tokio::select! {
                biased;
                () = stream => {}
                () = pace.stalled(limit) => {
                    rejections.count(reason::STALLED);
                    tracing::info!(?limit, "a stream of a connection took nothing for too long and is reset");
                }
            }
        }));
    }
}
