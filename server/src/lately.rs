//! [`Lately`]: how long something took over the last minute.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use logs_shared::overview::Latency;

use crate::histogram::{Counted, Histogram};

/// How long something took over the last minute: a histogram, sampled once a second.
#[derive(Default)]
pub(crate) struct Lately(Mutex<VecDeque<Counted>>);

/// How many samples are kept: a minute's.
const SAMPLES: usize = 60;

impl Lately {
    /// Notes what it has counted by now. To be called once a second.
    pub(crate) fn sample(&self, histogram: &Histogram) {
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if samples.len() >= SAMPLES {
            samples.pop_front();
        }
        samples.push_back(histogram.counted());
    }

    /// What it has counted since the oldest sample, or since the start where there is none.
    pub(crate) fn of(&self, histogram: &Histogram) -> Latency {
        let now = histogram.counted();
        let samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lately = samples
            .front()
            .map_or_else(|| now.clone(), |first| now.since(first));
        drop(samples);
        let ms = |part| lately.quantile(part).map(|seconds| seconds * 1_000.0);
        Latency {
            count: lately.count(),
            p50_ms: ms(0.5),
            p99_ms: ms(0.99),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::histogram::DURATIONS;

    #[test]
    fn what_was_slow_a_minute_ago_is_not_told_any_more() {
        let (histogram, lately) = (Histogram::new(&DURATIONS), Lately::default());
        histogram.took(Duration::from_secs(2));
        assert_eq!(lately.of(&histogram).count, 1);
        lately.sample(&histogram);
        assert_eq!(lately.of(&histogram), Latency::default());
        histogram.took(Duration::from_secs(1));
        for second in 0..SAMPLES {
            assert_eq!(lately.of(&histogram).count, 1, "{second}");
            lately.sample(&histogram);
        }
        histogram.took(Duration::from_micros(300));
        let latency = lately.of(&histogram);
        assert_eq!(latency.count, 1);
        assert!(latency.p99_ms.is_some_and(|ms| ms < 0.5), "{latency:?}");
    }
}
