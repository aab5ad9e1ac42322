//! [`Wire`]: how a server is spoken to. The load generator knows nothing else of it.

use std::fmt::Write as _;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// How a server is spoken to. `{channel}` in a template stands for a channel's name, which every server knows by the same
/// words: `logs:bench:w:c0`, `logs:bench:w:c1` and so on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Wire {
    /// Where it listens.
    pub address: SocketAddr,
    /// The whole head of a request that opens a stream, blank line included. `{after}` stands for an id, see `resumes`.
    pub subscribe: String,
    /// As `subscribe`, of a reader that goes on after the id that `{after}` stands for; `None` where it cannot.
    pub resume: Option<String>,
    /// As `subscribe`, of a reader that begins with everything that is kept; `None` where there is no such thing.
    pub replay: Option<String>,
    /// The head of a request for a stream of all channels from 0 to [`CHANNELS`] at once; `None` where there is no such thing.
    pub firehose: Option<String>,
    /// How one record is published.
    pub single: Publish,
    /// How a batch is; `None` where there is no such thing.
    pub batch: Option<Publish>,
}

/// How something is published.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Publish {
    /// The head of the request, blank line included, with `{channel}` and `{length}`, which is that of the body in bytes. Empty
    /// where records are written as they are, and nothing is answered.
    pub head: String,
    /// The body for each record, with `{channel}` and `{message}`. Those of a batch follow each other.
    pub body: String,
}

/// The name of a channel, by its number.
#[must_use]
pub fn channel(number: usize) -> String {
    format!("logs:bench:w:c{number}")
}

/// How many channels a reader of all of them follows.
pub const CHANNELS: usize = 100;

/// What every record says, whoever carries it: `{sent_us}` is the publisher's monotonic clock in microseconds, `{number}` counts
/// from 0 in each lane, and a lane is what one publisher writes to one channel. The rest is filled up, so that a record has about
/// the size that is asked for.
///
/// Readers look for [`MARK`] and read the three numbers behind it, at fixed widths.
#[must_use]
pub fn message(sent_us: u64, number: u64, lane: usize, bytes: usize) -> String {
    let mut message = String::with_capacity(bytes.max(TOLD));
    // Writing into a string cannot fail.
    let _ = write!(message, "{MARK}{sent_us:016} {number:010} {lane:05} ");
    let mut rest = filler(bytes);
    while rest > 0 {
        let part = rest.min(FILLER.len());
        message.push_str(&FILLER[..part]);
        rest -= part;
    }
    message
}

const FILLER: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

/// How many bytes a message of this size has behind its numbers.
#[must_use]
pub fn filler(bytes: usize) -> usize {
    bytes.saturating_sub(TOLD)
}

/// What a message begins with.
pub const MARK: &str = "bench ";

/// The bytes of a message from its mark to the blank behind the last number.
pub const TOLD: usize = MARK.len() + 16 + 1 + 10 + 1 + 5 + 1;
