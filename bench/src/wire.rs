//! [`Wire`]: how a server is spoken to. The load generator knows nothing else of it.

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

/// What every record says, whoever carries it: `{sent_us}` is the publisher's monotonic clock in microseconds, `{number}` counts
/// the channel's records from 0. The rest is filled up, so that a record has about the size that is asked for.
///
/// Readers look for [`MARK`] and read both numbers behind it.
#[must_use]
pub fn message(sent_us: u64, number: u64, bytes: usize) -> String {
    let told = format!("{MARK}{sent_us:016} {number:010} ");
    let rest = bytes.saturating_sub(told.len());
    told + &"x".repeat(rest)
}

/// What a message begins with.
pub const MARK: &str = "bench ";
