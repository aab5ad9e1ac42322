//! [`Filter`]: which rows are shown, and where they match.

use std::{fmt, ops::Range};

use logs_shared::{Level, LogRecord};

use crate::buffer::{Buffer, Row, RowKey};

/// Which rows are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Only records at least this grave.
    pub(crate) level: Option<Level>,
    /// Only records that say this.
    pub(crate) needle: Needle,
    /// Only what comes after this: what was there before has been cleared.
    pub(crate) after: Option<RowKey>,
}

impl Filter {
    /// Whether a row is shown. Gaps and notices are, unless they were cleared.
    pub(crate) fn shows(&self, row: &Row) -> bool {
        self.after.is_none_or(|after| row.key() > after)
            && row.as_record().is_none_or(|record| {
                self.level.is_none_or(|level| record.level >= level) && self.needle.is_in(record)
            })
    }

    /// Whether records of this level are shown.
    pub(crate) fn shows_level(&self, level: Level) -> bool {
        self.level.is_none_or(|least| level >= least)
    }

    /// Whether records that say this are shown.
    pub(crate) fn shows_text(&self, record: &LogRecord) -> bool {
        self.needle.is_in(record)
    }

    /// Whether there are records that are not shown.
    pub(crate) fn is_set(&self) -> bool {
        self.level.is_some() || !self.needle.is_empty()
    }

    /// Whether no row has come since it was cleared.
    pub(crate) fn clears(&self, rows: &Buffer) -> bool {
        self.after.is_some_and(|after| rows.len_after(after) == 0)
    }
}

/// What someone looks for, without regard to case. An empty one is everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needle {
    text: String,
    letters: Vec<char>,
}

impl fmt::Display for Needle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// One letter in lower case; one that becomes several keeps the first, on both sides.
fn lower(c: char) -> char {
    if c.is_ascii() {
        c.to_ascii_lowercase()
    } else {
        c.to_lowercase().next().unwrap_or(c)
    }
}

impl Needle {
    /// Looks for this text; white space around it does not count.
    pub(crate) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            letters: text.trim().chars().map(lower).collect(),
        }
    }

    /// Whether it is everywhere.
    pub(crate) fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }

    fn is_in(&self, record: &LogRecord) -> bool {
        let texts = [&record.message, record.fields.as_json(), record.channel.as_str()];
        self.is_empty()
            || texts.into_iter().any(|text| self.find(text).next().is_some())
            || (self.letters.contains(&'=') && self.is_in_chips(record))
    }

    /// Fields as they are shown: `name=value`.
    fn is_in_chips(&self, record: &LogRecord) -> bool {
        record.fields.to_value().iter().any(|(name, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            self.find(&format!("{name}={value}")).next().is_some()
        })
    }

    /// Where it is in `text`, in bytes; matches do not overlap.
    pub(crate) fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        let mut from = 0;
        std::iter::from_fn(move || {
            let start = from
                + text
                    .get(from..)?
                    .char_indices()
                    .map(|(at, _)| at)
                    .find(|at| !self.is_empty() && self.starts(&text[from + at..]).is_some())?;
            from = start + self.starts(&text[start..])?;
            Some(start..from)
        })
    }

    /// The length in bytes of what it matches at the beginning of `text`.
    fn starts(&self, text: &str) -> Option<usize> {
        let mut chars = text.chars();
        let matches = self
            .letters
            .iter()
            .all(|wanted| chars.next().map(lower) == Some(*wanted));
        matches.then(|| text.len() - chars.as_str().len())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn record(ms: u64, level: &str, message: &str) -> Row {
        let json = format!(
            r#"{{"type":"log","id":"{ms}-0","channel":"logs:etl:w:run","service":"etl","workspace_id":"w","timestamp":"2025-09-25T10:30:00.000Z","level":"{level}","message":"{message}","fields":{{"rows":42}}}}"#
        );
        Row::Record(Arc::new(serde_json::from_str(&json).unwrap()))
    }

    fn with(level: Option<Level>, needle: &str) -> Filter {
        Filter {
            level,
            needle: Needle::new(needle),
            after: None,
        }
    }

    #[test]
    fn a_level_shows_itself_and_what_is_graver() {
        let filter = with(Some(Level::Warn), "");
        assert!(!filter.shows(&record(1, "INFO", "m")));
        assert!(filter.shows(&record(1, "WARN", "m")));
        assert!(filter.shows(&record(1, "FATAL", "m")));
    }

    #[test]
    fn text_is_looked_for_in_message_fields_and_channel() {
        let row = record(1, "INFO", "Load FINISHED");
        for needle in ["finished", " load ", "rows", "42", "etl:w", "rows=4", "=42", ""] {
            assert!(with(None, needle).shows(&row), "{needle}");
        }
        assert!(!with(None, "failed").shows(&row));
        assert!(!with(None, "rows=5").shows(&row));
    }

    #[test]
    fn matches_are_found_without_regard_to_case_and_do_not_overlap() {
        let found: Vec<_> = Needle::new("aa").find("aAaa bAA").collect();
        assert_eq!(found, [0..2, 2..4, 6..8]);
        assert_eq!(Needle::new("über").find("x ÜBER").next(), Some(2..7));
        assert_eq!(Needle::new("").find("abc").next(), None);
        // Lower case of this letter is longer than the letter.
        assert_eq!(Needle::new("İ").find("aİb").next(), Some(1..3));
    }

    #[test]
    fn what_was_cleared_stays_away_when_it_is_sent_again() {
        let cleared = Filter {
            after: Some(record(5, "INFO", "m").key()),
            ..Filter::default()
        };
        assert!(!cleared.shows(&record(5, "INFO", "m")));
        assert!(cleared.shows(&record(6, "INFO", "m")));
    }
}
