//! [`Directory`]: which channels are in memory, and who waits for others.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, atomic::Ordering},
};

use logs_shared::{Channel, ChannelPattern, Interest, RecordId};

use super::{
    Log,
    channel_log::ChannelLog,
    lock,
    redis::Followed,
    store::{Kept, Order, Store, after_prefix, place_of},
    watch::{Link, Signal, Wanted},
};

/// Which channels are in memory, and who waits for others. A channel that only the store has comes in when a record
/// or a reader comes to it, and leaves when it is idle.
#[derive(Default)]
pub(crate) struct Directory {
    channels: HashMap<Channel, Arc<ChannelLog>>,
    /// The same by their place in each order, so that a pattern looks at none but those it chooses.
    places: BTreeMap<Vec<u8>, Arc<ChannelLog>>,
    /// Readers with wildcards. Looked at when a channel comes in, never when a record does.
    watchers: Vec<Arc<Signal>>,
    /// What readers want of what others publish, where others do.
    followed: Option<Box<Followed>>,
}

impl Directory {
    /// Of a log to which others publish too. A channel is in memory as long as somebody follows it.
    pub(super) fn among_others() -> Self {
        Self {
            followed: Some(Box::default()),
            ..Self::default()
        }
    }

    pub(super) fn followed(&mut self) -> Option<&mut Followed> {
        self.followed.as_deref_mut()
    }

    /// Whether a reader here wants this channel of what others publish.
    pub(super) fn wants(&self, channel: &Channel) -> bool {
        self.followed
            .as_ref()
            .is_some_and(|followed| followed.wants(channel))
    }

    /// Whether a reader here wanted this channel with this change already, and still does.
    pub(super) fn wanted_by(&self, channel: &Channel, change: u64) -> bool {
        self.followed
            .as_ref()
            .is_some_and(|followed| followed.wanted_by(channel, change))
    }

    pub(super) fn channels(&self) -> impl Iterator<Item = &Arc<ChannelLog>> {
        self.channels.values()
    }

    pub(super) fn get(&self, channel: &Channel) -> Option<&Arc<ChannelLog>> {
        self.channels.get(channel)
    }

    pub(super) fn len(&self) -> usize {
        self.channels.len()
    }

    /// The channel's log; one that comes in is followed by every reader whose pattern chooses it.
    pub(super) fn get_or_create(&mut self, log: &Log, channel: &Channel) -> Arc<ChannelLog> {
        if let Some(known) = self.channels.get(channel) {
            return known.clone();
        }
        let created = Arc::new(match (&mut self.followed, log.disk()) {
            (Some(followed), _) => {
                followed.recount(channel);
                ChannelLog::heard_of(channel.clone(), followed.hears(channel).then(|| log.head()))
            }
            (None, Some(store)) => ChannelLog::new(channel.clone(), kept_on_disk(log, store, channel)),
            (None, None) => ChannelLog::new(channel.clone(), Kept::default()),
        });
        for signal in &self.watchers {
            signal.wanted_of(channel, |wanted| {
                if !wanted.is_empty() {
                    Link::attach(&created, signal, wanted);
                    // What is about to come to it marks nobody who has yet to look at it.
                    signal.put_on(&mut lock(&log.awaiting));
                }
            });
        }
        for order in Order::ALL {
            self.places.insert(order.key(channel), created.clone());
        }
        self.channels.insert(channel.clone(), created.clone());
        created
    }

    fn remove(&mut self, channel: &Channel) {
        if let Some(followed) = &mut self.followed {
            followed.recount(channel);
        }
        self.channels.remove(channel);
        for order in Order::ALL {
            self.places.remove(&order.key(channel));
        }
    }

    /// The channels in memory that a pattern chooses.
    pub(super) fn chosen(&self, pattern: &ChannelPattern) -> impl Iterator<Item = &Arc<ChannelLog>> {
        let (_, prefix) = place_of(pattern);
        let end = after_prefix(&prefix);
        self.places.range(prefix..end).map(|(_, log)| log)
    }

    /// Makes a reader follow what it wants. Nobody publishes meanwhile, so of the many channels that many patterns choose it
    /// looks at each with those that choose it, not with all.
    pub(super) fn follow(&mut self, log: &Log, signal: &Arc<Signal>, wanted: Vec<Wanted>) {
        let mut is_watcher = false;
        // What is named comes in first, so that patterns find it too.
        for one in &wanted {
            match one.interest.pattern.as_channel() {
                Some(channel) => drop(self.get_or_create(log, &channel)),
                None => is_watcher = true,
            }
        }
        let mut concerned: HashMap<Channel, (Arc<ChannelLog>, Vec<&Wanted>)> = HashMap::new();
        for one in &wanted {
            let pattern = &one.interest.pattern;
            let named = pattern.as_channel();
            let named = named.and_then(|channel| self.get(&channel));
            let chosen = match named {
                Some(_) => None,
                None => Some(self.chosen(pattern)),
            };
            for log in named.into_iter().chain(chosen.into_iter().flatten()) {
                let entry = concerned.entry(log.channel().clone());
                let (_, by) = entry.or_insert_with(|| (log.clone(), Vec::new()));
                by.push(one);
            }
        }
        signal.set_wanted(wanted.clone());
        for (log, by) in concerned.into_values() {
            if let Some(followed) = &mut self.followed {
                followed.recount(log.channel());
            }
            Link::attach(&log, signal, &by);
        }
        if is_watcher {
            self.watchers.push(signal.clone());
        }
        if let Some(followed) = &mut self.followed {
            let needs = followed.want(&wanted, log.head());
            signal.set_needs(needs);
            if !log.is_confirmed(needs) {
                followed.wait(signal, needs);
            }
            log.live.called.notify_one();
        }
    }

