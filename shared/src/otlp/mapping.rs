//! From what OTLP says to an entry: where it belongs, and what it says.

use std::{borrow::Cow, collections::HashMap};

use super::model::{Any, Attributes, Record, Scope, append_object};
use crate::{
    Channel, Fields, Level, LogEntry, Timestamp,
    api::MAX_SEGMENT_CHARS,
    append_text,
    publish::{EntryError, within_a_record},
};

/// Which attributes name a record's channel. Each part is that of the first of its names that a record has, and of one name
/// what the record itself says wins over its scope, and that over its resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeNames {
    /// Of the service.
    pub service: Vec<String>,
    /// Of the workspace.
    pub workspace: Vec<String>,
    /// Of the resource within it. Where there is none, the channel has three parts.
    pub resource: Vec<String>,
    /// The workspace of records that name none.
    pub default_workspace: Option<String>,
}

impl Default for AttributeNames {
    fn default() -> Self {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            service: list(&["service.name"]),
            workspace: list(&["workspace.id", "service.namespace"]),
            resource: list(&["workflow.id", "faas.name"]),
            default_workspace: None,
        }
    }
}

/// What an SDK says of itself, the same with every record of a service.
const OF_THE_SDK: &str = "telemetry.sdk.";
/// Nearer together, when it was seen says no more than when it happened.
const LATE_NANOS: u64 = 1_000_000_000;

/// What the records of a scope of a resource have in common.
pub(super) struct Group<'g, 'a, 'n> {
    names: &'n AttributeNames,
    resource: &'g Attributes<'a>,
    scope: &'g Scope<'a>,
    /// The fields of scope and resource as they were last written, and which attributes were left out: for nearly all records
    /// the same.
    common: Option<(LeftOut, Vec<Own>)>,
}

