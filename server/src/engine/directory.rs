//! [`Directory`]: which channels there are, and who waits for new ones.

use std::{collections::HashMap, sync::Arc};

use logs_shared::{Channel, ChannelPattern};

use super::{
    channel_log::ChannelLog,
    watch::{Link, Signal},
};

/// Which channels there are, and who waits for new ones.
#[derive(Default)]
pub(crate) struct Directory {
    channels: HashMap<Channel, Arc<ChannelLog>>,
    /// Readers with wildcards. Looked at when a channel comes into being, never when a record does.
    watchers: Vec<(Arc<Signal>, Vec<ChannelPattern>)>,
}

impl Directory {
    pub(super) fn channels(&self) -> impl Iterator<Item = &Arc<ChannelLog>> {
        self.channels.values()
    }

    pub(super) fn get(&self, channel: &Channel) -> Option<&Arc<ChannelLog>> {
        self.channels.get(channel)
    }

    /// Gives the channel's log to `with`; a new one is followed by every reader whose pattern it matches.
    pub(super) fn get_or_create<T>(
        &mut self,
        channel: &Channel,
        with: impl FnOnce(&Arc<ChannelLog>) -> T,
    ) -> T {
        let watchers = &self.watchers;
        let create = || {
            let log = Arc::new(ChannelLog::new(channel.clone()));
            for (signal, patterns) in watchers {
                if patterns.iter().any(|pattern| pattern.matches(channel)) {
                    Link::attach(&log, signal);
                }
            }
            log
        };
        with(self.channels.entry(channel.clone()).or_insert_with(create))
    }

    /// Makes a reader follow everything that its patterns choose, each channel once.
    pub(super) fn follow(&mut self, signal: &Arc<Signal>, patterns: &[ChannelPattern]) {
        let wildcards: Vec<_> = patterns
            .iter()
            .filter(|p| p.as_channel().is_none())
            .cloned()
            .collect();
        // Channels that a wildcard chooses too are left to it, so that none is followed twice.
        for channel in patterns.iter().filter_map(ChannelPattern::as_channel) {
            if !wildcards.iter().any(|pattern| pattern.matches(&channel)) {
                self.get_or_create(&channel, |log| Link::attach(log, signal));
            }
        }
        if wildcards.is_empty() {
            return;
        }
        for log in self.channels.values() {
            if wildcards.iter().any(|pattern| pattern.matches(log.channel())) {
                Link::attach(log, signal);
            }
        }
        self.watchers.push((signal.clone(), wildcards));
    }

    /// Undoes [`Directory::follow`].
    pub(super) fn unfollow(&mut self, signal: &Arc<Signal>) {
        self.watchers.retain(|(other, _)| !Arc::ptr_eq(other, signal));
        for link in signal.detach() {
            link.log.unfollow(signal);
            if link.log.is_unused() {
                self.channels.remove(link.log.channel());
            }
        }
    }
}
