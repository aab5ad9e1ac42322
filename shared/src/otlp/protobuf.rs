//! OTLP in protobuf: the messages of `opentelemetry.proto.logs.v1`, read from the wire (encoding: protobuf.dev).
//!
//! What is unknown is passed over, as protobuf wants. A text that is not UTF-8 is shown with marks in the place of what
//! cannot be read: a name in another encoding is no reason to lose a batch.

mod wire;

use std::borrow::Cow;

use self::wire::{Broken, Message, Value};
use super::{
    Entries, Fault,
    mapping::without_repeats,
    model::{Any, Attributes, Record, Scope, hex},
    within_a_record,
};
use crate::{
    api::MAX_DEPTH,
    json::ValueError,
    publish::{BodyError, EntryError},
};

impl From<Broken> for BodyError {
    fn from(broken: Broken) -> Self {
        Self::NoRequest(broken.to_string())
    }
}

impl From<Broken> for Fault {
    fn from(broken: Broken) -> Self {
        Self::Body(broken.into())
    }
}

/// What is wrong with a resource or a scope is wrong with all of its records.
impl From<Fault> for BodyError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Body(error) => error,
            Fault::Record(error) => Self::NoRequest(error.to_string()),
        }
    }
}

/// `ExportLogsServiceRequest`
pub(super) fn read(body: &[u8], entries: &mut Entries<'_>) -> Result<(), BodyError> {
    for field in Message(body) {
        if let (1, value) = field? {
            resource_logs(value.message()?, entries)?;
        }
    }
    Ok(())
}

/// `ResourceLogs`. Its parts may stand in any order, so the resource is looked for before the records are read.
fn resource_logs(bytes: &[u8], entries: &mut Entries<'_>) -> Result<(), BodyError> {
    let mut resource = Attributes::new();
    for field in Message(bytes) {
        if let (1, value) = field? {
            let message = value.message()?;
            within_a_record(message.len())?;
            for field in Message(message) {
                if let (1, value) = field? {
                    key_value(value.message()?, &mut resource, 1)?;
                }
            }
        }
    }
    let resource = without_repeats(resource);
    for field in Message(bytes) {
        if let (2, value) = field? {
            scope_logs(value.message()?, &resource, entries)?;
        }
    }
    Ok(())
}

/// `ScopeLogs`
fn scope_logs<'a>(
    bytes: &'a [u8],
    resource: &Attributes<'a>,
    entries: &mut Entries<'_>,
) -> Result<(), BodyError> {
    let mut scope = Scope::default();
    for field in Message(bytes) {
        if let (1, value) = field? {
            let message = value.message()?;
            within_a_record(message.len())?;
            for field in Message(message) {
                match field? {
                    (1, value) => scope.name = value.text()?,
                    (2, value) => scope.version = value.text()?,
                    (3, value) => key_value(value.message()?, &mut scope.attributes, 1)?,
                    _ => {}
                }
            }
        }
    }
    scope.attributes = without_repeats(scope.attributes);
    let mut group = entries.group(resource, &scope);
    for field in Message(bytes) {
        if let (2, value) = field? {
            let message = value.message()?;
            entries.add(&mut group, message.len(), || record(message))?;
        }
    }
    Ok(())
}

/// `LogRecord`
fn record(bytes: &[u8]) -> Result<Record<'_>, Fault> {
    let mut record = Record::default();
    for field in Message(bytes) {
        match field? {
            (1, value) => record.time = value.fixed64()?,
            (2, value) => record.severity_number = value.int32()?,
            (3, value) => record.severity_text = value.text()?,
            (5, value) => any(value.message()?, record.body.get_or_insert_default(), 0)?,
            (6, value) => key_value(value.message()?, &mut record.attributes, 0)?,
            (7, value) => record.dropped_attributes = value.uint32()?,
            (8, value) => record.flags = value.fixed32()?,
            (9, value) => record.trace_id = hex(value.bytes()?).into(),
            (10, value) => record.span_id = hex(value.bytes()?).into(),
            (11, value) => record.observed = value.fixed64()?,
            (12, value) => record.event_name = value.text()?,
            _ => {}
        }
    }
    Ok(record)
}

/// `KeyValue`, which stands `depth` lists and maps deep.
fn key_value<'a>(bytes: &'a [u8], attributes: &mut Attributes<'a>, depth: usize) -> Result<(), Fault> {
    let (mut name, mut of_name) = (Cow::Borrowed(""), Any::default());
    for field in Message(bytes) {
        match field? {
            (1, value) => name = value.text()?,
            (2, value) => any(value.message()?, &mut of_name, depth)?,
            _ => {}
        }
    }
    attributes.push((name, of_name));
    Ok(())
}

/// `AnyValue`. Of several that are said the last counts; a list or map that comes in pieces is put together.
fn any<'a>(bytes: &'a [u8], any: &mut Any<'a>, depth: usize) -> Result<(), Fault> {
    for field in Message(bytes) {
        match field? {
            (1, value) => *any = Any::Text(value.text()?),
            (2, value) => *any = Any::Bool(value.varint()? != 0),
            (3, value) => *any = Any::Int(value.varint()?.cast_signed()),
            (4, value) => *any = Any::Double(f64::from_bits(value.fixed64()?)),
            (5, value) => {
                let depth = deeper(depth)?;
                let mut items = match std::mem::take(any) {
                    Any::List(items) => items,
                    _ => Vec::new(),
                };
                for field in Message(value.message()?) {
                    if let (1, value) = field? {
                        let mut item = Any::default();
                        self::any(value.message()?, &mut item, depth)?;
                        items.push(item);
                    }
                }
                *any = Any::List(items);
            }
            (6, value) => {
                let depth = deeper(depth)?;
                let mut pairs = match std::mem::take(any) {
                    Any::Map(pairs) => pairs,
                    _ => Attributes::new(),
                };
                for field in Message(value.message()?) {
                    if let (1, value) = field? {
                        key_value(value.message()?, &mut pairs, depth)?;
                    }
                }
                *any = Any::Map(pairs);
            }
            (7, value) => *any = Any::Bytes(value.bytes()?),
            _ => {}
        }
    }
    Ok(())
}

fn deeper(depth: usize) -> Result<usize, Fault> {
    if depth == MAX_DEPTH {
        return Err(Fault::Record(EntryError::Value(ValueError::TooDeep)));
    }
    Ok(depth + 1)
}

impl Value<'_> {
    fn int32(self) -> Result<i32, Broken> {
        // What has more bits than the type is cut, as protobuf wants.
        #[expect(clippy::cast_possible_truncation)]
        Ok(self.varint()? as i32)
    }

    fn uint32(self) -> Result<u32, Broken> {
        #[expect(clippy::cast_possible_truncation)]
        Ok(self.varint()? as u32)
    }
}
