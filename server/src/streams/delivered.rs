//! [`Delivered`]: what was handed to streams.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use logs_shared::event::GapReason;

use crate::histogram::{DURATIONS, Histogram};

/// What was handed to streams since the start. Counted once a chunk, which is everything that is pending for a stream.
pub(crate) struct Delivered {
    /// Records, once a stream.
    records: AtomicU64,
    /// Bytes of everything, heartbeats too.
    bytes: AtomicU64,
    /// How old the oldest record of a chunk was, where its stream was up to date before.
    pub(crate) ages: Histogram,
    gaps: [AtomicU64; REASONS.len()],
}

/// Why a stream is told of a gap, as it is told.
const REASONS: [(GapReason, &str); 4] = [
    (GapReason::Retention, "retention"),
    (GapReason::Restart, "restart"),
    (GapReason::UnknownCursor, "unknown_cursor"),
    (GapReason::Other, "other"),
];

impl Delivered {
    pub(super) fn new() -> Self {
        Self {
            records: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            ages: Histogram::new(&DURATIONS),
            gaps: Default::default(),
        }
    }

    pub(super) fn add_records(&self, records: u64, age: Option<Duration>) {
        self.records.fetch_add(records, Ordering::Relaxed);
        if let Some(age) = age {
            self.ages.took(age);
        }
    }

    pub(super) fn add_bytes(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn add_gap(&self, reason: GapReason) {
        let place = REASONS.iter().position(|(known, _)| *known == reason);
        if let Some(count) = place.and_then(|place| self.gaps.get(place)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Gaps that streams were told of, by reason: every reason there is.
    pub(crate) fn gaps(&self) -> Vec<(&'static str, u64)> {
        let names = REASONS.iter().map(|(_, name)| *name);
        let counts = self.gaps.iter().map(|count| count.load(Ordering::Relaxed));
        names.zip(counts).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_for_a_gap_is_counted_as_it_is_told() {
        let delivered = Delivered::new();
        for (count, (reason, name)) in REASONS.into_iter().enumerate() {
            assert_eq!(serde_json::to_value(reason).unwrap(), name);
            (0..=count).for_each(|_| delivered.add_gap(reason));
        }
        let counts: Vec<_> = delivered.gaps().into_iter().map(|(_, count)| count).collect();
        assert_eq!(counts, [1, 2, 3, 4]);
    }
}
