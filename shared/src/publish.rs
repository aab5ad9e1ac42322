//! Publishing: a request's body taken apart into entries, and the answers to it.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    Channel, ChannelError, Fields, Level, LogEntry, RecordId, Timestamp,
    api::MAX_RECORD_BYTES,
    fields::FieldsBuilder,
    json::{self, ValueError},
    problem::{Rejection, code},
    query::shown,
};

/// A body taken apart: each record that was sent, as an entry or the reason why it is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// In the order they were sent. Blank lines do not count, `logData` arrays are unrolled.
    pub entries: Vec<Result<LogEntry, EntryError>>,
    /// Whether the answer is a batch's: more than one record could have been sent.
    pub is_batch: bool,
}

/// How a body is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// One JSON object, or an array of them.
    Json,
    /// One JSON object a line.
    Ndjson,
}

/// Why a whole body is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Not UTF-8 or not JSON.
    #[error("the body is not JSON: {0}")]
    BrokenJson(String),
    /// JSON, but neither object nor array.
    #[error("the body is neither a publication nor an array of them")]
    NeitherObjectNorArray,
    /// Not one record.
    #[error("the body holds no record")]
    Empty,
}

impl BodyError {
    /// The stable code of the refusal.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BrokenJson(_) => code::BROKEN_JSON,
            Self::NeitherObjectNorArray => code::INVALID_BODY,
            Self::Empty => code::EMPTY_BATCH,
        }
    }
}

/// Why one record is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// A line that is not JSON.
    #[error("not JSON: {0}")]
    BrokenJson(String),
    /// JSON, but no publication.
    #[error("not a publication: {0}")]
    Invalid(String),
    /// Names neither `channel` nor `service` and `workspace_id`.
    #[error("name the channel: service and workspace_id, or channel; {0} is missing")]
    MissingChannel(&'static str),
    /// Its channel is none.
    #[error("{text:?} is no channel: {error}")]
    Channel {
        /// The offending text, cut where it is long.
        text: String,
        /// What is wrong with it.
        error: ChannelError,
    },
    /// No `logData`, or of a kind that is no record.
    #[error("{0}")]
    LogData(&'static str),
    /// A value nests too deep or cannot be read by others.
    #[error("logData cannot be kept: {0}")]
    Value(#[from] ValueError),
    /// Encoded, it is over [`MAX_RECORD_BYTES`].
    #[error("the record has {0} bytes encoded; the limit is {MAX_RECORD_BYTES}")]
    TooLarge(usize),
}

impl EntryError {
    /// The stable code of the refusal.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BrokenJson(_) => code::BROKEN_JSON,
            Self::Invalid(_) => code::INVALID_BODY,
            Self::MissingChannel(_) => code::MISSING_CHANNELS,
            Self::Channel { .. } => code::INVALID_CHANNEL,
            Self::LogData(_) | Self::Value(ValueError::Unreadable(_)) => code::INVALID_LOG_DATA,
            Self::Value(ValueError::TooDeep) => code::TOO_DEEP,
            Self::TooLarge(_) => code::RECORD_TOO_LARGE,
        }
    }
}

impl Publication {
    /// Takes a body apart. `now` stands in for a timestamp that is absent or cannot be read.
    ///
    /// # Errors
    /// [`BodyError`] where nothing can be told of single records; otherwise the errors are in
    /// [`Publication::entries`], and one broken NDJSON line spoils no other.
    pub fn parse(body: &[u8], kind: BodyKind, now: Timestamp) -> Result<Self, BodyError> {
        let text = std::str::from_utf8(body)
            .map_err(|error| BodyError::BrokenJson(format!("byte {} is not UTF-8", error.valid_up_to())))?;
        let mut entries = Vec::new();
        let mut is_batch = true;
        match kind {
            BodyKind::Ndjson => {
                for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
                    match serde_json::from_str::<&RawValue>(line) {
                        Ok(raw) => Item::read(raw).append_entries(now, &mut entries),
                        Err(error) => {
                            let reason = format!("{} at column {}", json::reason(&error), error.column());
                            entries.push(Err(EntryError::BrokenJson(reason)));
                        }
                    }
                }
            }
            BodyKind::Json => {
                let whole = |error: serde_json::Error| BodyError::BrokenJson(error.to_string());
                match text.trim_start().bytes().next() {
                    Some(b'[') => {
                        for raw in serde_json::from_str::<Vec<&RawValue>>(text).map_err(whole)? {
                            Item::read(raw).append_entries(now, &mut entries);
                        }
                    }
                    Some(b'{') => {
                        let item = Item::read(serde_json::from_str::<&RawValue>(text).map_err(whole)?);
                        is_batch = item.is_array();
                        item.append_entries(now, &mut entries);
                    }
                    None => return Err(BodyError::Empty),
                    Some(_) => {
                        serde_json::from_str::<&RawValue>(text).map_err(whole)?;
                        return Err(BodyError::NeitherObjectNorArray);
                    }
                }
            }
        }
        if entries.is_empty() {
            return Err(BodyError::Empty);
        }
        Ok(Self { entries, is_batch })
    }
}

