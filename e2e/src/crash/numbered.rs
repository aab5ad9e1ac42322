//! [`Numbered`]: a record that tells from itself who published it, where, and as which.

use std::fmt;

use logs_shared::{Channel, LogRecord, RecordId};
use serde::Deserialize;
use serde_json::json;

/// One record of a crash test. A publisher numbers its records in each channel from 0 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbered {
    /// What it continues.
    pub(crate) sequence: Sequence,
    /// Its place there.
    pub(crate) number: u32,
}

/// What one publisher says in one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Sequence {
    /// Which publisher.
    pub(crate) publisher: u16,
    /// Which of the test's channels.
    pub(crate) channel: u16,
}

impl fmt::Display for Numbered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sequence, number } = self;
        write!(
            f,
            "record {number} of publisher {} in channel {}",
            sequence.publisher, sequence.channel
        )
    }
}

/// A record as a reader got it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Its place in the log.
    pub(crate) id: RecordId,
    /// Which it is.
    pub(crate) record: Numbered,
    /// Whether its id is above all that the reader's cursor had promised to be done with.
    pub(crate) after_cursor: bool,
}

impl Numbered {
    /// The line that publishes it.
    pub(crate) fn to_line(self, channels: &[Channel]) -> String {
        let Self { sequence, number } = self;
        let log_data =
            json!({ "message": self.message(), "publisher": sequence.publisher, "number": number });
        let channel = &channels[usize::from(sequence.channel)];
        json!({ "channel": channel, "logData": log_data }).to_string()
    }

    /// Which one a record is; none where it is not exactly as it was published.
    pub(crate) fn read(record: &LogRecord, channels: &[Channel]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Said {
            publisher: u16,
            number: u32,
        }
        let Said { publisher, number } = serde_json::from_str(record.fields.as_json()).ok()?;
        let channel = channels.iter().position(|channel| *channel == record.channel)?;
        let channel = u16::try_from(channel).ok()?;
        let sequence = Sequence { publisher, channel };
        let read = Self { sequence, number };
        (read.message() == record.message).then_some(read)
    }

    /// Differs in length from record to record, so that a store's pages and buffers end at every place of one.
    fn message(self) -> String {
        let Self { sequence, number } = self;
        let padding = match number % 499 {
            498 => 20_000,
            _ => (number.wrapping_mul(2_654_435_761) >> 24) as usize,
        };
        let start = format!("{}/{}/{number} ", sequence.publisher, sequence.channel);
        start + &"x".repeat(padding)
    }
}

#[cfg(test)]
mod tests {
    use logs_shared::{
        LogEntry, Timestamp,
        publish::{BodyKind, Publication},
    };

    use super::*;

    fn published(line: &str) -> LogEntry {
        let now = Timestamp::from_unix_ms(0).unwrap();
        let publication = Publication::parse(line.as_bytes(), BodyKind::Ndjson, now).unwrap();
        publication.entries.into_iter().next().unwrap().unwrap()
    }

    #[test]
    fn a_record_is_recognised_unless_it_was_altered() {
        let channels: Vec<Channel> = ["logs:etl:w", "logs:etl:w:x"]
            .map(|text| text.parse().unwrap())
            .into();
        for number in [0, 1, 77, 498] {
            let sequence = Sequence {
                publisher: 3,
                channel: 1,
            };
            let sent = Numbered { sequence, number };
            let mut record = LogRecord {
                id: RecordId::ZERO,
                entry: published(&sent.to_line(&channels)),
            };
            assert_eq!(Numbered::read(&record, &channels), Some(sent));
            assert_eq!(Numbered::read(&record, &channels[..1]), None, "another channel");
            record.entry.message.pop();
            assert_eq!(Numbered::read(&record, &channels), None, "a byte is missing");
        }
    }
}
