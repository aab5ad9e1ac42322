//! What the store has for a reader where a channel's tail does not reach back.

use logs_shared::{RecordId, event::GapReason};

use super::{ChannelLog, Found, Left};
use crate::engine::{
    Log,
    keeping::{Keeping, StoreAway},
    lock, read,
    redis::RedisStore,
    store::Store,
    tail::Stored,
    watch::Link,
};

/// How much of a channel's newest records is fetched at once.
const NEWEST_BYTES: u64 = 128 << 10;

impl ChannelLog {
    /// As [`Self::take`], from the store: what the tail does not reach back to. About `budget` bytes are
    /// looked at. What cannot be read is a gap; where the store is away, nothing has happened. Blocks.
    pub(crate) fn fetch(
        &self,
        log: &Log,
        link: &Link,
        cursor: &mut RecordId,
        limit: RecordId,
        budget: u64,
        each: impl FnMut(Found<'_>),
    ) -> Result<Left, StoreAway> {
        Ok(match &log.keeping {
            Keeping::Memory => Left::More,
            Keeping::Disk(store) => self.fetch_from_disk(log, store, link, cursor, limit, budget, each),
            Keeping::Redis(store) => self.fetch_from_redis(log, store, link, cursor, limit, budget, each)?,
        })
    }

    #[expect(clippy::too_many_arguments)]
    fn fetch_from_disk(
        &self,
        log: &Log,
        store: &Store,
        link: &Link,
        cursor: &mut RecordId,
        limit: RecordId,
        budget: u64,
        mut each: impl FnMut(Found<'_>),
    ) -> Left {
        let (number, tail_from) = {
            let state = read(&self.state);
            (state.kept.number, state.tail_from)
        };
        let start = *cursor;
        let mut found = Vec::new();
        let mut looked = 0;
        let mut left = None;
        let looked_through = store.each_after(number, start, |record| {
            if record.id > limit {
                left = Some(Left::Beyond);
                return false;
            }
            *cursor = record.id;
            looked += record.bytes();
            found.push(record.to_stored());
            if looked >= budget {
                left = Some(Left::More);
            }
            looked < budget
        });
        if let Err(error) = looked_through {
            log.fail_reading(&error);
            *cursor = tail_from;
            each(Found::Gap {
                from: start,
                to: tail_from.next(),
                reason: GapReason::Other,
            });
            return Left::More;
        }
        // Up to there nothing was left that had not been looked at. The rest is in the tail, or was appended meanwhile.
        if left.is_none() {
            *cursor = tail_from.max(*cursor);
        }
        // Retention may have taken some of it meanwhile: it says so before it does.
        let state = read(&self.state);
        let trimmed_to = state.kept.trimmed_to;
        if let Some((gap, _)) = state.gap_after(start) {
            *cursor = trimmed_to.max(*cursor);
            each(gap);
        }
        drop(state);
        for record in found
            .iter()
            .filter(|record| record.id > trimmed_to && link.wants(record))
        {
            each(Found::Record(record));
        }
        left.unwrap_or(Left::More)
    }

    /// As [`Self::fetch`].
    #[expect(clippy::too_many_arguments)]
    fn fetch_from_redis(
        &self,
        log: &Log,
        store: &RedisStore,
        link: &Link,
        cursor: &mut RecordId,
        limit: RecordId,
        budget: u64,
        mut each: impl FnMut(Found<'_>),
    ) -> Result<Left, StoreAway> {
        let (mut until, newest_known) = {
            let state = read(&self.state);
            // The rest is in the tail.
            (limit.min(state.tail_from), state.kept.last_id)
        };
        let start = *cursor;
        if until <= start {
            return Ok(Left::More);
        }
        // What Redis has lost, and is not in the tail either.
        let lost = *lock(&log.lost);
        if let Some((from, to)) = lost
            .map(|(from, to)| (from, to.min(until)))
            .filter(|(_, to)| start < *to)
        {
            if start >= from {
                *cursor = to;
                each(Found::Gap {
                    from: start,
                    to: to.next(),
                    reason: GapReason::Restart,
                });
                return Ok(Left::More);
            }
            until = from.min(until);
        }
        let found = store.read_after(link.log.channel(), start, until, budget)?;
        let was_forgotten = found.first_id.is_none() && found.trimmed_to == RecordId::ZERO;
        let missing_to = if was_forgotten {
            newest_known.min(until)
        } else {
            found.trimmed_to.min(until)
        };
        if start < missing_to {
            let to = match found.first_id {
                Some(first_id) if found.trimmed_to < until => first_id,
                _ => missing_to.next(),
            };
            *cursor = missing_to;
            each(Found::Gap {
                from: start,
                to,
                reason: GapReason::Retention,
            });
        }
        let start = *cursor;
        for record in found.records.iter().filter(|record| record.id > start) {
            *cursor = record.id;
            if link.wants(record) {
                each(Found::Record(record));
            }
        }
        if found.is_all || found.records.is_empty() {
            *cursor = until.max(*cursor);
        }
        Ok(Left::More)
    }

    /// Gives the newest records up to `limit` to `each`, the newest first, as long as it returns true.
    /// The lock is held for a portion of them at a time, and never while `each` looks at one. Blocks
    /// where it comes to records that only the store has.
    pub(crate) fn newest(
        &self,
        log: &Log,
        mut limit: RecordId,
        mut each: impl FnMut(&Stored) -> bool,
    ) -> Result<(), StoreAway> {
        const PORTION: usize = 256;
        let kept = loop {
            let (portion, kept): (Vec<Stored>, _) = {
                let state = read(&self.state);
                let newest = state.tail.newest_up_to(limit).take(PORTION).cloned();
                (newest.collect(), state.kept)
            };
            if !portion.iter().all(&mut each) {
                return Ok(());
            }
            if let Some(oldest) = portion.last() {
                limit = oldest.id.previous();
            }
            if portion.len() < PORTION {
                break kept;
            }
        };
        if let Some(store) = log.disk()
            && kept.number != 0
            && kept.trimmed_to < limit
        {
            let looked_through = store.each_newest(kept.number, limit, |record| {
                record.id > kept.trimmed_to && each(&record.to_stored())
            });
            if let Err(error) = looked_through {
                log.fail_reading(&error);
            }
        }
        if let Some(store) = log.keeping.redis() {
            loop {
                let portion = store.read_newest(&self.channel, limit, NEWEST_BYTES)?;
                if !portion.records.iter().all(&mut each) || portion.is_all {
                    break;
                }
                let Some(oldest) = portion.records.last() else {
                    break;
                };
                limit = oldest.id.previous();
            }
        }
        Ok(())
    }
}