/// One publication of a body: where to, and what.
struct Item<'a>(Result<Target<'a>, EntryError>);

#[derive(Deserialize)]
struct Target<'a> {
    #[serde(borrow, default)]
    service: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    workspace_id: Option<Cow<'a, str>>,
    #[serde(borrow, default, alias = "resource_id", alias = "function_id")]
    workflow_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    channel: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "logData")]
    log_data: Option<&'a RawValue>,
}

impl<'a> Item<'a> {
    fn read(raw: &'a RawValue) -> Self {
        if !raw.get().starts_with('{') {
            return Self(Err(EntryError::Invalid("it is no JSON object".to_owned())));
        }
        let target = serde_json::from_str(raw.get());
        Self(target.map_err(|error| EntryError::Invalid(json::reason(&error))))
    }

    fn is_array(&self) -> bool {
        let log_data = self.0.as_ref().ok().and_then(|target| target.log_data);
        log_data.is_some_and(|raw| raw.get().starts_with('['))
    }

    fn append_entries(self, now: Timestamp, entries: &mut Vec<Result<LogEntry, EntryError>>) {
        let (channel, log_data) = match self.0.and_then(|target| Ok((target.channel()?, target.log_data))) {
            Ok(known) => known,
            Err(error) => return entries.push(Err(error)),
        };
        let Some(log_data) = log_data else {
            return entries.push(Err(EntryError::LogData("logData is missing")));
        };
        if log_data.get().starts_with('[') {
            match serde_json::from_str::<Vec<&RawValue>>(log_data.get()) {
                Ok(all) => entries.extend(all.into_iter().map(|raw| entry(channel.clone(), raw, now))),
                Err(error) => entries.push(Err(EntryError::BrokenJson(json::reason(&error)))),
            }
        } else {
            entries.push(entry(channel, log_data, now));
        }
    }
}

impl Target<'_> {
    fn channel(&self) -> Result<Channel, EntryError> {
        if let Some(text) = self.channel.as_deref() {
            return text.parse().map_err(|error| EntryError::Channel {
                text: shown(text),
                error,
            });
        }
        let service = self
            .service
            .as_deref()
            .ok_or(EntryError::MissingChannel("service"))?;
        let workspace = self
            .workspace_id
            .as_deref()
            .ok_or(EntryError::MissingChannel("workspace_id"))?;
        let resource = self.workflow_id.as_deref();
        Channel::new(service, workspace, resource).map_err(|error| {
            let resource = resource.map(|r| format!(":{r}")).unwrap_or_default();
            EntryError::Channel {
                text: shown(&format!("logs:{service}:{workspace}{resource}")),
                error,
            }
        })
    }
}

/// One record from its `logData`: an object, or a text that is the message.
fn entry(channel: Channel, raw: &RawValue, now: Timestamp) -> Result<LogEntry, EntryError> {
    let readable = |error: serde_json::Error| EntryError::Value(ValueError::Unreadable(json::reason(&error)));
    let entry = match raw.get().as_bytes().first() {
        Some(b'{') => serde_json::from_str::<LogData<'_>>(raw.get())
            .map_err(readable)?
            .into_entry(channel, now)?,
        Some(b'"') => LogEntry {
            channel,
            timestamp: now,
            level: Level::default(),
            message: serde_json::from_str(raw.get()).map_err(readable)?,
            fields: Fields::default(),
        },
        _ => return Err(EntryError::LogData("logData is neither an object nor a text")),
    };
    // An upper bound that costs nothing spares nearly every record the exact count.
    let rough = entry.message.len() + entry.fields.as_json().len();
    if rough > MAX_RECORD_BYTES / 8 {
        let exact = entry.encode().max_len();
        if exact > MAX_RECORD_BYTES {
            return Err(EntryError::TooLarge(exact));
        }
    }
    Ok(entry)
}

