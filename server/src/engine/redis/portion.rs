//! [`Portion`]: a part of a channel's records.

use logs_shared::{Channel, RecordId};

use super::{Away, Block, RedisStore, scripts, store::run};
use crate::engine::{Stamp, tail::Stored};

/// A part of a channel's records, as one look found it.
pub(in crate::engine) struct Portion {
    /// Up to here retention has taken everything.
    pub(in crate::engine) trimmed_to: RecordId,
    /// The oldest record that is left; `None` where none is.
    pub(in crate::engine) first_id: Option<RecordId>,
    /// In the order that was asked for.
    pub(in crate::engine) records: Vec<Stored>,
    /// Whether these are all that were asked for.
    pub(in crate::engine) is_all: bool,
}

/// What [`scripts::READ`] gives.
type Answer = (u8, u64, String, String, Vec<(String, String, Vec<u8>)>);

impl RedisStore {
    /// Records of the channel after `after` and up to `limit`, the oldest first, about so many bytes; at least one
    /// where there is one.
    pub(in crate::engine) fn read_after(
        &self,
        channel: &Channel,
        after: RecordId,
        limit: RecordId,
        bytes: u64,
    ) -> Result<Portion, Away> {
        self.read(channel, after, limit, bytes, false)
    }

    /// Records of the channel up to `limit`, the newest first, about so many bytes; at least one where there is one.
    pub(in crate::engine) fn read_newest(
        &self,
        channel: &Channel,
        limit: RecordId,
        bytes: u64,
    ) -> Result<Portion, Away> {
        self.read(channel, RecordId::ZERO, limit, bytes, true)
    }

    fn read(
        &self,
        channel: &Channel,
        mut after: RecordId,
        mut limit: RecordId,
        bytes: u64,
        is_newest: bool,
    ) -> Result<Portion, Away> {
        loop {
            let mut question = redis::cmd("EVALSHA");
            question.arg(scripts::READ.get_hash()).arg(0);
            question.arg(&self.settings().prefix).arg(channel.as_str());
            question.arg(after.to_string()).arg(limit.to_string());
            question
                .arg(bytes)
                .arg(if is_newest { "newest" } else { "oldest" });
            let (is_all, kept, first_id, trimmed_to, blocks): Answer =
                self.ask(|connection| run(connection, &scripts::READ, &question))?;
            let trimmed_to = trimmed_to.parse().unwrap_or(RecordId::ZERO);
            let mut records = Vec::new();
            let mut reached = None;
            for (last_id, count, data) in &blocks {
                let Ok(last_id) = last_id.parse::<RecordId>() else {
                    continue;
                };
                let count = count.parse::<u64>().ok();
                reached = Some((last_id, count.unwrap_or(1)));
                let block = count.map(|count| Block::new(last_id, count, data));
                let read = block.map(|block| block.and_then(|block| block.read(Stamp::UNKNOWN)));
                let Some(Ok(mut read)) = read else {
                    self.warn_damaged(channel, last_id);
                    continue;
                };
                read.retain(|record| record.id > after.max(trimmed_to) && record.id <= limit);
                if is_newest {
                    read.reverse();
                }
                records.append(&mut read);
            }
            let is_all = is_all == 1 || reached.is_none();
            // Where nothing could be read, what lies behind it is looked for.
            match reached {
                Some((last_id, count)) if records.is_empty() && !is_all => {
                    if is_newest {
                        // Before its first record: a limit within the block would find it again.
                        let first_seq = last_id.seq.saturating_sub(count.saturating_sub(1));
                        limit = RecordId::new(last_id.ms, first_seq).previous();
                    } else {
                        after = last_id;
                    }
                }
                _ => {
                    return Ok(Portion {
                        trimmed_to,
                        first_id: (kept > 0).then(|| first_id.parse().ok()).flatten(),
                        records,
                        is_all,
                    });
                }
            }
        }
    }
}
