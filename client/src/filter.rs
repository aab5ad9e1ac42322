//! [`Filter`]: which rows are shown, and where they match.

mod needle;
mod pattern;

use leptos::prelude::RwSignal;
use logs_shared::{Level, LogRecord};

use crate::{
    buffer::{Buffer, Row, RowKey},
    run::Run,
};
pub(crate) use needle::Needle;

/// Which rows are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Only records of these levels.
    pub(crate) levels: Levels,
    /// What is looked for.
    pub(crate) needle: Needle,
    /// What becomes of records that do not have it.
    pub(crate) mode: Mode,
    /// Only records of this run.
    pub(crate) run: Option<Run>,
    /// Only what comes after this: what was there before has been cleared.
    pub(crate) after: Option<RowKey>,
}

/// The filter of a viewer that comes and goes, as a context of who stays.
#[derive(Clone, Copy)]
pub(crate) struct KeptFilter(pub(crate) RwSignal<Filter>);

/// What becomes of records that do not have what is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// They are not shown.
    #[default]
    Hide,
    /// They are shown; those that have it are marked.
    Mark,
}

impl Filter {
    /// Whether records of this level are shown.
    pub(crate) fn shows_level(&self, level: Level) -> bool {
        self.levels.has(level)
    }

    /// Whether a record is shown as far as its run and its text go, whatever its level.
    pub(crate) fn shows_text(&self, record: &LogRecord) -> bool {
        self.run.as_ref().is_none_or(|run| run.has(record))
            && (self.mode == Mode::Mark || self.needle.is_in(record))
    }

    /// Whether something is looked for, and a record has it.
    pub(crate) fn marks(&self, record: &LogRecord) -> bool {
        self.needle.is_set() && self.needle.is_in(record)
    }

    /// Whether a row is shown. Gaps are, unless they were cleared.
    pub(crate) fn shows(&self, row: &Row) -> bool {
        self.after.is_none_or(|after| row.key() > after)
            && row
                .as_record()
                .is_none_or(|record| self.shows_level(record.level) && self.shows_text(record))
    }

    /// Whether records may be hidden by their level or text.
    pub(crate) fn is_set(&self) -> bool {
        self.levels != Levels::default() || (self.mode == Mode::Hide && self.needle.is_set())
    }

    /// Shows all levels and texts again. What was cleared stays away.
    pub(crate) fn reset(&mut self) {
        self.levels = Levels::default();
        self.needle = Needle::default();
    }

    /// Whether no row has come since it was cleared.
    pub(crate) fn clears(&self, rows: &Buffer) -> bool {
        self.after.is_some_and(|after| rows.len_after(after) == 0)
    }
}

/// A set of levels; all of them unless told otherwise, and never none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Levels {
    /// One bit for each level that is left out.
    hidden: u8,
}

const fn bit(level: Level) -> u8 {
    1 << level as u8
}

/// As many bits as there are levels.
const ALL: u8 = (1 << Level::ALL.len()) - 1;

impl Levels {
    /// Whether it has this level.
    pub(crate) const fn has(self, level: Level) -> bool {
        self.hidden & bit(level) == 0
    }

    /// Leaves a level out, or takes it in again. Leaving out the last one takes in all of them: an
    /// empty list helps nobody.
    pub(crate) const fn toggle(&mut self, level: Level) {
        self.hidden ^= bit(level);
        if self.hidden == ALL {
            self.hidden = 0;
        }
    }

    /// Has only this level; where that is so already, all of them.
    pub(crate) const fn only(&mut self, level: Level) {
        let only = ALL & !bit(level);
        self.hidden = if self.hidden == only { 0 } else { only };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn record(ms: u64, level: &str, message: &str) -> Row {
        let json = format!(
            r#"{{"type":"log","id":"{ms}-0","channel":"logs:etl:w:run","service":"etl","workspace_id":"w","timestamp":"2025-09-25T10:30:00.000Z","level":"{level}","message":"{message}"}}"#
        );
        Row::Record(Arc::new(serde_json::from_str(&json).unwrap()))
    }

    #[test]
    fn levels_are_chosen_one_by_one() {
        let mut filter = Filter::default();
        assert!(!filter.is_set());
        filter.levels.toggle(Level::Info);
        assert!(filter.is_set());
        assert!(!filter.shows(&record(1, "INFO", "m")));
        assert!(filter.shows(&record(1, "DEBUG", "m")) && filter.shows(&record(1, "FATAL", "m")));
        filter.levels.toggle(Level::Info);
        assert!(!filter.is_set());
    }

    #[test]
    fn one_level_alone_and_all_of_them_again() {
        let mut levels = Levels::default();
        levels.only(Level::Error);
        assert_eq!(
            Level::ALL.map(|level| levels.has(level)),
            [false, false, false, false, true, false]
        );
        levels.only(Level::Error);
        assert_eq!(levels, Levels::default());
        levels.only(Level::Error);
        levels.toggle(Level::Error);
        assert_eq!(levels, Levels::default(), "never none");
    }

    #[test]
    fn what_is_marked_need_not_be_hidden() {
        let mut filter = Filter {
            needle: Needle::new("load"),
            ..Filter::default()
        };
        let (load, other) = (record(1, "INFO", "Loaded"), record(2, "INFO", "other"));
        assert!(filter.shows(&load) && !filter.shows(&other) && filter.is_set());
        filter.mode = Mode::Mark;
        assert!(filter.shows(&load) && filter.shows(&other) && !filter.is_set());
        let marks = |row: &Row| row.as_record().is_some_and(|record| filter.marks(record));
        assert!(marks(&load) && !marks(&other));
    }

    #[test]
    fn what_was_cleared_stays_away_when_it_is_sent_again() {
        let cleared = Filter {
            after: Some(record(5, "INFO", "m").key()),
            ..Filter::default()
        };
        assert!(!cleared.shows(&record(5, "INFO", "m")));
        assert!(cleared.shows(&record(6, "INFO", "m")));
        assert!(!cleared.is_set());
    }
}