/// `logData` taken apart, nothing of it copied yet.
#[derive(Default)]
struct LogData<'a> {
    message: Option<&'a RawValue>,
    level: Option<&'a RawValue>,
    timestamp: Option<&'a RawValue>,
    others: FieldsBuilder<'a>,
}

const MESSAGE: &str = "message";
const LEVEL: &str = "level";
const TIMESTAMP: &str = "timestamp";

impl<'de> Deserialize<'de> for LogData<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = LogData<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LogData<'de>, A::Error> {
                let mut log_data = LogData::default();
                while let Some(Name(name)) = map.next_key()? {
                    let value: &RawValue = map.next_value()?;
                    match &*name {
                        MESSAGE => log_data.message = Some(value),
                        LEVEL => log_data.level = Some(value),
                        TIMESTAMP => log_data.timestamp = Some(value),
                        _ => log_data.others.set(name, value),
                    }
                }
                Ok(log_data)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// A name, borrowed where it has no escapes. (serde's own `Cow` borrows only where a field says so.)
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> LogData<'a> {
    fn into_entry(mut self, channel: Channel, now: Timestamp) -> Result<LogEntry, EntryError> {
        let message = match self.message {
            None => String::new(),
            Some(raw) if raw.get().starts_with('"') => {
                serde_json::from_str(raw.get()).map_err(|e| ValueError::Unreadable(json::reason(&e)))?
            }
            Some(raw) => {
                let mut text = String::new();
                json::append_compact(&mut text, raw.get())?;
                text
            }
        };
        let level = match self.level.filter(|raw| raw.get() != "null") {
            None => Level::default(),
            Some(raw) => read_level(raw).unwrap_or_else(|| {
                self.others.set(LEVEL.into(), raw);
                Level::default()
            }),
        };
        let timestamp = match self.timestamp.filter(|raw| raw.get() != "null") {
            None => now,
            Some(raw) => read_timestamp(raw).unwrap_or_else(|| {
                self.others.set(TIMESTAMP.into(), raw);
                now
            }),
        };
        Ok(LogEntry {
            channel,
            timestamp,
            level,
            message,
            fields: self.others.build()?,
        })
    }
}

fn read_level(raw: &RawValue) -> Option<Level> {
    match serde_json::from_str::<Cow<'_, str>>(raw.get()) {
        Ok(text) => text.parse().ok(),
        Err(_) => Level::from_pino(raw.get().parse().ok()?),
    }
}

fn read_timestamp(raw: &RawValue) -> Option<Timestamp> {
    match serde_json::from_str::<Cow<'_, str>>(raw.get()) {
        Ok(text) => text.parse().ok(),
        Err(_) => Timestamp::from_number(raw.get().parse().ok()?).ok(),
    }
}

/// The answer to one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishAnswer {
    /// Always true.
    pub success: bool,
    /// The record's id: it is stored.
    pub id: RecordId,
    /// Where it went.
    pub channel: Channel,
    /// How many streams follow that channel now.
    pub subscribers: usize,
}

