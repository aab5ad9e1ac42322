//! [`Work`]: what the writer has done, counted.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use super::stamp::Stamp;
use crate::histogram::{BATCHES, DURATIONS, Histogram};

/// What the writer has done since the log was opened, counted once a batch; and its clock.
pub(crate) struct Work {
    opened: Instant,
    /// Bytes of the records appended, as readers get them.
    bytes: AtomicU64,
    /// How long appends took, from when they were asked for until they were answered.
    pub(crate) appends: Histogram,
    /// Records stored together.
    pub(crate) batches: Histogram,
    /// How long it took to give a batch to the store.
    pub(crate) writes: Histogram,
}

impl Work {
    pub(super) fn new() -> Self {
        Self {
            opened: Instant::now(),
            bytes: AtomicU64::new(0),
            appends: Histogram::new(&DURATIONS),
            batches: Histogram::new(&BATCHES),
            writes: Histogram::new(&DURATIONS),
        }
    }

    /// Counts a batch that can be read now.
    pub(super) fn stored(&self, records: u64, bytes: usize) {
        self.batches.observe(records);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Now, by the log's clock.
    pub(crate) fn now(&self) -> Stamp {
        Stamp::new(self.now_us())
    }

    /// Microseconds since the log was opened.
    pub(crate) fn now_us(&self) -> u64 {
        crate::quantity::micros(self.opened.elapsed())
    }
}
