//! Taking what others read too as they get it.

use std::sync::Arc;

use super::{Reader, round::Round};
use crate::engine::{Batch, Left, Link};

impl Reader {
    /// From now on, what others read too may come as one batch, see [`Self::take_batch`].
    pub(crate) fn sharing(self) -> Self {
        Self { shares: true, ..self }
    }

    /// What the last look gave in front of the bytes that it appended.
    pub(crate) fn take_batch(&mut self) -> Option<Batch> {
        self.told.batch.take()
    }

    /// Takes the channel's next records as the batch that others get. Returns how many, or gives the link back where there is nothing
    /// to share.
    pub(super) fn take_shared(
        &mut self,
        link: Arc<Link>,
        round: &mut Round,
        budget: usize,
    ) -> Result<u64, Arc<Link>> {
        let (batches, cursor) = (&self.log.batches, &mut self.cursor);
        let taken = link.log.take_joined(batches, &link, cursor, round.limit, budget);
        let Some((joined, left)) = taken else {
            return Err(link);
        };
        self.told.first.get_or_insert(joined.first);
        self.told.batch = Some(joined.batch);
        match left {
            Left::Nothing => {}
            Left::Beyond => self.ready.push(link),
            Left::More | Left::InStore => round.unread.push(link),
        }
        Ok(joined.records)
    }
}
