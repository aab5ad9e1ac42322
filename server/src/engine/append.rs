//! What is asked of an append ([`NewRecord`]), and what it gives ([`Appended`], [`AppendError`]).

use logs_shared::{Channel, Level, LogEntry, RecordId, record::EncodedEntry};

/// What an append gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The first record's id.
    pub first_id: RecordId,
    /// The last record's id.
    pub last_id: RecordId,
    /// Streams that follow the first record's channel.
    pub subscribers: usize,
    /// Whether this is the answer to a repeat: nothing was appended again.
    pub is_repeat: bool,
}

/// Why an append was not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The log takes no more records.
    #[error("nothing was stored: the log is closed")]
    Closed,
    /// The name was used for something else.
    #[error("nothing was stored: the idempotency key was used for another publication")]
    KeyReused,
    /// The disk, or the memory of Redis, has no room left.
    #[error("nothing was stored: the gateway's store is full")]
    Full,
    /// The store fails. Whether the records are in it is not known: a repeat under the same name is safe.
    #[error(
        "the gateway's store fails: whether anything was stored is not known, and a repeat with the same idempotency key is \
         safe"
    )]
    Failed,
    /// The store does not answer, or takes nothing now. Whether the records are in it is not known: a repeat under the same
    /// name is safe.
    #[error(
        "the gateway's store cannot be used just now: whether anything was stored is not known, and a repeat with the same \
         idempotency key is safe"
    )]
    Away,
}

/// An entry as the writer takes it: everything done that can be done before the id is known.
pub struct NewRecord {
    /// Where it belongs.
    pub channel: Channel,
    /// For readers that want grave records only.
    pub level: Level,
    /// Its bytes.
    pub json: EncodedEntry,
}

impl From<LogEntry> for NewRecord {
    fn from(entry: LogEntry) -> Self {
        Self {
            json: entry.encode(),
            level: entry.level,
            channel: entry.channel,
        }
    }
}
