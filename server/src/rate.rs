//! [`Rate`]: how fast something grew lately.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How fast something grew lately: a count, sampled.
#[derive(Default)]
pub(crate) struct Rate(Mutex<VecDeque<(Instant, u64)>>);

const WINDOW: Duration = Duration::from_secs(10);

impl Rate {
    /// Notes how much it is by now.
    pub(crate) fn sample(&self, count: u64) {
        self.sample_at(Instant::now(), count);
    }

    /// By how much it grew per second over the last ten seconds, or since the first sample where that is later.
    pub(crate) fn per_second(&self, count: u64) -> f64 {
        self.per_second_at(Instant::now(), count)
    }

    fn sample_at(&self, now: Instant, count: u64) {
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        samples.push_back((now, count));
        while samples.len() > 1
            && samples
                .front()
                .is_some_and(|(at, _)| now.duration_since(*at) > WINDOW)
        {
            samples.pop_front();
        }
    }

    #[expect(clippy::cast_precision_loss)]
    fn per_second_at(&self, now: Instant, count: u64) -> f64 {
        let samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((since, before)) = samples.front() else {
            return 0.0;
        };
        let seconds = now.duration_since(*since).as_secs_f64();
        if seconds < 0.1 {
            0.0
        } else {
            count.saturating_sub(*before) as f64 / seconds
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_of_the_last_ten_seconds() {
        let rate = Rate::default();
        let start = Instant::now();
        assert!(rate.per_second_at(start, 5).abs() < f64::EPSILON);
        for second in 0..60 {
            rate.sample_at(
                start + Duration::from_secs(second),
                if second < 40 {
                    second * 100
                } else {
                    4_000 + (second - 40) * 10
                },
            );
        }
        let now = rate.per_second_at(start + Duration::from_secs(60), 4_200);
        assert!((now - 10.0).abs() < 0.5, "{now}");
    }
}
