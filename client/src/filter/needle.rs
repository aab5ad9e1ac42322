//! [`Needle`]: what someone looks for.

use std::{fmt, ops::Range};

use logs_shared::LogRecord;

use super::pattern::Pattern;
use crate::{ansi, lower::lower, value::Value};

/// What someone looks for in messages, fields and channels:
///
/// - `text`, without regard to case; white space around it does not count;
/// - `/expression/flags`, as the browser's `RegExp` reads it;
/// - `name=value`, where a field has exactly this value without regard to case, `name=start*` where its
///   value starts so, or the message has these words; a `.` in the name goes into objects.
///
/// One that is empty or cannot be read is everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needle {
    text: String,
    kind: Kind,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Nothing,
    Text(Words),
    Field {
        name: String,
        value: Words,
        is_start: bool,
        words: Words,
    },
    Pattern(Pattern),
    /// An expression that is none, and why.
    Wrong(String),
}

impl fmt::Display for Needle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Needle {
    /// Looks for what is written so.
    pub(crate) fn new(text: &str) -> Self {
        let words = text.trim();
        let kind = if words.is_empty() {
            Kind::Nothing
        } else if let Some((source, flags)) = expression(words) {
            match Pattern::new(source, flags) {
                Ok(pattern) => Kind::Pattern(pattern),
                Err(why) => Kind::Wrong(why),
            }
        } else if let Some((name, value)) = field(words) {
            let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            let start = value.strip_suffix('*').filter(|_| quoted.is_none());
            Kind::Field {
                name: name.to_owned(),
                value: Words::new(quoted.or(start).unwrap_or(value)),
                is_start: start.is_some(),
                words: Words::new(words),
            }
        } else {
            Kind::Text(Words::new(words))
        };
        Self {
            text: text.to_owned(),
            kind,
        }
    }

    /// Looks for a field's value.
    pub(crate) fn for_field(name: &str, value: &str) -> Self {
        let is_plain =
            !value.is_empty() && value.trim() == value && !value.ends_with('*') && !value.starts_with('"');
        let text = if is_plain {
            format!("{name}={value}")
        } else {
            format!("{name}=\"{value}\"")
        };
        // A name that cannot be written so, or a value of several lines, which a search field cannot hold.
        if value.contains(['\n', '\r']) || field(&text).is_none_or(|(read, _)| read != name) {
            return Self::new(value.lines().next().unwrap_or_default());
        }
        Self::new(&text)
    }

    /// Whether anything is looked for.
    pub(crate) fn is_set(&self) -> bool {
        !matches!(self.kind, Kind::Nothing | Kind::Wrong(_))
    }

    /// What is wrong with it, in words.
    pub(crate) fn error(&self) -> Option<&str> {
        match &self.kind {
            Kind::Wrong(why) => Some(why),
            _ => None,
        }
    }

    /// Whether a record has it.
    pub(crate) fn is_in(&self, record: &LogRecord) -> bool {
        let fields = record.fields.as_json();
        match &self.kind {
            Kind::Nothing | Kind::Wrong(_) => true,
            Kind::Text(words) => {
                words.is_in(&ansi::plain(&record.message))
                    || words.is_in(fields)
                    || words.is_in(record.channel.as_str())
                    // JSON may write what it says in another way.
                    || (fields.contains('\\') && self.is_in_values(Value::of(record)))
            }
            Kind::Field { name, words, .. } => {
                (!record.fields.is_empty() && self.is_in_field(Value::of(record), name))
                    || words.is_in(&ansi::plain(&record.message))
            }
            Kind::Pattern(pattern) => {
                pattern.is_in(&ansi::plain(&record.message))
                    || (!record.fields.is_empty() && pattern.is_in(fields))
                    || (fields.contains('\\') && self.is_in_values(Value::of(record)))
                    || pattern.is_in(record.channel.as_str())
            }
        }
    }

    /// Whether it is what a field has, so that the field as a whole is marked.
    pub(crate) fn is_field(&self, name: &str, text: &str) -> bool {
        match &self.kind {
            Kind::Field {
                name: wanted,
                value,
                is_start,
                ..
            } => {
                wanted == name
                    && value
                        .find(text, 0)
                        .is_some_and(|found| found.start == 0 && (*is_start || found.end == text.len()))
                    || wanted == name && value.text.is_empty() && (*is_start || text.is_empty())
            }
            _ => false,
        }
    }

