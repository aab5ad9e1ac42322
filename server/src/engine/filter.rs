//! [`Filter`]: which records of a channel a reader wants.

use std::sync::{Arc, Weak};

use logs_shared::{Conditions, Level, RecordId};

use super::{
    Stored,
    batches::{Selection, serial},
    tail::VERDICTS,
    watch::Wanted,
};

/// Which records of a channel a reader wants.
pub(super) struct Filter {
    from: RecordId,
    level: Option<Level>,
    conditions: Option<Arc<Shared>>,
}

/// Conditions that readers of one channel have in common: what they say about a record is found once,
/// whoever asks first, and kept with the record.
pub(super) struct Shared {
    /// No others have it.
    serial: u64,
    conditions: Conditions,
    /// Where records keep the verdict; `None` where all places are taken.
    place: Option<usize>,
    /// Records up to here may have the verdict of others in that place.
    since: RecordId,
}

/// The conditions that readers of one channel have in common.
#[derive(Default)]
pub(super) struct Slots(Vec<Weak<Shared>>);

impl Filter {
    pub(super) fn new(wanted: &Wanted, slots: &mut dyn FnMut(&Conditions) -> Arc<Shared>) -> Self {
        let conditions = &wanted.interest.conditions;
        Self {
            from: wanted.from,
            level: wanted.interest.level,
            conditions: (!conditions.is_empty()).then(|| slots(conditions)),
        }
    }

    /// Which records pass of those after the cursor. `None` where that depends on more than level and conditions.
    pub(super) fn selection(&self, cursor: RecordId) -> Option<Selection> {
        (self.from <= cursor).then(|| Selection {
            level: self.level,
            conditions: self.conditions.as_ref().map(|shared| shared.serial),
        })
    }

    pub(super) fn passes(&self, record: &Stored) -> bool {
        record.id > self.from
            && record.is_at_least(self.level)
            && self.conditions.as_ref().is_none_or(|shared| shared.hold(record))
    }
}

impl Shared {
    fn hold(&self, record: &Stored) -> bool {
        let find = || {
            #[cfg(test)]
            LOOKED.with(|looked| looked.set(looked.get() + 1));
            self.conditions.matches_json(record.json())
        };
        match self.place {
            Some(place) if record.id > self.since => record.verdict(place, find),
            _ => find(),
        }
    }
}

#[cfg(test)]
thread_local! {
    /// How often conditions were looked at on this thread.
    static LOOKED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
pub(super) fn looked() -> usize {
    LOOKED.with(std::cell::Cell::get)
}

impl Slots {
    /// The conditions as others have them already, or in a place of their own. `last_id` is the channel's
    /// newest record.
    pub(super) fn share(&mut self, conditions: &Conditions, last_id: RecordId) -> Arc<Shared> {
        let known = self.0.iter().filter_map(Weak::upgrade);
        if let Some(shared) = { known }.find(|shared| shared.conditions == *conditions) {
            return shared;
        }
        let free = self.0.iter().position(|shared| shared.strong_count() == 0);
        let place = free.or_else(|| {
            (self.0.len() < VERDICTS).then(|| {
                self.0.push(Weak::new());
                self.0.len() - 1
            })
        });
        let shared = Arc::new(Shared {
            serial: serial(),
            conditions: conditions.clone(),
            place,
            since: last_id,
        });
        if let Some(place) = place {
            self.0[place] = Arc::downgrade(&shared);
        }
        shared
    }
}
