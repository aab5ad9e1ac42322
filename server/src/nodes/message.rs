//! [`Message`]: what gateways tell each other.

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
/// minute, as it comes).
pub(super) const MAX_BYTES: usize = 4 << 20;

impl Message {
    /// Its bytes. Of statistics there are fewer rows where they would be too long.
    pub(super) fn encode(mut self) -> Option<Vec<u8>> {
        loop {
            let bytes = serde_json::to_vec(&self).ok()?;
            if bytes.len() <= MAX_BYTES {
                return Some(bytes);
            }
            let Said::Answer(Answer::Stats(stats)) = &mut self.said else {
                return None;
            };
            let halve = |rows: usize| rows / 2;
            let (streams, channels) = (halve(stats.by_connection.len()), halve(stats.by_channel.len()));
            stats.more_connections += stats.by_connection.len() - streams;
            stats.more_channels += stats.by_channel.len() - channels;
            stats.by_connection.truncate(streams);
            stats.by_channel.truncate(channels);
            if streams + channels == 0 {
                return None;
            }
        }
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        (bytes.len() <= MAX_BYTES)
            .then(|| serde_json::from_slice(bytes).ok())
            .flatten()
    }
}