/// The attributes that the channel says already, by their place among those of record, scope and resource.
type LeftOut = [Vec<usize>; 3];
/// A field that is no attribute: its name, and its value in JSON.
type Own = (&'static str, String);

/// A part of a channel, and where it was found.
struct Found {
    segment: String,
    /// In which list, and where there.
    at: (usize, usize),
    /// Whether the segment is all that the attribute says.
    is_all: bool,
}

impl<'g, 'a, 'n> Group<'g, 'a, 'n> {
    pub(super) const fn new(
        names: &'n AttributeNames,
        resource: &'g Attributes<'a>,
        scope: &'g Scope<'a>,
    ) -> Self {
        Self {
            names,
            resource,
            scope,
            common: None,
        }
    }

    /// How many attributes are looked at with each record, besides its own.
    pub(super) const fn attributes(&self) -> usize {
        self.resource.len() + self.scope.attributes.len()
    }

    /// The entry that a record becomes.
    pub(super) fn entry(&mut self, record: Record<'a>, now: Timestamp) -> Result<LogEntry, EntryError> {
        let (channel, left_out) = self.channel(&record.attributes)?;
        let (level, says_all) = level(record.severity_number, &record.severity_text);
        let mut own = Vec::new();
        append(&mut own, "event_name", &record.event_name);
        if !says_all {
            append(&mut own, "severity_text", &record.severity_text);
        }
        // The first of each level says no more than the level.
        if record.severity_number != 0 && !matches!(record.severity_number, 1 | 5 | 9 | 13 | 17 | 21) {
            own.push(("severity_number", record.severity_number.to_string()));
        }
        append(&mut own, "trace_id", &record.trace_id);
        append(&mut own, "span_id", &record.span_id);
        for (name, number) in [
            ("trace_flags", record.flags),
            ("dropped_attributes_count", record.dropped_attributes),
        ] {
            if number != 0 {
                own.push((name, number.to_string()));
            }
        }
        if record.time != 0 && record.observed.abs_diff(record.time) >= LATE_NANOS && record.observed != 0 {
            let observed = time(record.observed, now).to_string();
            append(&mut own, "observed_timestamp", &observed);
        }
        let message = match record.body {
            Some(Any::Text(text)) => text.into_owned(),
            None | Some(Any::Null) => record.event_name.into_owned(),
            Some(other) => {
                let mut text = String::new();
                other.append_json(&mut text);
                // Bytes are a text in JSON, and as a message that text.
                match other {
                    Any::Bytes(_) => text.trim_matches('"').to_owned(),
                    _ => text,
                }
            }
        };
        let timestamp = match (record.time, record.observed) {
            (0, 0) => now,
            (0, observed) => time(observed, now),
            (happened, _) => time(happened, now),
        };
        let of_record = left_out[0].clone();
        let common = self.common(left_out);
        let fields = fields(&record.attributes, &of_record, &own, common);
        within_a_record(LogEntry {
            channel,
            timestamp,
            level,
            message,
            fields,
        })
    }

    /// Where a record belongs, and which attributes need not be said again.
    fn channel(&self, record: &Attributes<'a>) -> Result<(Channel, LeftOut), EntryError> {
        let lists = [record, &self.scope.attributes, self.resource];
        let names = self.names;
        let service = find(&names.service, lists);
        let workspace = find(&names.workspace, lists);
        let resource = find(&names.resource, lists);
        let missing = |part, names: &[String], setting| EntryError::MissingAttribute {
            part,
            names: names.join(" or "),
            setting,
        };
        let of_service = service.as_ref().map(|found| found.segment.as_str());
        let of_workspace = workspace.as_ref().map(|found| found.segment.as_str());
        let channel = Channel::new(
            of_service.ok_or_else(|| missing("service", &names.service, "OTLP_SERVICE"))?,
            of_workspace
                .or(names.default_workspace.as_deref())
                .ok_or_else(|| missing("workspace", &names.workspace, "OTLP_DEFAULT_WORKSPACE"))?,
            resource.as_ref().map(|found| found.segment.as_str()),
        );
        let channel = channel.map_err(|error| EntryError::Channel {
            text: names.default_workspace.clone().unwrap_or_default(),
            error,
        })?;
        let mut left_out = LeftOut::default();
        for found in [service, workspace, resource].into_iter().flatten() {
            if found.is_all {
                left_out[found.at.0].push(found.at.1);
            }
        }
        Ok((channel, left_out))
    }

    /// What scope and resource add to the fields.
    fn common(&mut self, left_out: LeftOut) -> &[Own] {
        let is_known = matches!(&self.common, Some((known, _)) if known[1..] == left_out[1..]);
        if !is_known {
            self.common = None;
        }
        let (scope, resource) = (self.scope, self.resource);
        let (_, own) = self.common.get_or_insert_with(|| {
            let mut own = Vec::new();
            append(&mut own, "scope", &scope.name);
            append(&mut own, "scope_version", &scope.version);
            append_attributes(&mut own, "scope_attributes", &scope.attributes, &left_out[1]);
            append_attributes(&mut own, "resource", resource, &left_out[2]);
            (left_out, own)
        });
        own
    }
}

/// The first of these names that an attribute has which can name something.
fn find(names: &[String], lists: [&Attributes<'_>; 3]) -> Option<Found> {
    names.iter().find_map(|name| {
        lists.iter().enumerate().find_map(|(list, attributes)| {
            let place = attributes.iter().rposition(|(known, _)| known == name)?;
            let text = attributes[place].1.as_name()?;
            let segment = segment(&text);
            Some(Found {
                is_all: segment == *text,
                segment,
                at: (list, place),
            })
        })
    })
}

/// A name as a channel can have it: what it may not have is `_`, and after 128 characters it ends.
fn segment(text: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let chars = text.chars().take(MAX_SEGMENT_CHARS);
    chars.map(|c| if allowed(c) { c } else { '_' }).collect()
}

/// The level, and whether it is all that the text says.
fn level(number: i32, text: &str) -> (Level, bool) {
    let level = match number {
        1..=4 => Level::Trace,
        5..=8 => Level::Debug,
        9..=12 => Level::Info,
        13..=16 => Level::Warn,
        17..=20 => Level::Error,
        21..=24 => Level::Fatal,
        _ => text.parse().unwrap_or_default(),
    };
    (level, text.eq_ignore_ascii_case(level.as_str()))
}

/// A time in nanoseconds since 1970: all that 64 bits can say is before the year 9999.
fn time(nanos: u64, now: Timestamp) -> Timestamp {
    let ms = i64::try_from(nanos / 1_000_000);
    ms.ok()
        .and_then(|ms| Timestamp::from_unix_ms(ms).ok())
        .unwrap_or(now)
}

fn append(own: &mut Vec<Own>, name: &'static str, text: &str) {
    if !text.is_empty() {
        let mut json = String::with_capacity(text.len() + 2);
        append_text(&mut json, text);
        own.push((name, json));
    }
}

fn append_attributes(
    own: &mut Vec<Own>,
    name: &'static str,
    attributes: &Attributes<'_>,
    left_out: &[usize],
) {
    let is_kept = |place: usize, of: &str| !left_out.contains(&place) && !of.starts_with(OF_THE_SDK);
    let kept = attributes
        .iter()
        .enumerate()
        .filter(|(place, (of, _))| is_kept(*place, of))
        .map(|(_, attribute)| attribute);
    if kept.clone().next().is_some() {
        let mut json = String::new();
        append_object(&mut json, kept);
        own.push((name, json));
    }
}

/// The fields of a record: its attributes, and what else is said of it, which wins where both have a name.
fn fields(attributes: &Attributes<'_>, left_out: &[usize], own: &[Own], common: &[Own]) -> Fields {
    let mut json = String::from("{");
    let last = last_of_each(attributes.iter().map(|(name, _)| &**name));
    let is_own = |name: &str| own.iter().chain(common).any(|(known, _)| *known == name);
    for (place, (name, value)) in attributes.iter().enumerate() {
        if last.is_last(name, place) && !left_out.contains(&place) && !is_own(name) {
            start_name(&mut json, name);
            value.append_json(&mut json);
        }
    }
    for (name, value) in own.iter().chain(common) {
        start_name(&mut json, name);
        json.push_str(value);
    }
    json.push('}');
    Fields::of_compact(&json)
}

fn start_name(json: &mut String, name: &str) {
    if json.len() > 1 {
        json.push(',');
    }
    append_text(json, name);
    json.push(':');
}

/// The attributes without those that another one of the same name follows: what is shared is looked at again and again.
pub(super) fn without_repeats(attributes: Attributes<'_>) -> Attributes<'_> {
    let last = last_of_each(attributes.iter().map(|(name, _)| &**name));
    let places = attributes.iter().enumerate();
    let kept: Vec<bool> = places
        .map(|(place, (name, _))| last.is_last(name, place))
        .collect();
    drop(last);
    let attributes = attributes.into_iter().zip(kept);
    attributes
        .filter_map(|(attribute, is_kept)| is_kept.then_some(attribute))
        .collect()
}

/// Which of the names that are there more than once stands last.
pub(super) struct Last<'n>(Cow<'n, [&'n str]>, HashMap<&'n str, usize>);

/// Up to so many, looking through them costs less than a table.
const FEW: usize = 16;

pub(super) fn last_of_each<'n>(names: impl Iterator<Item = &'n str>) -> Last<'n> {
    let names: Vec<&str> = names.collect();
    let places = match names.len() {
        ..=FEW => HashMap::new(),
        _ => names.iter().copied().zip(0..).collect(),
    };
    Last(names.into(), places)
}

impl Last<'_> {
    pub(super) fn is_last(&self, name: &str, place: usize) -> bool {
        match self.0.len() {
            ..=FEW => !self.0[place + 1..].contains(&name),
            _ => self.1.get(name) == Some(&place),
        }
    }
}
