//! [`TokenChannels`]: how many channels each token uses.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use logs_shared::Channel;

use crate::access::HashedToken;

/// How many different channels each token publishes to, so that one that makes up names without end does not fill the
/// gateway with channels. Counted over a day or two: names that change with every run are forgotten.
pub(crate) struct TokenChannels {
    /// The most for one token.
    most: usize,
    hasher: RandomState,
    tokens: Mutex<HashMap<HashedToken, Used>>,
}

/// The channels of one token, each by its hash.
struct Used {
    now: HashSet<u64>,
    before: HashSet<u64>,
    since: Instant,
}

const PERIOD: Duration = Duration::from_secs(24 * 3600);

impl TokenChannels {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            hasher: RandomState::new(),
            tokens: Mutex::default(),
        }
    }

    /// The most for one token.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// Which of these channels the token may not use, because it uses as many others as it may.
    pub(crate) fn refused<'a>(
        &self,
        token: &HashedToken,
        channels: impl Iterator<Item = &'a Channel>,
    ) -> HashSet<&'a Channel> {
        self.refused_at(Instant::now(), token, channels)
    }

    fn refused_at<'a>(
        &self,
        now: Instant,
        token: &HashedToken,
        channels: impl Iterator<Item = &'a Channel>,
    ) -> HashSet<&'a Channel> {
        let mut refused = HashSet::new();
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let used = tokens.entry(*token).or_insert_with(|| Used::new(now));
        used.turn_over(now);
        let mut last: Option<&Channel> = None;
        for channel in channels {
            // Most batches are of one channel.
            if last.replace(channel) == Some(channel) {
                continue;
            }
            if !used.takes(self.hasher.hash_one(channel), self.most) {
                refused.insert(channel);
            }
        }
        refused
    }
}

impl Used {
    fn new(since: Instant) -> Self {
        Self {
            now: HashSet::new(),
            before: HashSet::new(),
            since,
        }
    }

    fn turn_over(&mut self, now: Instant) {
        let passed = now.duration_since(self.since);
        if passed >= PERIOD {
            self.before = std::mem::take(&mut self.now);
            self.since = now;
        }
        if passed >= PERIOD * 2 {
            // Nothing was published in the period before this one.
            self.before = HashSet::new();
        }
    }

    fn takes(&mut self, channel: u64, most: usize) -> bool {
        if self.now.contains(&channel) {
            return true;
        }
        if !self.before.remove(&channel) && self.now.len() + self.before.len() >= most {
            return false;
        }
        self.now.insert(channel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(counts: &TokenChannels, at: Instant, token: &str, names: &[&str]) -> Vec<String> {
        let channels: Vec<Channel> = names
            .iter()
            .map(|name| Channel::new("etl", name, None).unwrap())
            .collect();
        let refused = counts.refused_at(at, &HashedToken::new(token), channels.iter());
        let mut refused: Vec<_> = refused
            .into_iter()
            .map(|channel| channel.workspace_id().to_owned())
            .collect();
        refused.sort();
        refused
    }

    #[test]
    fn a_token_goes_on_with_the_channels_it_has_and_gets_no_more() {
        let counts = TokenChannels::new(2);
        let now = Instant::now();
        assert!(refused(&counts, now, "t", &["a", "a", "b", "a"]).is_empty());
        assert_eq!(refused(&counts, now, "t", &["a", "c", "b", "c", "d"]), ["c", "d"]);
        assert!(
            refused(&counts, now, "u", &["c", "d"]).is_empty(),
            "another token"
        );
    }

    #[test]
    fn what_was_not_used_for_two_days_makes_room() {
        let counts = TokenChannels::new(2);
        let start = Instant::now();
        refused(&counts, start, "t", &["a", "b"]);
        assert_eq!(refused(&counts, start + PERIOD, "t", &["b", "c"]), ["c"]);
        assert!(refused(&counts, start + PERIOD * 2, "t", &["b", "c"]).is_empty());
        assert_eq!(refused(&counts, start + PERIOD * 2, "t", &["a"]), ["a"]);
        // Also where the token did nothing meanwhile.
        let much_later = start + PERIOD * 10;
        assert!(refused(&counts, much_later, "t", &["d", "e"]).is_empty());
    }
}
