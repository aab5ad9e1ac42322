//! [`Watch`]: how a reader learns that there is something to read.
//!
//! There is no queue per reader. A record marks the readers of its channel; a mark is one flag and
//! one place in a list that is never longer than the channels the reader follows, however much is
//! published while it is away.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::Waker,
};

use futures_util::task::AtomicWaker;
use logs_shared::{Channel, Interest, RecordId};

use super::{ChannelLog, Log, Stored, batches::Selection, filter::Filter, lock, waking::Waking, write};

/// One reader's interest in channels. Dropping it leaves them all.
pub(crate) struct Watch {
    subscriber: Arc<Subscriber>,
}

/// A reader as others see it: they may wake it, and change what it follows.
pub(crate) struct Subscriber {
    log: Arc<Log>,
    signal: Arc<Signal>,
}

/// What the writer holds of a reader.
#[derive(Default)]
pub(crate) struct Signal {
    waker: AtomicWaker,
    /// Whether somebody has it on a list of readers to wake because of records.
    waking: AtomicBool,
    /// When it was last woken because of records, by the pacer's clock.
    pub(super) woken_us: AtomicU64,
    /// The channels that have something new.
    ready: Mutex<Vec<Arc<Link>>>,
    /// All channels it follows that are in memory.
    links: Mutex<HashMap<Channel, Arc<Link>>>,
    /// What it wants. Changes under the directory's lock only.
    wanted: Mutex<Vec<Wanted>>,
    /// How often that has changed.
    changes: AtomicUsize,
    /// The change of what is followed that must be confirmed before it may read. Changes as `wanted` does.
    needs: AtomicU64,
    /// Whether the reader is gone: then it follows nothing more. Changes under the directory's lock only.
    gone: AtomicBool,
}

/// One of the things a reader wants.
#[derive(Clone)]
pub(super) struct Wanted {
    pub(super) interest: Interest,
    /// Only records after this one.
    pub(super) from: RecordId,
}

/// One reader following one channel. Never changes: to want something else of a channel is a new link.
pub(crate) struct Link {
    pub(crate) log: Arc<ChannelLog>,
    pub(super) signal: Arc<Signal>,
    /// A record passes when one of them lets it.
    pub(super) filters: Vec<Filter>,
    /// Whether the reader named the channel itself, not only a pattern that chooses it.
    pub(super) by_name: bool,
    /// Whether it is in the reader's hands or on its way there: then it is not among the channel's links that a record marks.
    /// Changes under the channel's lock only.
    queued: AtomicBool,
    /// Whether the reader has left the channel, or has another link to it.
    detached: AtomicBool,
}

impl Link {
    /// Makes a reader follow a channel; the reader looks at it first thing.
    pub(super) fn attach(log: &Arc<ChannelLog>, signal: &Arc<Signal>, wanted: &[&Wanted]) {
        let by_name = |wanted: &&Wanted| wanted.interest.pattern.as_channel().is_some();
        let link = log.follow(|slots| Self {
            log: log.clone(),
            signal: signal.clone(),
            filters: wanted.iter().map(|wanted| Filter::new(wanted, slots)).collect(),
            by_name: wanted.iter().any(by_name),
            queued: AtomicBool::new(true),
            detached: AtomicBool::new(false),
        });
        lock(&signal.links).insert(log.channel().clone(), link.clone());
        lock(&signal.ready).push(link);
    }

    /// Tells the reader to look at this channel, and puts it on the list of those to wake, once each.
    pub(super) fn mark(self: Arc<Self>, waking: &mut Waking) {
        let signal = self.signal.clone();
        if !self.queued.swap(true, Ordering::Relaxed) {
            lock(&signal.ready).push(self);
        }
        signal.put_on(&mut waking.signals);
    }

    /// The reader has read all there is, and the next record is to mark it. To be called under the channel's lock.
    pub(super) fn unmark(self: &Arc<Self>, idle: &mut Vec<Arc<Self>>) {
        if !self.is_detached() && self.queued.swap(false, Ordering::Relaxed) {
            idle.push(self.clone());
        }
    }

    /// Whether the reader wants this record of the channel.
    pub(crate) fn wants(&self, record: &Stored) -> bool {
        self.filters.iter().any(|filter| filter.passes(record))
    }

    /// Which records the reader wants after the cursor, where others may want the very same.
    pub(super) fn selection(&self, cursor: RecordId) -> Option<Selection> {
        let mut selections = self.filters.iter().map(|filter| filter.selection(cursor));
        if self.filters.len() == 1 {
            return selections.next().flatten();
        }
        // Where one of them lets everything pass, the others let nothing more.
        selections
            .flatten()
            .find(|selection| *selection == Selection::default())
    }

    /// Whether the reader has read all there is, so that the next record would mark it.
    pub(super) fn is_idle(&self) -> bool {
        !self.queued.load(Ordering::Relaxed)
    }

    /// Whether the reader named the channel itself.
    pub(crate) fn is_by_name(&self) -> bool {
        self.by_name
    }

    pub(crate) fn is_detached(&self) -> bool {
        self.detached.load(Ordering::Acquire)
    }
}

impl Signal {
    /// Wakes the reader, whatever for.
    pub(super) fn wake(&self) {
        self.waker.wake();
    }

    /// Wakes the reader, which is on a list of those to wake. The high-water mark stands before this is called.
    pub(super) fn wake_marked(&self) {
        // What was marked before this, the reader sees when it is woken; who marks after it puts it on a list again.
        self.waking.swap(false, Ordering::AcqRel);
        self.waker.wake();
    }

    /// Puts it on a list of those to wake, unless it is on one already.
    pub(super) fn put_on(self: &Arc<Self>, signals: &mut Vec<Arc<Self>>) {
        if !self.waking.swap(true, Ordering::AcqRel) {
            signals.push(self.clone());
        }
    }

