//! [`Live`]: what is known of how far this gateway has heard of what others publish.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::{Notify, oneshot};

use super::{keeping::StoreAway, lock, redis::PATIENCE};

/// What is known of how far this gateway has heard of what others publish, and what whoever listens is asked for. Where
/// all records come through this gateway, everything is confirmed and nothing is asked for.
pub(super) struct Live {
    /// Changes of what is followed have numbers: up to this one, nothing of what was to be followed can be missed.
    confirmed: AtomicU64,
    /// Who waits to hear how far the log has come.
    asking: Mutex<Vec<oneshot::Sender<()>>>,
    /// Tells whoever listens that something is asked for.
    pub(super) called: Notify,
    closing: AtomicBool,
    is_away: AtomicBool,
    /// Why nothing is heard, where that is so.
    trouble: Mutex<Option<String>>,
    opened: Instant,
    /// When the store was last heard of: milliseconds since `opened`.
    heard_ms: AtomicU64,
}

/// How long somebody waits to hear how far the log has come: what is asked just before the store goes away is answered no
/// more, and it comes back soon where it only changes its place.
const ASKED_FOR: Duration = PATIENCE;

impl Live {
    /// All records come through this gateway.
    pub(super) fn alone() -> Self {
        Self::new(u64::MAX)
    }

    /// Nothing is confirmed yet.
    pub(super) fn among_others() -> Self {
        Self::new(0)
    }

    fn new(confirmed: u64) -> Self {
        Self {
            confirmed: AtomicU64::new(confirmed),
            asking: Mutex::default(),
            called: Notify::new(),
            closing: AtomicBool::new(false),
            is_away: AtomicBool::new(false),
            trouble: Mutex::default(),
            opened: Instant::now(),
            heard_ms: AtomicU64::new(0),
        }
    }

    pub(super) fn is_confirmed(&self, needs: u64) -> bool {
        self.confirmed.load(Ordering::Acquire) >= needs
    }

    /// To be called when all channels are in memory that may have something for who waits for this.
    pub(super) fn confirm(&self, change: u64) {
        self.confirmed.fetch_max(change, Ordering::AcqRel);
    }

    /// Waits until everything that was published anywhere before this was called can be read, in all that was followed by
    /// then.
    pub(super) async fn fresh(&self) -> Result<(), StoreAway> {
        let (asking, answer) = oneshot::channel();
        lock(&self.asking).push(asking);
        self.called.notify_one();
        match tokio::time::timeout(ASKED_FOR, answer).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(StoreAway),
        }
    }

    /// Who asks, of whom some may have gone.
    pub(super) fn take_asking(&self) -> Vec<oneshot::Sender<()>> {
        std::mem::take(&mut *lock(&self.asking))
    }

    /// Lets go of who has waited long enough.
    pub(super) fn forget_gone(&self) {
        lock(&self.asking).retain(|asking| !asking.is_closed());
    }

    /// Puts back who could not be answered.
    pub(super) fn ask_again(&self, asking: Vec<oneshot::Sender<()>>) {
        lock(&self.asking).extend(asking);
    }

    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.called.notify_one();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// The store was heard of. Returns whether it had been away.
    pub(super) fn hear(&self) -> bool {
        self.heard_ms.store(self.now_ms(), Ordering::Relaxed);
        *lock(&self.trouble) = None;
        self.is_away.swap(false, Ordering::AcqRel)
    }

    /// Nothing is heard any more. Returns whether that is news.
    pub(super) fn lose(&self, why: String) -> bool {
        *lock(&self.trouble) = Some(why);
        !self.is_away.swap(true, Ordering::AcqRel)
    }

    /// Why nothing is heard, where that is so.
    pub(super) fn trouble(&self) -> Option<String> {
        lock(&self.trouble).clone()
    }

    pub(super) fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Relaxed)
    }

    pub(super) fn delayed_ms(&self) -> Option<u64> {
        let heard_ms = self.heard_ms.load(Ordering::Relaxed);
        self.is_away().then(|| self.now_ms().saturating_sub(heard_ms))
    }

    fn now_ms(&self) -> u64 {
        crate::quantity::millis(self.opened.elapsed())
    }
}
