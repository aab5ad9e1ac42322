//! [`Backoff`]: how long to wait before trying again.

use std::time::Duration;

/// How long to wait before trying again: a random time up to a bound that doubles. Publishers that were cut together do not
/// come back together.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);
/// Without it, a small random time would be a busy loop.
const SHORTEST: Duration = Duration::from_millis(5);

impl Backoff {
    /// After a failure.
    pub(crate) fn next(&mut self) -> Duration {
        let most = FIRST
            .saturating_mul(2_u32.saturating_pow(self.failures))
            .min(LONGEST);
        self.failures = (self.failures + 1).min(16);
        most.mul_f64(fastrand::f64()).max(SHORTEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_grows_to_the_bound_and_is_random() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..300).map(|_| backoff.next()).collect();
        assert!(waits[0] <= FIRST && waits[1] <= FIRST * 2);
        assert!(waits.iter().all(|&wait| (SHORTEST..=LONGEST).contains(&wait)));
        assert!(waits[20..].iter().any(|&wait| wait > LONGEST / 2));
        assert!(waits[20..].iter().any(|&wait| wait < LONGEST / 2));
    }
}
