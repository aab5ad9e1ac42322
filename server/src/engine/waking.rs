//! [`Pacer`]: wakes readers when there are records for them, none of them more often than is of use.

mod pace;

use std::{
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use self::pace::Paces;
use super::{lock, spawn, watch::Signal};
use crate::quantity;

/// Readers for whom there are records, to be woken when those can be read.
#[derive(Default)]
pub(super) struct Waking {
    /// Each of them once, over all that are to be woken by anybody.
    pub(super) signals: Vec<Arc<Signal>>,
    /// How many would be woken if each were woken by each append.
    pub(super) wanted: u64,
}

/// Wakes readers when there are records for them. The first record after a pause wakes at once. While the gateway is busy, who was
/// woken less than the pace ago is put off until its time has come, and then finds everything that is pending.
///
/// Who is put off is woken by a thread of its own, which sleeps while there is nobody: records also come where no runtime is, and a
/// runtime that is busy would be late.
pub(super) struct Pacer(Arc<Shared>);

struct Shared {
    opened: Instant,
    /// The least time between two wake-ups of a reader, in microseconds; 0: none.
    pace_us: AtomicU64,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    paces: Paces,
    /// Until when the thread sleeps, unless it is told; microseconds since `opened`.
    sleeps_until: u64,
    ended: bool,
}

/// The least time between two wake-ups of a reader by records, where nothing else is set: nobody sees it.
pub(crate) const WRITE_PACE: Duration = Duration::from_millis(10);

impl Pacer {
    /// Begins the thread. It ends when this is dropped.
    pub(super) fn begin() -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            opened: Instant::now(),
            pace_us: AtomicU64::new(quantity::micros(WRITE_PACE)),
            state: Mutex::new(State {
                paces: Paces::default(),
                sleeps_until: 0,
                ended: false,
            }),
            changed: Condvar::new(),
        });
        let running = shared.clone();
        spawn("pacer", move || running.run())?;
        Ok(Self(shared))
    }

    pub(super) fn set_pace(&self, pace: Duration) {
        self.0.pace_us.store(quantity::micros(pace), Ordering::Relaxed);
    }

    /// Paces also where the gateway is at leisure.
    #[cfg(test)]
    pub(super) fn pace_always(&self) {
        lock(&self.0.state).paces.pace_always();
    }

    /// Wakes them, or puts them off. The high-water mark stands before this is called.
    pub(super) fn wake(&self, waking: Waking) {
        let Waking { mut signals, wanted } = waking;
        let pace_us = self.0.pace_us.load(Ordering::Relaxed);
        if pace_us > 0 && !signals.is_empty() {
            let now_us = self.0.now_us();
            let mut state = lock(&self.0.state);
            state.paces.put_off(&mut signals, wanted, pace_us, now_us);
            if state.paces.next_us() < state.sleeps_until {
                self.0.changed.notify_one();
            }
        } else if wanted > 0 && pace_us > 0 {
            lock(&self.0.state).paces.count(wanted, self.0.now_us());
        }
        signals.iter().for_each(|signal| signal.wake_marked());
    }
}

impl Drop for Pacer {
    fn drop(&mut self) {
        lock(&self.0.state).ended = true;
        self.0.changed.notify_one();
    }
}

impl Shared {
    fn now_us(&self) -> u64 {
        quantity::micros(self.opened.elapsed())
    }

    fn run(&self) {
        let mut state = lock(&self.state);
        loop {
            let due = state.paces.take_due(self.now_us());
            if !due.is_empty() {
                state.sleeps_until = 0;
                drop(state);
                due.iter().for_each(|signal| signal.wake_marked());
                state = lock(&self.state);
                continue;
            }
            if state.ended {
                return;
            }
            state.sleeps_until = state.paces.next_us();
            state = if state.sleeps_until == u64::MAX {
                self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
            } else {
                let sleep = Duration::from_micros(state.sleeps_until.saturating_sub(self.now_us()));
                let woken = self.changed.wait_timeout(state, sleep);
                woken.unwrap_or_else(PoisonError::into_inner).0
            };
        }
    }
}