    /// What it wants of this channel.
    pub(super) fn wanted_of<T>(&self, channel: &Channel, with: impl FnOnce(&[&Wanted]) -> T) -> T {
        let wanted = lock(&self.wanted);
        let of_channel: Vec<&Wanted> = wanted
            .iter()
            .filter(|wanted| wanted.interest.pattern.matches(channel))
            .collect();
        with(&of_channel)
    }

    pub(super) fn wanted(&self) -> Vec<Wanted> {
        lock(&self.wanted).clone()
    }

    pub(super) fn set_wanted(&self, wanted: Vec<Wanted>) {
        *lock(&self.wanted) = wanted;
    }

    pub(super) fn set_needs(&self, needs: u64) {
        self.needs.store(needs, Ordering::Release);
    }

    /// To be called before the first link is detached and after the last one is attached.
    pub(super) fn count_change(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    /// Lets go of what was marked. Every link is detached: they refer to this, which would keep itself for ever.
    pub(super) fn clear_ready(&self) {
        drop(std::mem::take(&mut *lock(&self.ready)));
    }

    pub(super) fn link_to(&self, channel: &Channel) -> Option<Arc<Link>> {
        lock(&self.links).get(channel).cloned()
    }

    pub(super) fn links(&self) -> Vec<Arc<Link>> {
        lock(&self.links).values().cloned().collect()
    }

    /// Takes the link to this channel away from the reader.
    pub(super) fn detach(&self, channel: &Channel) {
        if let Some(link) = lock(&self.links).remove(channel) {
            link.detached.store(true, Ordering::Release);
        }
    }
}

impl Watch {
    pub(super) fn new(log: Arc<Log>, interests: Vec<Interest>) -> Self {
        let signal = Arc::new(Signal::default());
        let wanted = interests.into_iter().map(|interest| Wanted {
            interest,
            from: RecordId::ZERO,
        });
        write(&log.directory).follow(&log, &signal, wanted.collect());
        Self {
            subscriber: Arc::new(Subscriber { log, signal }),
        }
    }

    /// The reader as others see it.
    pub(crate) fn subscriber(&self) -> Arc<Subscriber> {
        self.subscriber.clone()
    }

    /// Registers who is to be woken. To be called before looking for what is there.
    pub(crate) fn register(&self, waker: &Waker) {
        self.subscriber.signal.waker.register(waker);
    }

    /// The channels that have something new. To be called after reading the high-water mark: then
    /// every record up to it has marked its channel.
    pub(crate) fn take_ready(&self, into: &mut Vec<Arc<Link>>) {
        into.append(&mut lock(&self.subscriber.signal.ready));
        into.retain(|link| !link.is_detached());
    }

    /// Has it woken when the high-water mark has moved. To be called before the mark is read once more.
    pub(crate) fn await_head(&self) {
        let Subscriber { log, signal } = &*self.subscriber;
        signal.put_on(&mut lock(&log.awaiting));
    }

    /// How often what it follows has changed. Every link from before the last change is detached.
    pub(crate) fn changes(&self) -> usize {
        self.subscriber.signal.changes.load(Ordering::Acquire)
    }

    /// The change of what is followed that must be confirmed before it may read.
    pub(crate) fn needs(&self) -> u64 {
        self.subscriber.signal.needs.load(Ordering::Acquire)
    }

    /// The channels it follows that are in memory.
    pub(crate) fn links(&self) -> Vec<Arc<Link>> {
        self.subscriber.signal.links()
    }

    /// The patterns with a wildcard among what it wants: they may choose channels that only the store has.
    pub(crate) fn wildcards(&self) -> Vec<logs_shared::ChannelPattern> {
        let wanted = self.subscriber.signal.wanted().into_iter();
        wanted
            .map(|wanted| wanted.interest.pattern)
            .filter(|pattern| pattern.as_channel().is_none())
            .collect()
    }

    /// Brings a channel into memory that only the store has, and gives the link to it. `None` where it is not wanted.
    pub(crate) fn bring_in(&self, channel: &Channel) -> Option<Arc<Link>> {
        let Subscriber { log, signal } = &*self.subscriber;
        write(&log.directory).get_or_create(log, channel);
        signal.link_to(channel)
    }
}

impl Subscriber {
    /// Wakes the reader.
    pub(crate) fn wake(&self) {
        self.signal.wake();
    }

    /// The oldest record after its cursor in the channels that it has yet to read to their end, or where one may be.
    pub(crate) fn oldest_unread(&self, cursor: RecordId) -> Option<RecordId> {
        // Let go of before a channel is looked at, whose lock is taken first by whoever takes both.
        let unread: Vec<_> = {
            let links = lock(&self.signal.links);
            links.values().filter(|link| !link.is_idle()).cloned().collect()
        };
        unread
            .iter()
            .filter_map(|link| link.log.first_after(cursor))
            .min()
    }

    /// What it wants now.
    #[cfg(test)]
    pub(crate) fn interests(&self) -> Vec<Interest> {
        let wanted = self.signal.wanted().into_iter();
        wanted.map(|wanted| wanted.interest).collect()
    }

    /// Wants something else from now on. What it wanted before it goes on to get, without a hole; of
    /// what is new it gets every record after the id that this returns. A reader that is gone follows nothing.
    pub(crate) fn set_interests(&self, interests: Vec<Interest>) -> RecordId {
        let from = write(&self.log.directory).set_interests(&self.log, &self.signal, interests);
        self.signal.wake();
        from
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let Subscriber { log, signal } = &*self.subscriber;
        let mut directory = write(&log.directory);
        signal.gone.store(true, Ordering::Relaxed);
        directory.unfollow(log, signal);
    }
}
