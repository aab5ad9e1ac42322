//! [`Backoff`]: how long to wait before the next try.

/// What the first wait is drawn from, in milliseconds.
const FIRST_MS: f64 = 500.0;
/// No wait is longer, in milliseconds: a person who watches sees the page come back.
const LONGEST_MS: f64 = 5_000.0;
/// A stream that lived this long was no failed try, in milliseconds.
const STABLE_MS: f64 = 10_000.0;

/// How long to wait before the next try: exponential with full jitter, so that the readers of a
/// gateway that was restarted do not all come back in the same moment.
///
/// Times are milliseconds by any clock that does not step back.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: i32,
    opened_at: Option<f64>,
}

impl Backoff {
    /// A stream was opened.
    pub(crate) fn opened(&mut self, now: f64) {
        self.opened_at = Some(now);
    }

    /// A stream was lost, or could not be opened: how many milliseconds to wait.
    ///
    /// `random` is at least 0 and below 1. A stream that was lost soon after it was opened counts as a
    /// failed try, so a gateway that accepts and drops is not hammered.
    pub(crate) fn lost(&mut self, now: f64, random: f64) -> u64 {
        if self
            .opened_at
            .take()
            .is_some_and(|opened_at| now - opened_at >= STABLE_MS)
        {
            self.failures = 0;
        }
        let most = (FIRST_MS * 2_f64.powi(self.failures)).min(LONGEST_MS);
        self.failures = self.failures.saturating_add(1);
        // Between 0 and LONGEST_MS.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let wait = (most * random) as u64;
        wait
    }

    /// Forgets the failures: someone asks for a try now.
    pub(crate) fn start_over(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALMOST_ONE: f64 = 0.999_999;

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut backoff = Backoff::default();
        let waits: Vec<u64> = (0..8).map(|_| backoff.lost(0.0, ALMOST_ONE)).collect();
        assert_eq!(waits, [499, 999, 1_999, 3_999, 4_999, 4_999, 4_999, 4_999]);
        for _ in 0..5_000 {
            assert!(backoff.lost(0.0, ALMOST_ONE) < 5_000);
        }
    }

    #[test]
    fn a_wait_is_anything_down_to_nothing() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.lost(0.0, 0.0), 0);
        assert_eq!(backoff.lost(0.0, 0.5), 500);
    }

    #[test]
    fn it_starts_over_after_a_stable_stream() {
        let mut backoff = Backoff::default();
        for _ in 0..5 {
            backoff.lost(0.0, 0.5);
        }
        backoff.opened(1_000.0);
        assert_eq!(backoff.lost(1_000.0 + STABLE_MS, 0.5), 250);
    }

    #[test]
    fn a_stream_that_was_lost_at_once_counts_as_a_failed_try() {
        let mut backoff = Backoff::default();
        backoff.lost(0.0, 0.5);
        backoff.opened(1_000.0);
        assert_eq!(backoff.lost(2_000.0, 0.5), 500);
        // The time it was open is not counted twice.
        assert_eq!(backoff.lost(60_000.0, 0.5), 1_000);
    }
}
