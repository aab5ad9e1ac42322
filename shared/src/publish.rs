//! Publishing: a request's body taken apart into entries, and the answers to it.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    Channel, ChannelError, Fields, Level, LogEntry, RecordId, Timestamp,
    api::{MAX_RECORD_BYTES, MAX_RECORDS_PER_PUBLICATION},
    channel::spell,
    fields::FieldsBuilder,
    json::{self, Name, ValueError},
    otlp::MAX_SPELT_OUT_BYTES,
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
    /// More than [`MAX_RECORDS_PER_PUBLICATION`].
    #[error("a publication may hold {MAX_RECORDS_PER_PUBLICATION} records; send several")]
    TooManyRecords,
    /// It is not what OTLP sends.
    #[error("the body is no ExportLogsServiceRequest: {0}")]
    NoRequest(String),
    /// More than [`MAX_SPELT_OUT_BYTES`].
    #[error(
        "with what their resource says, the records have more than {MAX_SPELT_OUT_BYTES} bytes; send fewer together"
    )]
    TooMuch,
}

impl BodyError {
    /// The stable code of the refusal.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BrokenJson(_) => code::BROKEN_JSON,
            Self::NeitherObjectNorArray | Self::NoRequest(_) => code::INVALID_BODY,
            Self::Empty => code::EMPTY_BATCH,
            Self::TooManyRecords => code::TOO_MANY_RECORDS,
            Self::TooMuch => code::BODY_TOO_LARGE,
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
    /// No attribute of OTLP says where it belongs.
    #[error("no attribute names its {part}: set {names}, or {setting} on the gateway")]
    MissingAttribute {
        /// What is not said.
        part: &'static str,
        /// The attributes that would.
        names: String,
        /// The setting that helps.
        setting: &'static str,
    },
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
            Self::MissingChannel(_) | Self::MissingAttribute { .. } => code::MISSING_CHANNELS,
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
                    room(&entries)?;
                    if let Some(item) = Item::read_at_once(line) {
                        item.append_entries(now, &mut entries);
                        continue;
                    }
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
                            room(&entries)?;
                            Item::read(raw).append_entries(now, &mut entries);
                        }
                    }
                    Some(b'{') => {
                        let item = match Item::read_at_once(text) {
                            Some(item) => item,
                            None => Item::read(serde_json::from_str::<&RawValue>(text).map_err(whole)?),
                        };
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
        if entries.len() > MAX_RECORDS_PER_PUBLICATION {
            return Err(BodyError::TooManyRecords);
        }
        Ok(Self { entries, is_batch })
    }
}

/// Whether there may be more.
fn room(entries: &[Result<LogEntry, EntryError>]) -> Result<(), BodyError> {
    if entries.len() < MAX_RECORDS_PER_PUBLICATION {
        Ok(())
    } else {
        Err(BodyError::TooManyRecords)
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
    #[serde(borrow, default)]
    workflow_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    resource_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    function_id: Option<Cow<'a, str>>,
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

    /// The same of a text that may be no JSON. `None` where it is not, or is no publication: which of both it is, and why, is
    /// found out by who looks at it again.
    fn read_at_once(text: &'a str) -> Option<Self> {
        let target = text.starts_with('{').then(|| serde_json::from_str(text));
        target?.ok().map(|target| Self(Ok(target)))
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
                Ok(all) => {
                    // One more than there may be is noticed by who asked for them.
                    let room = (MAX_RECORDS_PER_PUBLICATION + 1).saturating_sub(entries.len());
                    let some = all.into_iter().take(room);
                    entries.extend(some.map(|raw| entry(channel.clone(), raw, now)));
                }
                Err(error) => entries.push(Err(EntryError::BrokenJson(json::reason(&error)))),
            }
        } else {
            entries.push(entry(channel, log_data, now));
        }
    }
}

impl Target<'_> {
    /// What names the resource: it has three names, of which one may be used.
    fn resource(&self) -> Result<Option<&str>, EntryError> {
        let names = [
            ("workflow_id", &self.workflow_id),
            ("resource_id", &self.resource_id),
            ("function_id", &self.function_id),
        ];
        let mut given = names
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.as_deref()?)));
        match (given.next(), given.next()) {
            (Some((one, _)), Some((other, _))) => Err(EntryError::Invalid(format!(
                "{one} and {other} name the same part of its channel; send one of them"
            ))),
            (one, _) => Ok(one.map(|(_, value)| value)),
        }
    }

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
        let resource = self.resource()?;
        Channel::new(service, workspace, resource).map_err(|error| EntryError::Channel {
            text: shown(&spell(service, workspace, resource)),
            error,
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
    within_a_record(entry)
}

/// The entry, where it is not too large for a record.
pub(crate) fn within_a_record(entry: LogEntry) -> Result<LogEntry, EntryError> {
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
mod tests;
