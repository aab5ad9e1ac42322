//! What many readers get of a channel as the same bytes.

use std::sync::Arc;

use logs_shared::RecordId;

use super::{ChannelLog, LOOKS_PER_LOCK, Left, State};
use crate::engine::{
    Batch, Stored,
    batches::{Batches, Joined, Of},
    lock, read,
    watch::Link,
};

impl ChannelLog {
    /// As [`Self::take`], of records that the tail has, about `budget` bytes at once, joined once for all readers that come to the same
    /// record and want the same. `None` where there is nothing to share: then nothing has happened.
    pub(crate) fn take_joined(
        &self,
        batches: &Batches,
        link: &Arc<Link>,
        cursor: &mut RecordId,
        limit: RecordId,
        budget: usize,
    ) -> Option<(Joined, Left)> {
        let state = read(&self.state);
        if state.links.len() < 2 || *cursor < state.tail_from {
            return None;
        }
        let of = Of {
            channel: self.serial,
            selection: link.selection(*cursor)?,
            first: state.tail.after(*cursor).next()?.id,
            budget,
        };
        // One that ends where there is more by now would cost its readers another write each.
        let is_whole = |known: &Joined| {
            known.to <= limit && (known.is_full || state.next_after(known.to).is_none_or(|next| next > limit))
        };
        let joined = match batches.find(&of).filter(is_whole) {
            Some(known) => known,
            None => {
                let joined = state.join(link, *cursor, limit, budget)?;
                batches.put(of, joined.clone());
                joined
            }
        };
        *cursor = joined.to;
        let left = match state.next_after(joined.to) {
            Some(next) if next > limit => Left::Beyond,
            Some(_) => Left::More,
            None => {
                link.unmark(&mut lock(&state.idle));
                Left::Nothing
            }
        };
        Some((joined, left))
    }
}

impl State {
    /// The oldest record in the tail after this one.
    fn next_after(&self, id: RecordId) -> Option<RecordId> {
        if self.tail.last_id().is_none_or(|last| last <= id) {
            return None;
        }
        self.tail.after(id).next().map(|record| record.id)
    }

    /// Joins what the reader wants after the cursor and up to `limit`. `None` where nothing is.
    fn join(&self, link: &Link, cursor: RecordId, limit: RecordId, budget: usize) -> Option<Joined> {
        let mut wanted: Vec<&Stored> = Vec::new();
        let (mut to, mut bytes, mut is_full) = (cursor, 0, false);
        for (looks, record) in (1..).zip(self.tail.after(cursor)) {
            if record.id > limit {
                break;
            }
            to = record.id;
            if link.wants(record) {
                bytes += record.frame.len();
                wanted.push(record);
            }
            is_full = bytes >= budget || looks == LOOKS_PER_LOCK;
            if is_full {
                break;
            }
        }
        let first = wanted.first()?;
        Some(Joined {
            batch: Batch::join(wanted.iter().map(|record| &*record.frame)),
            records: wanted.len() as u64,
            first: (first.id, first.stamp),
            to,
            is_full,
        })
    }
}
