//! [`Backoff`]: how long to wait before trying again.

use std::time::Duration;

/// How long to wait before trying again: doubling, with full jitter, up to a cap.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(5);

impl Backoff {
    /// After a failure.
    pub(super) fn next(&mut self) -> Duration {
        let most = (FIRST * 2_u32.saturating_pow(self.failures.min(16))).min(LONGEST);
        self.failures += 1;
        // Clients that were cut together must not come back together; a time of zero would be a busy loop.
        let share = getrandom::u32().unwrap_or(u32::MAX / 2);
        (most * (share >> 16)) / (1 << 16) + Duration::from_millis(20)
    }

    /// After a success.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_grows_to_the_cap_and_never_beyond() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..200).map(|_| backoff.next()).collect();
        assert!(waits[0] <= FIRST + Duration::from_millis(20));
        assert!(
            waits
                .iter()
                .all(|wait| *wait <= LONGEST + Duration::from_millis(20))
        );
        assert!(waits.iter().any(|wait| *wait > LONGEST / 2));
        backoff.reset();
        assert!(backoff.next() <= FIRST + Duration::from_millis(20));
    }
}
