//! [`Watch`]: how a reader learns that there is something to read.
//!
//! There is no queue per reader. A record marks the readers of its channel; a mark is one flag and
//! one place in a list that is never longer than the channels the reader follows, however much is
//! published while it is away.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
};

use futures_util::task::AtomicWaker;
use logs_shared::ChannelPattern;

use super::{ChannelLog, Log, lock, write};

/// One reader's interest in channels. Dropping it leaves them all.
pub(crate) struct Watch {
    log: Arc<Log>,
    signal: Arc<Signal>,
}

/// What the writer holds of a reader.
#[derive(Default)]
pub(crate) struct Signal {
    waker: AtomicWaker,
    /// Whether the writer has it on its list of readers to wake.
    waking: AtomicBool,
    /// The channels that have something new.
    ready: Mutex<Vec<Arc<Link>>>,
    /// All channels it follows.
    links: Mutex<Vec<Arc<Link>>>,
}

/// One reader following one channel.
pub(crate) struct Link {
    pub(crate) log: Arc<ChannelLog>,
    pub(super) signal: Arc<Signal>,
    /// Whether it is in the reader's hands or on its way there: the writer need not mark it again.
    /// Changes under the channel's lock only.
    pub(super) queued: AtomicBool,
}

impl Link {
    /// Makes a reader follow a channel; the reader looks at it first thing.
    pub(super) fn attach(log: &Arc<ChannelLog>, signal: &Arc<Signal>) {
        let link = Arc::new(Self {
            log: log.clone(),
            signal: signal.clone(),
            queued: AtomicBool::new(true),
        });
        lock(&signal.ready).push(link.clone());
        lock(&signal.links).push(link.clone());
        log.follow(link);
    }

    /// Tells the reader to look at this channel, and puts it on the list of those to wake, once each.
    pub(super) fn mark(self: &Arc<Self>, wake: &mut Vec<Arc<Signal>>) {
        if !self.queued.swap(true, Ordering::Relaxed) {
            lock(&self.signal.ready).push(self.clone());
        }
        // Also where it was marked before: it may have looked before this record could be read.
        if !self.signal.waking.swap(true, Ordering::Relaxed) {
            wake.push(self.signal.clone());
        }
    }
}

impl Signal {
    /// Wakes the reader. The high-water mark stands before this is called.
    pub(crate) fn wake(&self) {
        self.waking.store(false, Ordering::Release);
        self.waker.wake();
    }

    pub(super) fn detach(&self) -> Vec<Arc<Link>> {
        lock(&self.ready).clear();
        std::mem::take(&mut *lock(&self.links))
    }
}

impl Watch {
    pub(super) fn new(log: Arc<Log>, patterns: &[ChannelPattern]) -> Self {
        let signal = Arc::new(Signal::default());
        write(&log.directory).follow(&signal, patterns);
        Self { log, signal }
    }

    /// Something that wakes the reader from outside.
    pub(crate) fn signal(&self) -> Arc<Signal> {
        self.signal.clone()
    }

    /// Registers who is to be woken. To be called before looking for what is there.
    pub(crate) fn register(&self, waker: &Waker) {
        self.signal.waker.register(waker);
    }

    /// The channels that have something new. To be called after reading the high-water mark: then
    /// every record up to it has marked its channel.
    pub(crate) fn take_ready(&self, into: &mut Vec<Arc<Link>>) {
        into.append(&mut lock(&self.signal.ready));
    }

    /// The channels it follows now.
    pub(crate) fn links(&self) -> Vec<Arc<Link>> {
        lock(&self.signal.links).clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        write(&self.log.directory).unfollow(&self.signal);
    }
}