    /// Makes a reader follow something else from now on; of what is new, what comes after the id that is returned.
    ///
    /// The writer cannot append meanwhile, so that the high-water mark is the exact border.
    pub(super) fn set_interests(
        &mut self,
        log: &Log,
        signal: &Arc<Signal>,
        interests: Vec<Interest>,
    ) -> RecordId {
        let head = log.head();
        let before = signal.wanted().into_iter();
        let before: HashMap<_, _> = before.map(|wanted| (wanted.interest, wanted.from)).collect();
        let wanted = interests.into_iter().map(|interest| {
            let from = before.get(&interest).copied().unwrap_or(head);
            Wanted { interest, from }
        });
        let wanted = wanted.collect();
        if !signal.is_gone() {
            signal.count_change();
            let (left, wanted_before) = (self.detach(signal), signal.wanted());
            self.follow(log, signal, wanted);
            // After it is wanted anew, so that what it goes on to want is wanted all the time.
            self.leave(log, &wanted_before, left);
            signal.count_change();
        }
        head
    }

    /// Undoes [`Directory::follow`].
    pub(super) fn unfollow(&mut self, log: &Log, signal: &Arc<Signal>) {
        let left = self.detach(signal);
        self.leave(log, &signal.wanted(), left);
        if let Some(followed) = &mut self.followed {
            followed.wait_no_more(signal);
        }
    }

    /// Takes a reader off its channels, and returns them.
    fn detach(&mut self, signal: &Arc<Signal>) -> Vec<Arc<ChannelLog>> {
        self.watchers.retain(|other| !Arc::ptr_eq(other, signal));
        let links = signal.links().into_iter();
        let left = links.map(|link| {
            signal.detach(link.log.channel());
            link.log.unfollow(signal);
            link.log.clone()
        });
        let left = left.collect();
        signal.clear_ready();
        left
    }

    /// A reader that wanted this has left these channels.
    fn leave(&mut self, log: &Log, wanted: &[Wanted], left: Vec<Arc<ChannelLog>>) {
        if let Some(followed) = &mut self.followed {
            followed.leave(wanted);
            log.live.called.notify_one();
        }
        for channel in left {
            if let Some(followed) = &mut self.followed {
                followed.recount(channel.channel());
            }
            // What others publish to a channel that nobody follows here is not heard.
            if channel.is_unused() || (self.followed.is_some() && channel.followers() == 0) {
                self.remove(channel.channel());
                let freed = channel.clear();
                log.tail_bytes.fetch_sub(freed, Ordering::Relaxed);
            }
        }
    }

    /// Of every channel that is heard of, all is heard that comes after this record.
    pub(super) fn hear_all_from(&self, id: RecordId) {
        let Some(followed) = &self.followed else { return };
        let heard = self.channels.values();
        heard
            .filter(|log| followed.hears(log.channel()))
            .for_each(|log| log.hear_from(id));
    }

    /// Every reader, some perhaps more than once.
    pub(super) fn signals(&self) -> impl Iterator<Item = Arc<Signal>> {
        let of_channels = self.channels.values().flat_map(|log| log.signals());
        self.watchers.iter().cloned().chain(of_channels)
    }

    /// Lets a channel go out of memory where its records are in the store and nobody needs it here.
    pub(super) fn let_out(&mut self, channel: &Channel) {
        let Some(log) = self.channels.get(channel).filter(|log| log.is_idle()).cloned() else {
            return;
        };
        log.leave_all();
        self.remove(channel);
    }

    /// Forgets a channel that nobody would miss. Returns whether it is gone.
    pub(super) fn forget(&mut self, channel: &Channel) -> bool {
        match self.channels.get(channel) {
            Some(log) if !log.is_idle() => return false,
            Some(log) => {
                log.leave_all();
                self.remove(channel);
            }
            None => {}
        }
        true
    }
}

/// What the store keeps of a channel that comes in.
fn kept_on_disk(log: &Log, store: &Store, channel: &Channel) -> Kept {
    store
        .kept(channel)
        .unwrap_or_else(|error| {
            log.fail_reading(&error);
            None
        })
        .unwrap_or_default()
}
