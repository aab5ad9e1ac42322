//! [`Marks`]: where the log in Redis stands.

use logs_shared::RecordId;

use super::Trouble;

/// Where the log in Redis stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Marks {
    /// The id that was given last.
    pub(in crate::engine) last_id: RecordId,
    /// Where the log begins: what was before is not known to it.
    pub(in crate::engine) floor: RecordId,
    /// Up to here records may have been in channels that retention has emptied and forgotten.
    pub(in crate::engine) forgotten_to: RecordId,
    /// A random number that the log got when it began. Another one means that Redis has lost everything.
    pub(in crate::engine) epoch: u64,
    /// Bytes of all records.
    pub(in crate::engine) kept_bytes: u64,
    /// Channels there are.
    pub(in crate::engine) channels: u64,
}

/// The fields of the log's own row, in the order of [`Marks::read`].
pub(in crate::engine) const MARKS: [&str; 7] = [
    "format",
    "last",
    "born",
    "forgotten",
    "epoch",
    "bytes",
    "channels",
];
/// What the log's row says it was written by.
const FORMAT: &str = "1";

/// A row as Redis gives it.
pub(super) type Row = Vec<Option<String>>;

impl Marks {
    /// Reads the [`MARKS`] of the log's row: `None` where there is no log.
    ///
    /// # Errors
    /// [`Trouble::Format`]: another version has written it.
    pub(in crate::engine) fn read(row: &[Option<String>]) -> Result<Option<Self>, Trouble> {
        let format = match row.first() {
            Some(Some(format)) => format,
            _ => return Ok(None),
        };
        let read = || {
            let text = |at: usize| row.get(at)?.as_deref();
            Some(Self {
                last_id: text(1)?.parse().ok()?,
                floor: text(2)?.parse().ok()?,
                forgotten_to: text(3)?.parse().ok()?,
                epoch: text(4)?.parse().ok()?,
                kept_bytes: text(5)?.parse().ok()?,
                channels: text(6)?.parse().ok()?,
            })
        };
        match read() {
            Some(marks) if format == FORMAT => Ok(Some(marks)),
            Some(_) | None => Err(Trouble::Format(format.chars().take(20).collect())),
        }
    }
}