/// The answer to a batch of which at least one record was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchAnswer {
    /// Always true.
    pub success: bool,
    /// How many records are stored.
    pub accepted: usize,
    /// The others, each with the reason.
    pub rejected: Vec<Rejection>,
    /// The first stored record's id.
    pub first_id: RecordId,
    /// The last stored record's id.
    pub last_id: RecordId,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_700_000_000_000;

    fn parse(body: &str, kind: BodyKind) -> Result<Publication, BodyError> {
        Publication::parse(body.as_bytes(), kind, Timestamp::from_unix_ms(NOW).unwrap())
    }

    fn one(log_data: &str) -> Result<LogEntry, EntryError> {
        let body = format!(r#"{{"channel":"logs:etl:w","logData":{log_data}}}"#);
        let mut entries = parse(&body, BodyKind::Json).unwrap().entries;
        assert_eq!(entries.len(), 1);
        entries.remove(0)
    }

    #[test]
    fn a_channel_is_named_by_parts_or_whole() {
        let channel = |body: &str| {
            parse(body, BodyKind::Json).unwrap().entries[0]
                .clone()
                .map(|e| e.channel.to_string())
        };
        let parts = r#""service":"etl","workspace_id":"w""#;
        assert_eq!(
            channel(&format!(r#"{{{parts},"logData":"m"}}"#)).unwrap(),
            "logs:etl:w"
        );
        for name in ["workflow_id", "resource_id", "function_id"] {
            assert_eq!(
                channel(&format!(r#"{{{parts},"{name}":"x","logData":"m"}}"#)).unwrap(),
                "logs:etl:w:x"
            );
        }
        assert_eq!(
            channel(r#"{"channel":"logs:etl:w:x","logData":"m"}"#).unwrap(),
            "logs:etl:w:x"
        );
        assert_eq!(
            channel(&format!(r#"{{{parts},"workflow_id":null,"logData":"m"}}"#)).unwrap(),
            "logs:etl:w"
        );
        assert_eq!(
            channel(r#"{"logData":"m"}"#).unwrap_err().code(),
            code::MISSING_CHANNELS
        );
        assert_eq!(
            channel(r#"{"service":"etl","logData":"m"}"#).unwrap_err().code(),
            code::MISSING_CHANNELS
        );
        assert_eq!(
            channel(r#"{"channel":"logs:*:w","logData":"m"}"#)
                .unwrap_err()
                .code(),
            code::INVALID_CHANNEL
        );
        assert_eq!(
            channel(r#"{"service":5,"logData":"m"}"#).unwrap_err().code(),
            code::INVALID_BODY
        );
    }

    #[test]
    fn log_data_becomes_an_entry() {
        let entry = one(
            r#"{"message":"done","level":"warning","timestamp":1758796200000,"rows":42,"nested":{"a":[1]}}"#,
        )
        .unwrap();
        assert_eq!(entry.message, "done");
        assert_eq!(entry.level, Level::Warn);
        assert_eq!(entry.timestamp.unix_ms(), 1_758_796_200_000);
        assert_eq!(entry.fields.as_json(), r#"{"rows":42,"nested":{"a":[1]}}"#);
    }

    #[test]
    fn what_is_absent_has_a_default() {
        let entry = one("\"just \\u0041 text\"").unwrap();
        assert_eq!(
            (entry.message.as_str(), entry.level, entry.timestamp.unix_ms()),
            ("just A text", Level::Info, NOW)
        );
        let entry = one(r#"{"level":null,"timestamp":null}"#).unwrap();
        assert_eq!(
            (entry.message.as_str(), entry.level, entry.timestamp.unix_ms()),
            ("", Level::Info, NOW)
        );
        assert!(entry.fields.is_empty());
    }

    #[test]
    fn a_message_that_is_no_text_becomes_its_json_text() {
        for (message, text) in [
            ("42", "42"),
            ("{ \"a\": 1 }", "{\"a\":1}"),
            ("null", "null"),
            ("[true]", "[true]"),
        ] {
            assert_eq!(one(&format!("{{\"message\":{message}}}")).unwrap().message, text);
        }
    }

    #[test]
    fn an_unknown_level_or_time_is_kept_beside_the_default() {
        let entry = one(r#"{"message":"m","level":"loud","timestamp":"yesterday","a":1}"#).unwrap();
        assert_eq!((entry.level, entry.timestamp.unix_ms()), (Level::Info, NOW));
        assert_eq!(
            entry.fields.as_json(),
            r#"{"a":1,"level":"loud","timestamp":"yesterday"}"#
        );
        assert_eq!(
            one(r#"{"level":35}"#).unwrap().fields.as_json(),
            r#"{"level":35}"#
        );
        assert_eq!(one(r#"{"level":50}"#).unwrap().level, Level::Error);
        assert_eq!(
            one(r#"{"level":{"x":1}}"#).unwrap().fields.as_json(),
            r#"{"level":{"x":1}}"#
        );
    }

    #[test]
    fn what_is_no_record_is_refused_with_its_code() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(65), "]".repeat(65));
        let large = format!("{{\"message\":\"{}\"}}", "x".repeat(MAX_RECORD_BYTES));
        let escaped = format!("{{\"message\":\"{}\"}}", "\\u0001".repeat(MAX_RECORD_BYTES / 6));
        let cases = [
            ("42", code::INVALID_LOG_DATA),
            ("null", code::INVALID_LOG_DATA),
            (r#"{"a":"\ud800"}"#, code::INVALID_LOG_DATA),
            (r#"{"message":"\ud800"}"#, code::INVALID_LOG_DATA),
            (&deep, code::TOO_DEEP),
            (&large, code::RECORD_TOO_LARGE),
            (&escaped, code::RECORD_TOO_LARGE),
        ];
        for (log_data, code) in cases {
            assert_eq!(one(log_data).unwrap_err().code(), code, "{}", shown(log_data));
        }
        let fits = format!("{{\"message\":\"{}\"}}", "x".repeat(MAX_RECORD_BYTES - 250));
        assert!(one(&fits).is_ok());
    }

    #[test]
    fn records_are_counted_without_blank_lines_and_with_arrays_unrolled() {
        let line = |log_data: &str| format!(r#"{{"channel":"logs:etl:w","logData":{log_data}}}"#);
        let body = [
            line("\"a\""),
            String::new(),
            "{oops".into(),
            line("[\"b\",7,\"c\"]"),
            "  ".into(),
            "5".into(),
        ]
        .join("\r\n");
        let publication = parse(&body, BodyKind::Ndjson).unwrap();
        let told: Vec<_> = publication
            .entries
            .iter()
            .map(|e| e.as_ref().map_or_else(|e| e.code(), |e| &e.message))
            .collect();
        assert_eq!(
            told,
            [
                "a",
                code::BROKEN_JSON,
                "b",
                code::INVALID_LOG_DATA,
                "c",
                code::INVALID_BODY
            ]
        );
        assert!(publication.is_batch);
    }

    #[test]
    fn what_could_hold_several_records_is_a_batch() {
        let object = r#"{"channel":"logs:etl:w","logData":"m"}"#;
        assert!(!parse(object, BodyKind::Json).unwrap().is_batch);
        assert!(parse(&format!(" [{object}]"), BodyKind::Json).unwrap().is_batch);
        assert!(parse(object, BodyKind::Ndjson).unwrap().is_batch);
        assert!(
            parse(r#"{"channel":"logs:etl:w","logData":["m"]}"#, BodyKind::Json)
                .unwrap()
                .is_batch
        );
    }

    #[test]
    fn a_body_of_which_nothing_can_be_told_is_refused_whole() {
        let cases = [
            ("", code::EMPTY_BATCH),
            (" \n", code::EMPTY_BATCH),
            ("[]", code::EMPTY_BATCH),
            (r#"{"channel":"logs:etl:w","logData":[]}"#, code::EMPTY_BATCH),
            ("{", code::BROKEN_JSON),
            ("[{},", code::BROKEN_JSON),
            ("{} {}", code::BROKEN_JSON),
            ("nonsense", code::BROKEN_JSON),
            ("5", code::INVALID_BODY),
            ("\"text\"", code::INVALID_BODY),
        ];
        for (body, code) in cases {
            assert_eq!(parse(body, BodyKind::Json).unwrap_err().code(), code, "{body}");
        }
        let now = Timestamp::default();
        assert_eq!(
            Publication::parse(b"{\"a\":\"\xff\"}", BodyKind::Json, now)
                .unwrap_err()
                .code(),
            code::BROKEN_JSON
        );
        assert_eq!(
            parse("\n\n", BodyKind::Ndjson).unwrap_err().code(),
            code::EMPTY_BATCH
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_apart_or_refused(body: Vec<u8>) {
            let now = Timestamp::default();
            let _ = Publication::parse(&body, BodyKind::Json, now);
            let _ = Publication::parse(&body, BodyKind::Ndjson, now);
        }

        #[test]
        fn any_log_data_is_a_record_or_refused(log_data in "[\\[\\]{}:,\"a0.e\\\\u-]{0,24}") {
            let body = format!("{{\"channel\":\"logs:etl:w\",\"logData\":{log_data}}}");
            let _ = parse(&body, BodyKind::Json);
        }

        #[test]
        fn what_is_accepted_can_be_read_again(message: String, name: String, value: i64) {
            let log_data = serde_json::json!({ "message": message, (name): value, "x": [message] });
            if let Ok(entry) = one(&log_data.to_string()) {
                let record = crate::LogRecord { id: RecordId::new(1, 1), entry };
                prop_assert_eq!(serde_json::from_str::<crate::LogRecord>(&record.to_json()).unwrap(), record);
            }
        }
    }
}
