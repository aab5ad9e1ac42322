//! OTLP in JSON: protobuf's JSON, but ids are hexadecimal and enumerations are numbers. Names are in lowerCamelCase, unknown
//! ones are passed over, missing ones and `null` are defaults, numbers of 64 bits may be texts.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};
use serde_json::value::RawValue;

use super::{
    Entries, Fault,
    mapping::without_repeats,
    model::{Any, Attributes, Record, Scope},
    within_a_record,
};
use crate::{
    api::MAX_DEPTH,
    json::{self, ValueError},
    publish::{BodyError, EntryError},
};

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow, default, rename = "resourceLogs")]
    resource_logs: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ResourceLogs<'a> {
    #[serde(borrow)]
    resource: Option<&'a RawValue>,
    #[serde(borrow, rename = "scopeLogs")]
    scope_logs: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ScopeLogs<'a> {
    #[serde(borrow)]
    scope: Option<&'a RawValue>,
    #[serde(borrow, rename = "logRecords")]
    log_records: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ScopeOrResource<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    attributes: Option<Vec<KeyValue<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct LogRecord<'a> {
    time_unix_nano: Option<Whole>,
    observed_time_unix_nano: Option<Whole>,
    severity_number: Option<Whole>,
    #[serde(borrow)]
    severity_text: Option<Cow<'a, str>>,
    #[serde(borrow)]
    body: Option<Any<'a>>,
    #[serde(borrow)]
    attributes: Option<Vec<KeyValue<'a>>>,
    dropped_attributes_count: Option<Whole>,
    flags: Option<Whole>,
    #[serde(borrow)]
    trace_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    span_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    event_name: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct KeyValue<'a> {
    #[serde(borrow, default)]
    key: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    value: Option<Any<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct AnyValue<'a> {
    #[serde(borrow)]
    string_value: Option<Cow<'a, str>>,
    bool_value: Option<bool>,
    int_value: Option<Whole>,
    #[serde(borrow)]
    double_value: Option<&'a RawValue>,
    #[serde(borrow)]
    array_value: Option<Values<Any<'a>>>,
    #[serde(borrow)]
    kvlist_value: Option<Values<KeyValue<'a>>>,
    /// Base64, as a record has it too.
    #[serde(borrow)]
    bytes_value: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Values<T> {
    #[serde(default = "none")]
    values: Option<Vec<T>>,
}

const fn none<T>() -> Option<Vec<T>> {
    None
}

impl<'de: 'a, 'a> Deserialize<'de> for Any<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = AnyValue::deserialize(deserializer)?;
        Ok(if let Some(text) = value.string_value.or(value.bytes_value) {
            Self::Text(text)
        } else if let Some(value) = value.bool_value {
            Self::Bool(value)
        } else if let Some(Whole(number)) = value.int_value {
            let number = i64::try_from(number);
            Self::Int(number.map_err(|_| D::Error::custom("an intValue has more than 64 bits"))?)
        } else if let Some(number) = value.double_value {
            Self::Double(double(number)?)
        } else if let Some(Values { values }) = value.array_value {
            Self::List(values.unwrap_or_default())
        } else if let Some(Values { values }) = value.kvlist_value {
            Self::Map(attributes(values))
        } else {
            Self::Null
        })
    }
}

