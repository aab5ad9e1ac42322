//! [`LogEntry`]: what was said, and [`LogRecord`]: the same with its place in the log.

use std::{borrow::Cow, ops::Deref};

use serde::Deserialize;

use crate::{Channel, Fields, Level, RecordId, Timestamp, append_text, sse};

/// What a publisher said, before the writer gave it an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The log it belongs to.
    pub channel: Channel,
    /// When it happened, by the sender's clock; by the gateway's where the sender did not say.
    pub timestamp: Timestamp,
    /// How grave it is.
    pub level: Level,
    /// What happened, in words. Text, never markup; may have several lines and ANSI colours.
    pub message: String,
    /// Everything else.
    pub fields: Fields,
}

/// An entry with its place in the log. Never changes once it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// Its place in the log.
    pub id: RecordId,
    /// What was said.
    pub entry: LogEntry,
}

impl Deref for LogRecord {
    type Target = LogEntry;
    fn deref(&self) -> &LogEntry {
        &self.entry
    }
}

/// How a record's JSON starts, up to the id's digits.
const JSON_START: &str = r#"{"type":"log","id":""#;

impl LogEntry {
    /// The JSON of the record this entry becomes, but for [`JSON_START`] and the id: what can be
    /// written before the id is known. [`EncodedEntry::to_json`] puts the parts together.
    #[must_use]
    pub fn encode(&self) -> EncodedEntry {
        let mut json = String::with_capacity(
            160 + 2 * self.channel.as_str().len() + self.message.len() + self.fields.as_json().len(),
        );
        json.push_str(r#"","channel":""#);
        json.push_str(self.channel.as_str());
        json.push_str(r#"","service":""#);
        json.push_str(self.channel.service());
        json.push_str(r#"","workspace_id":""#);
        json.push_str(self.channel.workspace_id());
        if let Some(resource_id) = self.channel.resource_id() {
            json.push_str(r#"","workflow_id":""#);
            json.push_str(resource_id);
        }
        json.push_str(r#"","timestamp":""#);
        self.timestamp.append_to(&mut json);
        json.push_str(r#"","level":""#);
        json.push_str(self.level.as_str());
        json.push_str(r#"","message":"#);
        append_text(&mut json, &self.message);
        if !self.fields.is_empty() {
            json.push_str(r#","fields":"#);
            json.push_str(self.fields.as_json());
        }
        json.push('}');
        EncodedEntry(json)
    }
}

/// A record's JSON on one line, but for its id.
#[derive(Clone, Debug)]
pub struct EncodedEntry(String);

impl EncodedEntry {
    /// Appends the record's JSON: one line, with this id.
    pub fn write_json(&self, id: RecordId, out: &mut Vec<u8>) {
        use std::io::Write;
        out.extend_from_slice(JSON_START.as_bytes());
        // Writing to a vector does not fail.
        let _ = write!(out, "{id}");
        out.extend_from_slice(self.0.as_bytes());
    }

    /// Appends the record as the event that readers get, where `id` is its id as text.
    pub fn write_event(&self, id: &[u8], out: &mut Vec<u8>) {
        out.reserve(24 + JSON_START.len() + 2 * id.len() + self.0.len());
        out.extend_from_slice(b"id: ");
        out.extend_from_slice(id);
        out.extend_from_slice(b"\ndata: ");
        out.extend_from_slice(JSON_START.as_bytes());
        out.extend_from_slice(id);
        out.extend_from_slice(self.0.as_bytes());
        sse::end_event(out);
    }

    /// The record's JSON from behind its id: what is kept where ids are kept apart.
    #[must_use]
    pub fn after_id(&self) -> &str {
        &self.0
    }

    /// Undoes [`Self::after_id`], for a text that was kept elsewhere: `None` where it can be none, or would break out of its
    /// line.
    #[must_use]
    pub fn from_after_id(text: &str) -> Option<Self> {
        let is_one = text.starts_with(r#"","channel":""#) && text.ends_with('}');
        let is_line = !text.contains(['\n', '\r']);
        (is_one && is_line).then(|| Self(text.to_owned()))
    }

    /// The length of the record's JSON in bytes, whatever its id.
    #[must_use]
    pub fn max_len(&self) -> usize {
        const LONGEST_ID: usize = 41;
        JSON_START.len() + LONGEST_ID + self.0.len()
    }
}

impl LogRecord {
    /// The record's JSON on one line, as it is on every wire.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = JSON_START.to_owned();
        json.push_str(&self.id.to_string());
        json.push_str(&self.entry.encode().0);
        json
    }
}

impl<'de> Deserialize<'de> for LogRecord {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The channel's parts, which the JSON repeats for readers that do not take channels apart, are not needed.
        #[derive(Deserialize)]
        struct Wire<'a> {
            id: RecordId,
            channel: Channel,
            timestamp: Timestamp,
            level: Level,
            #[serde(borrow)]
            message: Cow<'a, str>,
            #[serde(default)]
            fields: Fields,
        }
        let Wire {
            id,
            channel,
            timestamp,
            level,
            message,
            fields,
        } = Wire::deserialize(deserializer)?;
        let entry = LogEntry {
            channel,
            timestamp,
            level,
            message: message.into_owned(),
            fields,
        };
        Ok(Self { id, entry })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(channel: &str, message: &str, fields: &str) -> LogRecord {
        LogRecord {
            id: RecordId::new(1_758_796_200_000, 0),
            entry: LogEntry {
                channel: channel.parse().unwrap(),
                timestamp: "2025-09-25T10:30:00Z".parse().unwrap(),
                level: Level::Info,
                message: message.to_owned(),
                fields: serde_json::from_str(fields).unwrap(),
            },
        }
    }

    #[test]
    fn a_record_is_written_as_the_contract_has_it() {
        assert_eq!(
            record(
                "logs:etl:workspace123:workflow456",
                "ETL process completed",
                r#"{"rows":42}"#
            )
            .to_json(),
            r#"{"type":"log","id":"1758796200000-0","channel":"logs:etl:workspace123:workflow456","service":"etl","workspace_id":"workspace123","workflow_id":"workflow456","timestamp":"2025-09-25T10:30:00.000Z","level":"INFO","message":"ETL process completed","fields":{"rows":42}}"#
        );
        assert_eq!(
            record("logs:etl:w", "m", "{}").to_json(),
            r#"{"type":"log","id":"1758796200000-0","channel":"logs:etl:w","service":"etl","workspace_id":"w","timestamp":"2025-09-25T10:30:00.000Z","level":"INFO","message":"m"}"#
        );
    }

    #[test]
    fn an_event_is_what_its_parts_are_together() {
        let record = record("logs:etl:w", "m", "{}");
        let (mut event, mut parts) = (Vec::new(), Vec::new());
        let encoded = record.entry.encode();
        encoded.write_event(record.id.to_string().as_bytes(), &mut event);
        sse::start_event(&mut parts, None, Some(record.id));
        encoded.write_json(record.id, &mut parts);
        sse::end_event(&mut parts);
        assert_eq!(event, parts);
    }

    #[test]
    fn the_length_is_known_before_the_id() {
        let mut longest = record("logs:etl:w", "m", "{}");
        longest.id = RecordId::new(u64::MAX, u64::MAX);
        assert_eq!(longest.entry.encode().max_len(), longest.to_json().len());
    }

    proptest! {
        #[test]
        fn every_record_round_trips_on_one_line(ms: u64, seq: u64, message: String, value: String, level in 0..6_usize) {
            let fields = serde_json::json!({ "text": value, "list": [1, null] }).to_string();
            let mut record = record("logs:etl:w:x", &message, &fields);
            record.id = RecordId::new(ms, seq);
            record.entry.level = Level::ALL[level];
            let json = record.to_json();
            prop_assert!(!json.contains(['\n', '\r']));
            prop_assert_eq!(serde_json::from_str::<LogRecord>(&json).unwrap(), record);
        }
    }
}