    fn is_in_field(&self, object: Value<'_>, path: &str) -> bool {
        let Kind::Field { name: wanted, .. } = &self.kind else {
            return false;
        };
        // Most records have no such field, and looking is cheaper than taking apart.
        let last = path.rsplit('.').next().unwrap_or(path);
        if !has(object.json(), last) {
            return false;
        }
        object.children().any(|(name, value)| {
            if name == path {
                return value.scalar().is_some_and(|text| self.is_field(wanted, &text));
            }
            path.strip_prefix(&*name)
                .and_then(|rest| rest.strip_prefix('.'))
                .is_some_and(|rest| self.is_in_field(value, rest))
        })
    }

    fn is_in_values(&self, value: Value<'_>) -> bool {
        match value.scalar() {
            Some(text) => !self.find(&text, 1).is_empty(),
            None => value
                .children()
                .any(|(name, value)| !self.find(&name, 1).is_empty() || self.is_in_values(value)),
        }
    }

    /// Where it is in `text`, in bytes, at most so many times; matches do not overlap and are not empty.
    pub(crate) fn find(&self, text: &str, most: usize) -> Vec<Range<usize>> {
        match &self.kind {
            Kind::Nothing | Kind::Wrong(_) => Vec::new(),
            Kind::Pattern(pattern) => pattern.find(text, most),
            Kind::Text(words) | Kind::Field { words, .. } => {
                let mut from = 0;
                let next = || {
                    let found = words.find(text, from)?;
                    from = found.end;
                    Some(found)
                };
                std::iter::from_fn(next).take(most).collect()
            }
        }
    }
}

/// Whether a text has a part. The standard library's way pays for long parts with more code than all of
/// this file.
fn has(text: &str, part: &str) -> bool {
    let Some((first, rest)) = part.as_bytes().split_first() else {
        return true;
    };
    let mut text = text.as_bytes();
    while let Some(at) = text.iter().position(|byte| byte == first) {
        text = &text[at + 1..];
        if text.starts_with(rest) {
            return true;
        }
    }
    false
}

/// `/expression/flags`. A path such as `/api/v1` is none.
fn expression(text: &str) -> Option<(&str, &str)> {
    let (source, flags) = text.strip_prefix('/')?.rsplit_once('/')?;
    let is_flag = |flag: char| "dgimsuvy".contains(flag);
    (!source.is_empty() && flags.chars().all(is_flag)).then_some((source, flags))
}

/// `name=value`.
fn field(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let is_name =
        !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || "\"'(){}[]<>!:?&".contains(c));
    (is_name && !value.is_empty()).then_some((name, value))
}

/// Text that is looked for without regard to case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Words {
    /// In lower case.
    text: Box<str>,
    /// Whether it was ASCII before: one letter that is not becomes one that is.
    is_ascii: bool,
}

impl Words {
    fn new(text: &str) -> Self {
        Self {
            text: text.chars().map(lower).collect(),
            is_ascii: text.is_ascii(),
        }
    }

    fn is_in(&self, text: &str) -> bool {
        self.find(text, 0).is_some()
    }

    /// Where it is next, in bytes. Nothing where it is empty. Runs for every record that comes: no allocation.
    fn find(&self, text: &str, from: usize) -> Option<Range<usize>> {
        if self.is_ascii {
            // Bytes of a letter that is not ASCII are equal to none of ASCII: what is found is whole.
            let (wanted, bytes) = (self.text.as_bytes(), text.as_bytes());
            let (first, rest) = wanted.split_first()?;
            let (small, large) = (*first, first.to_ascii_uppercase());
            let last = bytes.len().checked_sub(wanted.len())?;
            let mut at = from;
            while at <= last {
                at += bytes
                    .get(at..=last)?
                    .iter()
                    .position(|byte| *byte == small || *byte == large)?;
                if bytes[at + 1..at + wanted.len()].eq_ignore_ascii_case(rest) {
                    return Some(at..at + wanted.len());
                }
                at += 1;
            }
            return None;
        }
        let first = self.text.chars().next()?;
        text.get(from..)?
            .char_indices()
            .filter(|(_, c)| lower(*c) == first)
            .find_map(|(at, _)| {
                let start = from + at;
                self.end_at(&text[start..]).map(|len| start..start + len)
            })
    }

