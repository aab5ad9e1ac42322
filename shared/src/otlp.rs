//! OpenTelemetry's logs (OTLP/HTTP): a request taken apart into entries, and the answers to it.
//!
//! Read here and not by code that is made from the protocol's schema, which would first make an object of everything that
//! is sent: two bytes can be a record, and so a few kilobytes, packed, would become gigabytes.

mod answer;
mod json;
mod mapping;
mod model;
mod protobuf;

pub use self::{answer::Answer, mapping::AttributeNames};
use self::{
    mapping::Group,
    model::{Attributes, Scope},
};
use crate::{
    LogEntry, Timestamp,
    api::{MAX_RECORD_BYTES, MAX_RECORDS_PER_PUBLICATION},
    publish::{BodyError, EntryError},
};

/// How a request is written, and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `application/x-protobuf`
    Protobuf,
    /// `application/json`, as OTLP has it: ids in hexadecimal, enumerations as numbers.
    Json,
}

/// The media type of OTLP in protobuf.
pub const PROTOBUF_TYPE: &str = "application/x-protobuf";

/// The most bytes that the records of one request may have together, once what they share (their resource, their scope) is
/// said with each. Without a limit a resource of a quarter of a megabyte, said once, would be kept 100,000 times.
pub const MAX_SPELT_OUT_BYTES: usize = 32 * 1024 * 1024;

/// What an attribute of a resource or scope counts as with each record, where the record says no more in the end: it is looked
/// at with each.
const ATTRIBUTE_BYTES: usize = 8;

/// What a record, a resource or a scope may have as it is sent. What is longer than this is too long as JSON as well, and is
/// not taken apart.
const LONGEST_PART: usize = 8 * MAX_RECORD_BYTES;

/// Takes an `ExportLogsServiceRequest` apart: each record that was sent, in order, as an entry or the reason why it is none.
/// `now` stands in for a time that no record names. A request without a record is none of an error.
///
/// # Errors
/// [`BodyError`] where nothing can be told of single records: then none of them counts.
pub fn parse(
    body: &[u8],
    encoding: Encoding,
    names: &AttributeNames,
    now: Timestamp,
) -> Result<Vec<Result<LogEntry, EntryError>>, BodyError> {
    let mut entries = Entries {
        names,
        now,
        entries: Vec::new(),
        bytes: 0,
    };
    match encoding {
        Encoding::Protobuf => protobuf::read(body, &mut entries)?,
        Encoding::Json => json::read(body, &mut entries)?,
    }
    Ok(entries.entries)
}

/// Where both readers put what they find.
struct Entries<'n> {
    names: &'n AttributeNames,
    now: Timestamp,
    entries: Vec<Result<LogEntry, EntryError>>,
    /// What they have together, and what those had that are too large.
    bytes: usize,
}

impl<'n> Entries<'n> {
    /// What the records of a scope of a resource have in common.
    fn group<'g, 'a>(&self, resource: &'g Attributes<'a>, scope: &'g Scope<'a>) -> Group<'g, 'a, 'n> {
        Group::new(self.names, resource, scope)
    }

    /// Takes a record of `length` bytes as it was sent, which `read` takes apart.
    fn add<'a>(
        &mut self,
        group: &mut Group<'_, 'a, 'n>,
        length: usize,
        read: impl FnOnce() -> Result<model::Record<'a>, Fault>,
    ) -> Result<(), BodyError> {
        if self.entries.len() == MAX_RECORDS_PER_PUBLICATION {
            return Err(BodyError::TooManyRecords);
        }
        let entry = if length > LONGEST_PART {
            Err(EntryError::TooLarge(length))
        } else {
            match read() {
                Ok(record) => group.entry(record, self.now),
                Err(Fault::Record(error)) => Err(error),
                Err(Fault::Body(error)) => return Err(error),
            }
        };
        // What is refused has cost as much by now: two bytes could be a record with all that its resource says.
        let spelt_out = match &entry {
            Ok(entry) => entry.message.len() + entry.fields.as_json().len(),
            Err(EntryError::TooLarge(bytes)) if length <= LONGEST_PART => *bytes,
            Err(_) => 0,
        };
        self.bytes += spelt_out.max(ATTRIBUTE_BYTES * group.attributes());
        if self.bytes > MAX_SPELT_OUT_BYTES {
            return Err(BodyError::TooMuch);
        }
        self.entries.push(entry);
        Ok(())
    }
}

/// Refuses a resource or a scope that no record could hold.
fn within_a_record(length: usize) -> Result<(), BodyError> {
    if length > LONGEST_PART {
        return Err(BodyError::TooMuch);
    }
    Ok(())
}

/// What is wrong, and with what.
enum Fault {
    /// With all of it: what comes after cannot be told either.
    Body(BodyError),
    /// With this record.
    Record(EntryError),
}

#[cfg(test)]
mod tests;
