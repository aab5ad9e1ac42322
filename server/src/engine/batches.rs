//! [`Batches`]: what was joined for one reader, for the others that read the same.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use logs_shared::{Level, RecordId};

use super::{Batch, Stamp, lock};

/// The batches that were joined last: found by readers of the same channel that want the same of it and come to the same record.
/// Each has a place by what it is, and gives way to the next one there. So what they take is bounded by the number of places, whatever
/// channels there are: 4 MiB, or five times that where records are as large as they may be.
pub(crate) struct Batches([Mutex<Option<(Of, Joined)>>; PLACES]);

const PLACES: usize = 64;

/// What a batch is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Of {
    /// The channel's serial number.
    pub(super) channel: u64,
    pub(super) selection: Selection,
    /// The first record that was looked at.
    pub(super) first: RecordId,
    /// About how many bytes were wanted at most.
    pub(super) budget: usize,
}

/// Which records of a channel a reader wants: those of two equal ones are the same.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Selection {
    pub(super) level: Option<Level>,
    /// The serial number of the conditions.
    pub(super) conditions: Option<u64>,
}

/// A batch, and what is in it.
#[derive(Clone)]
pub(crate) struct Joined {
    pub(crate) batch: Batch,
    /// How many records.
    pub(crate) records: u64,
    /// The first of them.
    pub(crate) first: (RecordId, Stamp),
    /// The last record that was looked at.
    pub(super) to: RecordId,
    /// Whether it ends because there would have been too much.
    pub(super) is_full: bool,
}

impl Batches {
    pub(super) fn new() -> Self {
        Self([const { Mutex::new(None) }; PLACES])
    }

    pub(super) fn find(&self, of: &Of) -> Option<Joined> {
        let place = lock(self.place(of));
        let (known, joined) = place.as_ref()?;
        (known == of).then(|| joined.clone())
    }

    pub(super) fn put(&self, of: Of, joined: Joined) {
        // What was there is let go of after the lock.
        let _before = lock(self.place(&of)).replace((of, joined));
    }

    fn place(&self, of: &Of) -> &Mutex<Option<(Of, Joined)>> {
        let id = of.first.ms.wrapping_mul(31).wrapping_add(of.first.seq);
        let mixed = (id ^ of.channel.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        &self.0[(mixed >> 32) as usize % PLACES]
    }
}

/// A number that nothing else has.
pub(super) fn serial() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
