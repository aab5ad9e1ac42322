//! [`Message`]: what gateways tell each other.

use std::cmp::Reverse;

use logs_shared::{ChannelPattern, StreamChanged, overview::Stats};
use serde::{Deserialize, Serialize};

use super::{NodeId, revoked::Mark};

/// A question, or the answer to one.
#[derive(Serialize, Deserialize)]
pub(super) struct Message {
    /// Which question, by a random number.
    pub(super) id: u64,
    /// Who says it.
    pub(super) from: NodeId,
    pub(super) said: Said,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Said {
    Ask(Question),
    Answer(Answer),
}

/// What one gateway asks of another.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Question {
    /// To change what a stream follows.
    Change {
        stream_id: String,
        /// The change as its body has it.
        body: String,
        /// What the caller's streams count for.
        owner: String,
        /// What the caller may see. Everything is a pattern too, so that what is not said is nothing.
        scope: Vec<ChannelPattern>,
    },
    /// To end a stream.
    Close { name: String },
    /// To let some no more, or let them again.
    Revoke(Vec<(String, Mark)>),
    /// What it is doing.
    Stats { rows: usize },
}

/// What the other one answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    Changed(StreamChanged),
    /// So many streams end.
    Closed(usize),
    Stats(Box<Stats>),
    /// No stream is known by that id to that caller.
    UnknownStream,
    /// The stream would follow too much.
    TooManyPatterns,
    /// It does not understand.
    Refused,
}

/// The longest message that is read, in bytes. What Redis holds back for a subscriber is bounded too (8 MB for longer than a
/// minute, 32 MB at any time, as it comes).
pub(super) const MAX_BYTES: usize = 4 << 20;
/// The longest that rows of statistics are in a message, of streams and of channels each: many gateways answer at once.
const MAX_ROWS_BYTES: usize = 512 << 10;

/// Leaves of statistics what can be told to another gateway: of more rows those that say most. Blocks.
pub(crate) fn in_short(stats: &mut Stats) {
    stats.by_connection.sort_by_key(|row| Reverse(row.lag_ms));
    stats
        .by_channel
        .sort_by_key(|row| Reverse((row.per_second.to_bits(), row.last_id)));
    stats.more_connections += shorten(&mut stats.by_connection);
    stats.more_channels += shorten(&mut stats.by_channel);
}

/// Leaves the first rows, and says how many there are no more. Looks at no more than it leaves: a row may have thousands of bytes.
fn shorten<T: Serialize>(rows: &mut Vec<T>) -> usize {
    let (all, mut bytes) = (rows.len(), 0);
    let is_too_much = |row: &T| {
        bytes += serde_json::to_vec(row).map_or(MAX_ROWS_BYTES, |row| row.len() + 1);
        bytes > MAX_ROWS_BYTES
    };
    if let Some(most) = rows.iter().position(is_too_much) {
        rows.truncate(most);
    }
    all - rows.len()
}

impl Message {
    /// Its bytes, where they are not too many.
    pub(super) fn encode(&self) -> Option<Vec<u8>> {
        let bytes = serde_json::to_vec(self).ok()?;
        (bytes.len() <= MAX_BYTES).then_some(bytes)
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        (bytes.len() <= MAX_BYTES)
            .then(|| serde_json::from_slice(bytes).ok())
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(said: Said) -> Message {
        Message {
            id: u64::MAX,
            from: NodeId::random(),
            said,
        }
    }

    #[test]
    fn a_question_is_read_as_it_was_said_and_nothing_else_is_read() {
        let asked = message(Said::Ask(Question::Close { name: "7".to_owned() }));
        let from = asked.from;
        let bytes = asked.encode().unwrap();
        let read = Message::decode(&bytes).unwrap();
        assert_eq!((read.id, read.from), (u64::MAX, from));
        assert!(matches!(read.said, Said::Ask(Question::Close { name }) if name == "7"));
        for other in [
            b"".as_slice(),
            b"[]",
            br#"{"id":1,"from":"00000000000000AB","said":{"ask":{"stats":{"rows":1}}}}"#,
            br#"{"id":1,"from":"00000000000000ab","said":{"ask":{"stop":{}}}}"#,
        ] {
            assert!(
                Message::decode(other).is_none(),
                "{}",
                String::from_utf8_lossy(other)
            );
        }
        assert!(Message::decode(&vec![b' '; MAX_BYTES + 1]).is_none());
    }

    #[test]
    fn who_may_see_what_is_not_said_may_see_nothing() {
        let unsaid = br#"{"id":1,"from":"00000000000000ab","said":{"ask":{"change":
            {"stream_id":"s","body":"{}","owner":"user ann"}}}}"#;
        assert!(Message::decode(unsaid).is_none());
    }

    /// A reader of long names had gateways look silent: what they had to say of its streams took longer than they are waited for.
    #[test]
    fn of_statistics_that_are_too_long_the_rows_that_say_most_are_told_and_the_rest_is_counted() {
        let mut stats: Stats = serde_json::from_str(
            r#"{"connections":0,"channels":0,"messages_published":0,"messages_delivered":0,"messages_per_second":0,
            "memory_bytes":0,"tail_bytes":0,"kept_bytes":0,"uptime_s":0,"version":"","timestamp":"2025-01-01T00:00:00Z",
            "by_channel":[],"by_connection":[{"number":1,"user_id":"","channels":[],"connected_at":"2025-01-01T00:00:00Z",
            "delivered":0,"cursor":"0-0"}]}"#,
        )
        .unwrap();
        let mut short = stats.clone();
        in_short(&mut short);
        assert_eq!(short.by_connection.len(), 1);
        let mut row = stats.by_connection[0].clone();
        row.user_id = "x".repeat(MAX_ROWS_BYTES / 10);
        stats.by_connection = vec![row; 1_000];
        stats.by_connection[500].lag_ms = 7;
        in_short(&mut stats);
        assert_eq!((stats.by_connection.len(), stats.more_connections), (9, 991));
        assert_eq!(stats.by_connection[0].lag_ms, 7);
        let bytes = message(Said::Answer(Answer::Stats(Box::new(stats))))
            .encode()
            .unwrap();
        assert!(Message::decode(&bytes).is_some());
    }

    #[test]
    fn what_is_too_long_is_not_said() {
        let name = "x".repeat(MAX_BYTES);
        assert!(message(Said::Ask(Question::Close { name })).encode().is_none());
    }
}
