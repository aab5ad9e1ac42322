//! [`Histogram`]: how often something took how long, each time counted.

use crate::outcome::Latency;

/// Powers of two are split into this many buckets, so that a figure is right within 1.6 %.
const SPLIT_BITS: u32 = 6;
const SPLIT: u64 = 1 << SPLIT_BITS;

/// Times in microseconds, counted in buckets whose width grows with what they stand for.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    max: u64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self {
            buckets: vec![0; bucket(u64::MAX) + 1],
            count: 0,
            max: 0,
        }
    }

    pub(crate) fn add(&mut self, us: u64) {
        self.buckets[bucket(us)] += 1;
        self.count += 1;
        self.max = self.max.max(us);
    }

    pub(crate) fn latency(&self) -> Latency {
        Latency {
            p50: self.quantile(500),
            p99: self.quantile(990),
            p999: self.quantile(999),
            max: self.max,
        }
    }

    /// What so many of 1,000 were not above: the upper end of the bucket in which the last of them is.
    fn quantile(&self, of_thousand: u64) -> u64 {
        let wanted = (self.count * of_thousand).div_ceil(1000);
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted && seen > 0 {
                return upper_end(index).min(self.max);
            }
        }
        0
    }
}

fn bucket(us: u64) -> usize {
    let exponent = (64 - us.leading_zeros()).saturating_sub(SPLIT_BITS + 1);
    let within = us >> exponent;
    usize::try_from(u64::from(exponent) * SPLIT + within).unwrap_or(usize::MAX)
}

fn upper_end(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    // The first 2 × SPLIT buckets have the exponent 0; after them SPLIT to SPLIT × 2 - 1 stand behind each exponent.
    let exponent = (bucket / SPLIT).saturating_sub(1);
    let within = bucket - exponent * SPLIT;
    (within << exponent) + ((1 << exponent) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_within_its_bucket_and_no_wider_than_a_sixtieth() {
        for us in (0..5000)
            .chain((0..50).map(|power| 3_u64.wrapping_pow(power % 40)))
            .chain([u64::MAX])
        {
            let end = upper_end(bucket(us));
            assert!(end >= us, "{us} is above the end {end} of its bucket");
            assert!(end - us <= us / 60, "{us} is told as {end}");
        }
    }

    #[test]
    fn quantiles_are_those_of_what_was_counted() {
        let mut times = Histogram::new();
        (1..=1000).for_each(|us| times.add(us));
        let told = times.latency();
        assert!((500..=508).contains(&told.p50), "{told:?}");
        assert!((990..=1000).contains(&told.p99), "{told:?}");
        assert!((999..=1000).contains(&told.p999), "{told:?}");
        assert_eq!(told.max, 1000);
        assert_eq!(Histogram::new().latency().p99, 0);
    }
}