fn attributes(pairs: Option<Vec<KeyValue<'_>>>) -> Attributes<'_> {
    let pairs = pairs.unwrap_or_default().into_iter();
    pairs
        .map(|KeyValue { key, value }| (key.unwrap_or_default(), value.unwrap_or_default()))
        .collect()
}

/// A whole number, as a number or as a text.
#[derive(Clone, Copy, Default)]
struct Whole(i128);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WholeVisitor;
        impl Visitor<'_> for WholeVisitor {
            type Value = Whole;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Whole, E> {
                Ok(Whole(number.into()))
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Whole, E> {
                Ok(Whole(number.into()))
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<Whole, E> {
                // Beyond 64 bits all ways to say it are wrong in the same way.
                #[expect(clippy::cast_possible_truncation)]
                match number {
                    n if n.fract() == 0.0 && n.abs() < 1e20 => Ok(Whole(n as i128)),
                    _ => Err(E::custom("a number is not whole")),
                }
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Whole, E> {
                match text.parse() {
                    Ok(number) => Ok(Whole(number)),
                    Err(_) => self.visit_f64(text.parse().map_err(|_| E::custom("a text is no number"))?),
                }
            }
        }
        deserializer.deserialize_any(WholeVisitor)
    }
}

impl Whole {
    /// The same as a type that has room for all that OTLP allows; what has no room is the default.
    fn of<T: TryFrom<i128> + Default>(number: Option<Self>) -> T {
        number
            .and_then(|Self(number)| T::try_from(number).ok())
            .unwrap_or_default()
    }
}

/// A number, or the name of what JSON has no number for. Read here, because serde_json is content with a number that is
/// nearly the one that was sent.
fn double<E: Error>(raw: &RawValue) -> Result<f64, E> {
    let is_name = raw.get().starts_with('"');
    let number = raw.get().trim_matches('"').parse::<f64>().ok();
    number
        .filter(|number| is_name || number.is_finite())
        .ok_or_else(|| E::custom("a doubleValue is no number"))
}

/// `ExportLogsServiceRequest`
pub(super) fn read(body: &[u8], entries: &mut Entries<'_>) -> Result<(), BodyError> {
    let text = std::str::from_utf8(body)
        .map_err(|error| BodyError::BrokenJson(format!("byte {} is not UTF-8", error.valid_up_to())))?;
    let whole: &RawValue =
        serde_json::from_str(text).map_err(|error| BodyError::BrokenJson(error.to_string()))?;
    let request: Request<'_> = part(whole)?;
    for resource_logs in request.resource_logs.unwrap_or_default() {
        let ResourceLogs { resource, scope_logs } = part(resource_logs)?;
        let resource = scope_or_resource(resource)?;
        for scope_logs in scope_logs.unwrap_or_default() {
            let ScopeLogs { scope, log_records } = part(scope_logs)?;
            let scope = scope_or_resource(scope)?;
            let mut group = entries.group(&resource.attributes, &scope);
            for raw in log_records.unwrap_or_default() {
                entries.add(&mut group, raw.get().len(), || record(raw))?;
            }
        }
    }
    Ok(())
}

/// A part without which nothing can be told of the records in it. A list is no message, though serde would take one for it.
fn part<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, BodyError> {
    if !raw.get().starts_with('{') {
        return Err(BodyError::NoRequest("a message is no JSON object".to_owned()));
    }
    serde_json::from_str(raw.get()).map_err(|error| BodyError::NoRequest(json::reason(&error)))
}

fn scope_or_resource(raw: Option<&RawValue>) -> Result<Scope<'_>, BodyError> {
    let Some(raw) = raw else {
        return Ok(Scope::default());
    };
    within_a_record(raw.get().len())?;
    let of: ScopeOrResource<'_> = part(raw)?;
    let scope = Scope {
        name: of.name.unwrap_or_default(),
        version: of.version.unwrap_or_default(),
        attributes: without_repeats(attributes(of.attributes)),
    };
    // It stands within an object of its own.
    if scope
        .attributes
        .iter()
        .any(|(_, value)| value.depth() >= MAX_DEPTH)
    {
        return Err(BodyError::NoRequest(ValueError::TooDeep.to_string()));
    }
    Ok(scope)
}

/// `LogRecord`
fn record(raw: &RawValue) -> Result<Record<'_>, Fault> {
    let invalid = |reason: String| Fault::Record(EntryError::Invalid(reason));
    if !raw.get().starts_with('{') {
        return Err(invalid("it is no JSON object".to_owned()));
    }
    let record: LogRecord<'_> = serde_json::from_str(raw.get()).map_err(|error| {
        let reason = json::reason(&error);
        match reason.contains("recursion limit") {
            true => Fault::Record(EntryError::Value(ValueError::TooDeep)),
            false => invalid(reason),
        }
    })?;
    Ok(Record {
        time: Whole::of(record.time_unix_nano),
        observed: Whole::of(record.observed_time_unix_nano),
        severity_number: Whole::of(record.severity_number),
        severity_text: record.severity_text.unwrap_or_default(),
        body: record.body,
        attributes: attributes(record.attributes),
        dropped_attributes: Whole::of(record.dropped_attributes_count),
        flags: Whole::of(record.flags),
        trace_id: id(record.trace_id),
        span_id: id(record.span_id),
        event_name: record.event_name.unwrap_or_default(),
    })
}

/// An id as it is compared: in small letters, and nothing where it is all zeros.
fn id(text: Option<Cow<'_, str>>) -> Cow<'_, str> {
    let text = text.unwrap_or_default();
    if text.bytes().all(|byte| byte == b'0') {
        return Cow::Borrowed("");
    }
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        return text.to_ascii_lowercase().into();
    }
    text
}
