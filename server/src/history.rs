//! [`History`]: a part of the past.

use std::task::Waker;

use logs_shared::{HistoryQuery, LogRecord, RecordId, query::QueryError, sse};
use regex::{Regex, RegexBuilder};
use serde_json::Value;

use crate::{
    engine::{Engine, StoreAway, Watch},
    newest::newest,
    reader::{Broken, Progress, Reader},
};

/// A part of the past: a reader that stops. Records come ascending, in portions, each as its JSON.
///
/// Looking for a text takes time, so whoever asks does so where waiting hurts nobody.
pub(crate) struct History {
    reader: Reader,
    /// The last record that may be in it.
    limit: RecordId,
    filter: Filter,
    remaining: usize,
    has_more: bool,
    ended: bool,
    /// Whether it ended because the store went away.
    is_cut: bool,
    /// Gaps as JSON, each as a stream sends it. `None` where nobody asked for what comes after a place.
    gaps: Option<Vec<String>>,
}

/// One record of the past.
pub(crate) struct Past {
    pub(crate) id: RecordId,
    pub(crate) json: String,
}

/// Why the past is not looked through.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotBegun {
    /// What is looked for cannot be.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The store is away.
    #[error(transparent)]
    Away(#[from] StoreAway),
}

/// The name of the event that says where records are missing.
const GAP: &str = "gap";
/// About how many bytes are looked at for one portion.
const PORTION_BYTES: usize = 256 * 1024;

impl History {
    /// With `after` the oldest records from there, otherwise the newest. `watch` is of the channels that are asked for. Blocks.
    ///
    /// # Errors
    /// The text to look for is no regular expression that can be used, or the store is away.
    pub(crate) fn new(engine: &Engine, watch: Watch, query: HistoryQuery) -> Result<Self, NotBegun> {
        let HistoryQuery {
            after,
            before,
            limit: count,
            q,
            ..
        } = query;
        let filter = Filter::new(q.as_deref())?;
        let log = engine.log().clone();
        let head = engine.head();
        let limit = before.map_or(head, |before| before.previous().min(head));
        let gaps = after.map(|_| Vec::new());
        let (cursor, has_more) = match after {
            Some(after) => (after, false),
            None => {
                let newest = newest(&log, &watch, count, limit, |record| filter.takes(record.json()))?;
                (newest.cursor, newest.has_more)
            }
        };
        let reader = Reader::new(log, watch, cursor, true)?;
        Ok(Self {
            reader,
            limit,
            filter,
            remaining: count,
            has_more,
            ended: cursor >= limit,
            is_cut: false,
            gaps,
        })
    }

    /// The next records; `None` at the end. A portion may be empty although there are more.
    pub(crate) fn next_portion(&mut self) -> Option<Vec<Past>> {
        if self.ended {
            return None;
        }
        let mut frames = Vec::new();
        let progress = self.reader.read(Waker::noop(), PORTION_BYTES, &mut frames);
        self.ended = !matches!(progress, Ok(Progress::Records(_)));
        self.is_cut = progress == Err(Broken::Away);
        let mut portion = Vec::new();
        sse::Parser::default().feed(&frames, |event, id| {
            if event.name == GAP {
                self.gaps
                    .iter_mut()
                    .for_each(|gaps| gaps.push(event.data.clone()));
            } else if event.name.is_empty()
                && let Ok(id) = id.parse()
            {
                self.take(id, event.data, &mut portion);
            }
        });
        Some(portion)
    }

    fn take(&mut self, id: RecordId, json: String, portion: &mut Vec<Past>) {
        if self.ended || id > self.limit {
            self.ended = true;
        } else if self.filter.takes(&json) {
            if self.remaining == 0 {
                (self.ended, self.has_more) = (true, true);
            } else {
                self.remaining -= 1;
                portion.push(Past { id, json });
            }
        }
    }

    /// Whether it ended because the store went away: there may be more.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Whether there are others that would have been taken but for their number. Known at the end.
    pub(crate) fn has_more(&self) -> bool {
        self.has_more
    }

    /// What is missing after the place that the oldest were asked from, each gap as a stream sends it. Known at the
    /// end.
    pub(crate) fn gaps(&self) -> &[String] {
        self.gaps.as_deref().unwrap_or_default()
    }
}

/// A text to look for in message and fields: without regard to case, or `/regex/` with it. The time a
/// search takes grows with the text only, never with the expression's form, and its size is bounded.
struct Filter(Option<Regex>);

/// The most memory a compiled expression may take, in bytes.
const EXPRESSION_BYTES: usize = 1024 * 1024;

impl Filter {
    fn new(q: Option<&str>) -> Result<Self, QueryError> {
        let Some(q) = q else { return Ok(Self(None)) };
        let expression = q
            .strip_prefix('/')
            .and_then(|rest| rest.strip_suffix('/'))
            .filter(|e| !e.is_empty());
        let builder = match expression {
            Some(expression) => RegexBuilder::new(expression),
            None => {
                let mut builder = RegexBuilder::new(&regex::escape(q));
                builder.case_insensitive(true);
                builder
            }
        };
        let compiled = { builder }.size_limit(EXPRESSION_BYTES).build();
        compiled
            .map(|regex| Self(Some(regex)))
            .map_err(|error| QueryError::expression(q, &error))
    }

    fn takes(&self, json: &str) -> bool {
        let Some(regex) = &self.0 else { return true };
        serde_json::from_str::<LogRecord>(json).is_ok_and(|record| {
            regex.is_match(&record.message)
                || (!record.fields.is_empty() && is_in_fields(regex, record.fields.as_json()))
        })
    }
}

/// Fields are kept as they were sent, so JSON may write one text in several ways: it is looked for as it is written, and
/// where anything is escaped also as it is meant.
fn is_in_fields(regex: &Regex, fields: &str) -> bool {
    regex.is_match(fields)
        || (fields.contains('\\')
            && serde_json::from_str::<Value>(fields).is_ok_and(|fields| is_in_value(regex, &fields)))
}

/// Fields nest no deeper than a publication may.
fn is_in_value(regex: &Regex, value: &Value) -> bool {
    match value {
        Value::String(text) => regex.is_match(text),
        Value::Array(values) => values.iter().any(|value| is_in_value(regex, value)),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| regex.is_match(name) || is_in_value(regex, value)),
        // Written in one way only.
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
