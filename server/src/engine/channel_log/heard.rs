//! A channel to which others publish: what is heard of it.

use logs_shared::RecordId;

use super::{ChannelLog, State, UNHEARD};
use crate::engine::{redis::Portion, tail::Stored, waking::Waking, write};

impl ChannelLog {
    /// Appends what others have published, and marks the readers that must look. What was heard before is passed over.
    /// Returns the bytes of memory that took.
    pub(in crate::engine) fn hear(&self, records: Vec<Stored>, waking: &mut Waking) -> u64 {
        let mut state = write(&self.state);
        let Some(last_id) = records.last().map(|record| record.id) else {
            return 0;
        };
        if last_id <= state.kept.last_id {
            return 0;
        }
        let took = if state.tail_from == UNHEARD {
            // One from before may be missing in front of it. Where it begins to be heard, it begins after this.
            state.kept.last_id = last_id;
            0
        } else {
            state.push_new(records)
        };
        state.mark_idle(waking);
        took
    }

    /// From this record on, all that is published is heard, but for what was heard and passed over.
    pub(in crate::engine) fn hear_from(&self, id: RecordId) {
        let mut state = write(&self.state);
        if state.tail_from == UNHEARD {
            state.tail_from = id.max(state.kept.last_id);
        }
    }

    /// Nothing was heard for a while after `from`, and this was published meanwhile: everything up to `to`, where it is known.
    /// Marks the readers that must look. Returns the bytes of memory that took, and those that it gave back.
    pub(in crate::engine) fn make_up(
        &self,
        from: RecordId,
        to: RecordId,
        missed: Option<Portion>,
        waking: &mut Waking,
    ) -> (u64, u64) {
        let mut state = write(&self.state);
        state.mark_all(waking);
        let missed = missed.filter(|missed| missed.is_all && missed.trimmed_to <= from);
        let Some(missed) = missed else {
            return (0, state.restart_tail(to));
        };
        if state.tail_from == UNHEARD {
            state.tail_from = from.max(state.kept.last_id);
        }
        (state.push_new(missed.records), 0)
    }

    /// All that there was up to this record is lost, to the readers too that have not read it yet; what came after it and
    /// up to `from` is not in the tail. Returns the bytes of memory that gave.
    pub(in crate::engine) fn lose_up_to(&self, id: RecordId, from: RecordId, waking: &mut Waking) -> u64 {
        let mut state = write(&self.state);
        state.mark_all(waking);
        state.lost_to = id;
        if state.tail_from == UNHEARD {
            return 0;
        }
        state.restart_tail(from)
    }

    /// Lets go of the tail. Returns the bytes of memory that gave.
    pub(in crate::engine) fn clear(&self) -> u64 {
        std::mem::take(&mut write(&self.state).tail).bytes()
    }
}

impl State {
    /// Adds what was not there yet. Returns the bytes of memory that took.
    fn push_new(&mut self, records: Vec<Stored>) -> u64 {
        let (last_id, before) = (self.kept.last_id, self.tail.bytes());
        for record in records.into_iter().filter(|record| record.id > last_id) {
            self.kept.gain(1, record.cost(), record.id, record.id);
            self.tail.push(record);
        }
        self.tail.bytes() - before
    }

    /// The tail begins anew after this record. Returns the bytes of memory that gave.
    fn restart_tail(&mut self, id: RecordId) -> u64 {
        self.tail_from = id.max(self.kept.last_id);
        std::mem::take(&mut self.tail).bytes()
    }
}