    /// The length in bytes of what it matches at the beginning of `text`.
    fn end_at(&self, text: &str) -> Option<usize> {
        let mut chars = text.chars();
        let matches = self
            .text
            .chars()
            .all(|wanted| chars.next().map(lower) == Some(wanted));
        matches.then(|| text.len() - chars.as_str().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(message: &str, fields: &str) -> LogRecord {
        let message = serde_json::Value::from(message);
        let json = format!(
            r#"{{"type":"log","id":"1-0","channel":"logs:etl:w:run","service":"etl","workspace_id":"w","timestamp":"2025-09-25T10:30:00.000Z","level":"INFO","message":{message},"fields":{fields}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn text_is_looked_for_in_message_fields_and_channel() {
        let record = record("Load FINISHED", r#"{"rows":42,"path":"C:\\tmp"}"#);
        for needle in [
            "finished", " load ", "rows", "42", "etl:w", r"c:\tmp", "", "/", "/api/v1x",
        ] {
            let is_in = Needle::new(needle).is_in(&record);
            assert_eq!(is_in, !needle.starts_with("/api") && needle != "/", "{needle}");
        }
        assert!(!Needle::new("failed").is_in(&record));
    }

    #[test]
    fn text_is_found_however_json_writes_it() {
        let record = record(
            "m",
            r#"{"city":"K\u00f6ln","path":"www\/x.php","deep":["a\u0026b"]}"#,
        );
        for needle in ["köln", "www/x.php", "a&b", "city=köln"] {
            assert!(Needle::new(needle).is_in(&record), "{needle}");
        }
        assert!(!Needle::new("bonn").is_in(&record));
    }

    #[test]
    fn text_is_found_across_colours() {
        let record = record("fai\u{1b}[31mled", "{}");
        assert!(Needle::new("failed").is_in(&record));
        assert!(!Needle::new("[31m").is_in(&record), "nobody sees it");
    }

    #[test]
    fn a_field_is_looked_for_by_name_and_value() {
        let record = record(
            "user=anna logged in",
            r#"{"run_id":"Run 7","n":12345678901234567890,"job":{"id":4,"ok":true},"a.b":"dot","none":""}"#,
        );
        for needle in [
            "run_id=run 7",
            r#"run_id="Run 7""#,
            "run_id=run*",
            "n=12345678901234567890",
            "job.id=4",
            "job.ok=true",
            "a.b=dot",
            "user=anna",
            r#"none="""#,
        ] {
            assert!(Needle::new(needle).is_in(&record), "{needle}");
        }
        for needle in [
            "run_id=run",
            "n=123",
            "id=4",
            "job=4",
            "job.id=5",
            r#"run_id="run*""#,
        ] {
            assert!(!Needle::new(needle).is_in(&record), "{needle}");
        }
    }

    #[test]
    fn a_value_that_was_chosen_is_found_again() {
        for (name, value) in [
            ("a", "x"),
            ("a", " x "),
            ("a", ""),
            ("a", "x*"),
            ("a.b", "\"q\""),
            ("a b", "x"),
        ] {
            let fields = serde_json::json!({ name: value }).to_string();
            let needle = Needle::for_field(name, value);
            assert!(needle.is_in(&record("m", &fields)), "{needle}");
        }
        assert_eq!(Needle::for_field("run_id", "42").to_string(), "run_id=42");
        assert!(!Needle::for_field("a", "x*").is_in(&record("m", r#"{"a":"xy"}"#)));
    }

    #[test]
    fn matches_are_found_without_regard_to_case_and_do_not_overlap() {
        let find = |needle, text| Needle::new(needle).find(text, 10);
        assert_eq!(find("aa", "aAaa bAA"), [0..2, 2..4, 6..8]);
        assert_eq!(find("über", "x ÜBER").first(), Some(&(2..7)));
        assert_eq!(find("x", "äxö").first(), Some(&(2..3)));
        assert!(find("", "abc").is_empty() && find("abcd", "abc").is_empty());
        // Lower case of this letter is longer than the letter.
        assert_eq!(find("İ", "aİb").first(), Some(&(1..3)));
        assert_eq!(Needle::new("a").find("aaaa", 2), [0..1, 1..2]);
    }
}
