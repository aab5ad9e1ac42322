//! [`Quota`]: how often each of many may do something.

use std::{hash::Hash, num::NonZeroU32, time::Duration};

use governor::{
    RateLimiter,
    clock::{Clock, MonotonicClock},
    middleware::NoOpMiddleware,
    state::keyed::HashMapStateStore,
};

/// How often each of many may do something: so many times a second, and so many at once where it did nothing before.
pub(crate) struct Quota<K: Clone + Hash + Eq> {
    limiter: RateLimiter<K, HashMapStateStore<K>, MonotonicClock, NoOpMiddleware<std::time::Instant>>,
    clock: MonotonicClock,
    at_once: u32,
}

/// What is over the quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// It may come after so long.
    Later(Duration),
    /// It is more than may ever come at once; the most that may.
    Never(u32),
}

impl Over {
    /// When it may come, where it may at all.
    pub(crate) fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Later(wait) => Some(wait),
            Self::Never(_) => None,
        }
    }
}

impl<K: Clone + Hash + Eq> Quota<K> {
    /// `per_second` on the long run and `at_once` at a time.
    pub(crate) fn new(per_second: NonZeroU32, at_once: NonZeroU32) -> Self {
        let quota = governor::Quota::per_second(per_second).allow_burst(at_once);
        let clock = MonotonicClock;
        Self {
            limiter: RateLimiter::new(quota, HashMapStateStore::default(), clock.clone()),
            clock,
            at_once: at_once.get(),
        }
    }

    /// Counts `times` for this one, all or nothing.
    pub(crate) fn take(&self, key: &K, times: u32) -> Result<(), Over> {
        let Some(times) = NonZeroU32::new(times) else {
            return Ok(());
        };
        match self.limiter.check_key_n(key, times) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_until)) => Err(Over::Later(not_until.wait_time_from(self.clock.now()))),
            Err(_) => Err(Over::Never(self.at_once)),
        }
    }

    /// Forgets those that have done nothing for so long that they have all of their quota.
    pub(crate) fn forget_idle(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }

    #[cfg(test)]
    fn known(&self) -> usize {
        self.limiter.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    #[test]
    fn each_has_a_quota_of_its_own_and_is_told_how_long_to_wait() {
        let quota = Quota::new(count(10), count(20));
        assert_eq!(quota.take(&"a", 15), Ok(()));
        let Err(Over::Later(wait)) = quota.take(&"a", 15) else {
            panic!("it may take more than its quota");
        };
        assert!(
            wait > Duration::from_millis(500) && wait <= Duration::from_secs(1),
            "{wait:?}"
        );
        assert_eq!(quota.take(&"b", 20), Ok(()));
        assert_eq!(quota.take(&"c", 21), Err(Over::Never(20)));
        assert_eq!(quota.take(&"b", 0), Ok(()));
    }

    #[test]
    fn who_did_nothing_for_long_is_forgotten() {
        let quota = Quota::new(count(1_000), count(1_000));
        for key in 0..1_000 {
            quota.take(&key, 1).unwrap();
        }
        assert!(quota.known() > 0);
        std::thread::sleep(Duration::from_millis(50));
        quota.forget_idle();
        assert_eq!(quota.known(), 0);
    }
}
