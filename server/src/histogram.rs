//! [`Histogram`]: how often what size was measured.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// How often what size was measured, in buckets. A measurement is a look for its bucket and two additions without a lock.
pub(crate) struct Histogram {
    scale: &'static Scale,
    /// One a bound, and one for what is over all of them.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// Which buckets there are.
pub(crate) struct Scale {
    /// The largest of each bucket, ascending, in the unit that is measured in.
    bounds: &'static [u64],
    /// How many of that unit are one of the unit that is told.
    per_unit: f64,
}

/// Microseconds, told in seconds: 0.1 ms to 10 s.
pub(crate) const DURATIONS: Scale = Scale {
    bounds: &[
        100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
        2_500_000, 5_000_000, 10_000_000,
    ],
    per_unit: 1e6,
};

/// Records that were stored together.
pub(crate) const BATCHES: Scale = Scale {
    bounds: &[
        1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000,
    ],
    per_unit: 1.0,
};

/// What a histogram had counted at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    /// The largest of each bucket but the last one, which has no bound, in the unit that is told.
    bounds: Vec<f64>,
    counts: Vec<u64>,
    /// Of all that was measured, in the unit that is told.
    pub(crate) sum: f64,
}

impl Histogram {
    pub(crate) fn new(scale: &'static Scale) -> Self {
        Self {
            scale,
            counts: (0..=scale.bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        }
    }

    /// Counts this.
    pub(crate) fn observe(&self, size: u64) {
        let bucket = self.scale.bounds.partition_point(|bound| *bound < size);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(size, Ordering::Relaxed);
    }

    /// Counts a time, where times are what is measured.
    pub(crate) fn took(&self, time: Duration) {
        self.observe(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    #[expect(clippy::cast_precision_loss)]
    pub(crate) fn counted(&self) -> Counted {
        let Scale { bounds, per_unit } = self.scale;
        Counted {
            bounds: bounds.iter().map(|bound| *bound as f64 / per_unit).collect(),
            counts: self
                .counts
                .iter()
                .map(|count| count.load(Ordering::Relaxed))
                .collect(),
            sum: self.sum.load(Ordering::Relaxed) as f64 / per_unit,
        }
    }
}

impl Counted {
    /// Each bucket's bound, the last without an end, and how often what is in it was measured.
    pub(crate) fn buckets(&self) -> Vec<(f64, u64)> {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        bounds.zip(self.counts.iter().copied()).collect()
    }

    /// How often something was measured.
    pub(crate) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// What was counted since an earlier moment.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let pairs = self.counts.iter().zip(&earlier.counts);
        Self {
            bounds: self.bounds.clone(),
            counts: pairs.map(|(now, before)| now.saturating_sub(*before)).collect(),
            sum: self.sum - earlier.sum,
        }
    }

    /// What this part of all measurements was not over, as if those of a bucket were spread evenly over it. What is over the
    /// last bound counts as that bound. `None` where nothing was measured.
    #[expect(clippy::cast_precision_loss)]
    pub(crate) fn quantile(&self, part: f64) -> Option<f64> {
        let wanted = self.count() as f64 * part;
        let (mut below, mut from) = (0.0, 0.0);
        for (bucket, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let count = *count as f64;
            if bucket > 0 {
                from = self.bounds[bucket - 1];
            }
            let Some(to) = self.bounds.get(bucket) else {
                return Some(from);
            };
            if below + count >= wanted {
                return Some(from + (to - from) * (wanted - below) / count);
            }
            below += count;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_is_in_the_bucket_whose_bound_it_does_not_pass() {
        let histogram = Histogram::new(&BATCHES);
        for size in [1, 2, 3, 5, 6, 100_000, 100_001] {
            histogram.observe(size);
        }
        let counted = histogram.counted();
        let buckets: Vec<_> = counted
            .buckets()
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .collect();
        assert_eq!(
            buckets,
            [
                (1.0, 1),
                (2.0, 1),
                (5.0, 2),
                (10.0, 1),
                (100_000.0, 1),
                (f64::INFINITY, 1)
            ]
        );
        assert_eq!(counted.count(), 7);
        assert!((counted.sum - 200_018.0).abs() < f64::EPSILON, "{}", counted.sum);
    }

    #[test]
    fn times_are_told_in_seconds() {
        let histogram = Histogram::new(&DURATIONS);
        histogram.took(Duration::from_millis(2));
        let counted = histogram.counted();
        assert!((counted.sum - 0.002).abs() < 1e-9, "{}", counted.sum);
        assert!(counted.buckets().contains(&(0.0025, 1)), "{counted:?}");
    }

    #[test]
    fn a_quantile_lies_within_its_bucket() {
        let histogram = Histogram::new(&DURATIONS);
        assert_eq!(histogram.counted().quantile(0.5), None);
        let before = histogram.counted();
        for _ in 0..98 {
            histogram.took(Duration::from_micros(700));
        }
        histogram.took(Duration::from_millis(40));
        histogram.took(Duration::from_secs(100));
        let counted = histogram.counted();
        let of = |part: f64| counted.quantile(part).unwrap_or_default();
        assert!(of(0.5) > 0.0005 && of(0.5) <= 0.001, "{}", of(0.5));
        assert!(of(0.99) > 0.025 && of(0.99) <= 0.05, "{}", of(0.99));
        assert!((of(1.0) - 10.0).abs() < f64::EPSILON, "{}", of(1.0));
        assert_eq!(counted.since(&before).count(), 100);
        assert_eq!(counted.since(&counted).quantile(0.99), None);
    }
}
