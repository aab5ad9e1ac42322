//! [`Followed`]: what the readers of this gateway want of what others publish.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    hash::Hash,
    sync::Arc,
};

use logs_shared::{Channel, ChannelPattern, RecordId};

use super::topics;
use crate::engine::watch::{Signal, Wanted};

/// What the readers of this gateway want of what others publish. Changes under the directory's lock only, and so do the
/// readers' links: a channel or pattern is in it as long as a reader wants it.
#[derive(Default)]
pub(in crate::engine) struct Followed {
    channels: HashMap<Channel, Topic>,
    patterns: HashMap<ChannelPattern, Topic>,
    /// How often something new was wanted.
    changes: u64,
    /// Up to this change, all that is wanted is heard of; 0 where nothing is.
    effective: u64,
    touched: Touched,
    /// Readers that wait for a change to be confirmed, by their address.
    waiting: HashMap<usize, (u64, Arc<Signal>)>,
    /// Channels whose followers are others than when it was last asked.
    recounted: HashSet<Channel>,
}

/// Something that is wanted.
struct Topic {
    readers: usize,
    /// The change with which it came.
    since: u64,
}

/// What has changed since it was last looked at.
#[derive(Default)]
pub(in crate::engine) struct Touched {
    pub(in crate::engine) channels: HashSet<Channel>,
    /// With where the log stood when it was first wanted.
    pub(in crate::engine) patterns: HashMap<ChannelPattern, RecordId>,
}

impl Touched {
    pub(in crate::engine) fn is_empty(&self) -> bool {
        self.channels.is_empty() && self.patterns.is_empty()
    }

    /// What of it is wanted now, and what is not.
    pub(in crate::engine) fn split(self, followed: &Followed) -> (Self, Self) {
        let (channels, left) = self
            .channels
            .into_iter()
            .partition(|channel| followed.channels.contains_key(channel));
        let (patterns, left_patterns) = self
            .patterns
            .into_iter()
            .partition(|(pattern, _)| followed.patterns.contains_key(pattern));
        let wanted = Self { channels, patterns };
        let unwanted = Self {
            channels: left,
            patterns: left_patterns,
        };
        (wanted, unwanted)
    }
}

impl Followed {
    /// A reader wants this. Returns the change that is to be confirmed before it may read.
    pub(in crate::engine) fn want(&mut self, wanted: &[Wanted], head: RecordId) -> u64 {
        let mut needs = 0;
        for one in wanted {
            let pattern = &one.interest.pattern;
            let since = match pattern.as_channel() {
                Some(channel) => {
                    let touched = &mut self.touched.channels;
                    add(&mut self.channels, channel.clone(), &mut self.changes, || {
                        touched.insert(channel);
                    })
                }
                None => {
                    let touched = &mut self.touched.patterns;
                    add(&mut self.patterns, pattern.clone(), &mut self.changes, || {
                        let from = touched.entry(pattern.clone()).or_insert(head);
                        *from = head.min(*from);
                    })
                }
            };
            needs = needs.max(since);
        }
        needs
    }

    /// A reader wants this no more.
    pub(in crate::engine) fn leave(&mut self, wanted: &[Wanted]) {
        for one in wanted {
            let pattern = &one.interest.pattern;
            match pattern.as_channel() {
                Some(channel) => {
                    if take(&mut self.channels, &channel) {
                        self.touched.channels.insert(channel);
                    }
                }
                None => {
                    if take(&mut self.patterns, pattern) {
                        // Nobody needs to know since when.
                        let head = RecordId::new(u64::MAX, u64::MAX);
                        self.touched.patterns.entry(pattern.clone()).or_insert(head);
                    }
                }
            }
        }
    }

    /// Has a reader woken when this change is confirmed.
    pub(in crate::engine) fn wait(&mut self, signal: &Arc<Signal>, needs: u64) {
        self.waiting.insert(address(signal), (needs, signal.clone()));
    }

    /// A reader waits no more.
    pub(in crate::engine) fn wait_no_more(&mut self, signal: &Arc<Signal>) {
        self.waiting.remove(&address(signal));
    }

    /// Who waits for this change or one before it.
    pub(in crate::engine) fn take_waiting(&mut self, change: u64) -> Vec<Arc<Signal>> {
        let taken = self.waiting.extract_if(|_, (needs, _)| *needs <= change);
        taken.map(|(_, (_, signal))| signal).collect()
    }

    /// The last change, and what has changed since this was asked for before.
    pub(in crate::engine) fn take_touched(&mut self) -> (u64, Touched) {
        (self.changes, std::mem::take(&mut self.touched))
    }

    /// All that is wanted, and the last change. What has changed is in it.
    pub(in crate::engine) fn all(&mut self) -> (u64, Touched) {
        let (changes, _) = self.take_touched();
        let patterns = self.patterns.keys().cloned();
        let all = Touched {
            channels: self.channels.keys().cloned().collect(),
            patterns: patterns.map(|pattern| (pattern, RecordId::ZERO)).collect(),
        };
        (changes, all)
    }

    /// Whether a reader wants this channel, by name or by a pattern.
    pub(in crate::engine) fn wants(&self, channel: &Channel) -> bool {
        self.topics_of(channel).next().is_some()
    }

    /// Whether all that is published to this channel from now on is heard.
    pub(in crate::engine) fn hears(&self, channel: &Channel) -> bool {
        self.wanted_by(channel, self.effective)
    }

    /// Whether this channel was wanted with this change already, and still is.
    pub(in crate::engine) fn wanted_by(&self, channel: &Channel, change: u64) -> bool {
        self.topics_of(channel).any(|topic| topic.since <= change)
    }

    /// From now on all is heard that was wanted up to this change.
    pub(in crate::engine) fn set_effective(&mut self, change: u64) {
        self.effective = change;
    }

    /// The channel has followers that are others than before.
    pub(in crate::engine) fn recount(&mut self, channel: &Channel) {
        self.recounted.insert(channel.clone());
    }

    pub(in crate::engine) fn take_recounted(&mut self) -> HashSet<Channel> {
        std::mem::take(&mut self.recounted)
    }

    fn topics_of(&self, channel: &Channel) -> impl Iterator<Item = &Topic> {
        let by_name = self.channels.get(channel).into_iter();
        by_name.chain(topics::choosing(channel).filter_map(|pattern| self.patterns.get(&pattern)))
    }
}

fn address(signal: &Arc<Signal>) -> usize {
    Arc::as_ptr(signal).addr()
}

/// Counts a reader in, and returns the change with which the topic came.
fn add<K: Hash + Eq>(
    topics: &mut HashMap<K, Topic>,
    key: K,
    changes: &mut u64,
    is_new: impl FnOnce(),
) -> u64 {
    match topics.entry(key) {
        Entry::Occupied(mut known) => {
            known.get_mut().readers += 1;
            known.get().since
        }
        Entry::Vacant(place) => {
            *changes += 1;
            is_new();
            place
                .insert(Topic {
                    readers: 1,
                    since: *changes,
                })
                .since
        }
    }
}

/// Counts a reader out, and returns whether it was the last.
fn take<K: Hash + Eq>(topics: &mut HashMap<K, Topic>, key: &K) -> bool {
    let Some(topic) = topics.get_mut(key) else {
        return false;
    };
    topic.readers -= 1;
    let is_last = topic.readers == 0;
    if is_last {
        topics.remove(key);
    }
    is_last
}
