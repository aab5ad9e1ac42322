//! Which channels there are in Redis, and what is kept of them.

use std::collections::HashSet;

use logs_shared::{Channel, ChannelPattern, RecordId};
use redis::Cmd;

use super::{Away, RedisStore, marks::Row};
use crate::engine::store::{Kept, after_prefix, place_of};

/// The fields of a channel's row, in the order of [`read_kept`].
const KEPT: [&str; 5] = ["n", "b", "f", "l", "t"];
/// Channels that are asked for at once.
const CHANNELS_AT_ONCE: usize = 256;

impl RedisStore {
    /// What is kept of this channel, where it has ever had a record that has not been forgotten.
    pub(in crate::engine) fn kept(&self, channel: &Channel) -> Result<Option<Kept>, Away> {
        let row: Row = self.ask(|connection| self.kept_question(channel).query(connection))?;
        Ok(read_kept(channel, &row))
    }

    fn kept_question(&self, channel: &Channel) -> Cmd {
        let mut question = redis::cmd("HMGET");
        question.arg(self.key("c:") + channel.as_str()).arg(&KEPT);
        question
    }

    /// Every channel that a pattern chooses, to `each`, as long as it returns true.
    pub(in crate::engine) fn each_chosen(
        &self,
        pattern: &ChannelPattern,
        mut each: impl FnMut(Channel, Kept) -> bool,
    ) -> Result<(), Away> {
        let (order, prefix) = place_of(pattern);
        let end = [b"(", &after_prefix(&prefix)[..]].concat();
        let mut from = [b"[", &prefix[..]].concat();
        loop {
            let mut question = redis::cmd("ZRANGEBYLEX");
            question.arg(self.key("dir")).arg(&from).arg(&end);
            question.arg("LIMIT").arg(0).arg(CHANNELS_AT_ONCE);
            let places: Vec<Vec<u8>> = self.ask(|connection| question.query(connection))?;
            let Some(last) = places.last() else {
                return Ok(());
            };
            from = [b"(", &last[..]].concat();
            // What is no place of a channel, no gateway has put there.
            let channels: Vec<_> = places.iter().filter_map(|place| order.channel(place)).collect();
            let rows: Vec<Row> = self.ask(|connection| {
                let mut questions = redis::pipe();
                for channel in &channels {
                    questions.add_command(self.kept_question(channel));
                }
                questions.query(connection)
            })?;
            for (channel, row) in channels.into_iter().zip(rows) {
                // Between two looks it may have been forgotten.
                let kept = read_kept(&channel, &row);
                if kept.is_some_and(|kept| !each(channel, kept)) {
                    return Ok(());
                }
            }
        }
    }

    /// The millisecond of the oldest record of all; `None` where there is none.
    pub(in crate::engine) fn oldest_ms(&self) -> Result<Option<u64>, Away> {
        let mut question = redis::cmd("ZRANGE");
        question.arg(self.key("oldest")).arg(0).arg(0).arg("WITHSCORES");
        let oldest: Vec<(String, f64)> = self.ask(|connection| question.query(connection))?;
        // Milliseconds are far below the numbers that a float does not hold.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let ms = oldest.first().map(|(_, ms)| *ms as u64);
        Ok(ms)
    }

    /// Every channel that may have a record after this one, in any order.
    pub(in crate::engine) fn active_after(&self, id: RecordId) -> Result<Vec<Channel>, Away> {
        let (mut from, mut count) = (id.ms, 4 * CHANNELS_AT_ONCE);
        let mut found = HashSet::new();
        loop {
            let mut question = redis::cmd("ZRANGEBYSCORE");
            question.arg(self.key("recent")).arg(from).arg("+inf");
            question.arg("WITHSCORES").arg("LIMIT").arg(0).arg(count);
            let names: Vec<(String, f64)> = self.ask(|connection| question.query(connection))?;
            let (read, last) = (names.len(), names.last().map(|(_, ms)| *ms));
            found.extend(
                names
                    .into_iter()
                    .filter_map(|(name, _)| name.parse::<Channel>().ok()),
            );
            match last {
                Some(last) if read == count => {
                    // Milliseconds are far below the numbers that a float does not hold.
                    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                    let last = last as u64;
                    // All of one millisecond must come at once.
                    if last == from {
                        count *= 2;
                    }
                    from = last;
                }
                _ => return Ok(found.into_iter().collect()),
            }
        }
    }
}

fn read_kept(channel: &Channel, row: &[Option<String>]) -> Option<Kept> {
    let text = |at: usize| row.get(at)?.as_deref();
    let records = text(0)?;
    let read = || {
        Some(Kept {
            number: 1,
            records: records.parse().ok()?,
            bytes: text(1)?.parse().ok()?,
            first_id: text(2)?.parse().ok()?,
            last_id: text(3)?.parse().ok()?,
            trimmed_to: text(4)?.parse().ok()?,
        })
    };
    let kept = read();
    if kept.is_none() {
        tracing::error!(%channel, "what Redis keeps of a channel cannot be read");
    }
    kept
}
