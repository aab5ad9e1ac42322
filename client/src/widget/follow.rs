//! [`Follow`]: whether a viewer shows the newest lines or stands still.

use std::sync::Arc;

use leptos::prelude::*;

use crate::{Buffer, Logs, buffer::Row, filter::Filter};

/// Whether a viewer shows the newest lines or stands still.
///
/// It stands still on rows of its own, so that the buffer may go on and drop its oldest without
/// anything moving under the reader's eyes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Follow {
    logs: Logs,
    held: RwSignal<Option<Held>>,
}

/// What has come while a viewer stands still.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct New {
    /// So many lines are there.
    pub(crate) lines: usize,
    /// Others came and had to make room for these.
    pub(crate) and_more: bool,
}

#[derive(Clone, Debug)]
struct Held {
    rows: Arc<[Row]>,
    /// By scrolling up, so scrolling down to the end follows again.
    by_reading: bool,
}

impl Follow {
    pub(crate) fn new(logs: Logs) -> Self {
        Self {
            logs,
            held: RwSignal::new(None),
        }
    }

    pub(crate) fn is_following(self) -> bool {
        self.held.with(Option::is_none)
    }

    /// Stands still, because someone said so.
    pub(crate) fn hold(self) {
        self.hold_as(false);
    }

    /// Stands still, because someone has scrolled up.
    pub(crate) fn hold_for_reading(self) {
        if self.held.with_untracked(Option::is_none) {
            self.hold_as(true);
        }
    }

    fn hold_as(self, by_reading: bool) {
        let rows = self.logs.with_untracked(|rows| rows.rows().cloned().collect());
        self.held.set(Some(Held { rows, by_reading }));
    }

    /// Shows the newest lines again.
    pub(crate) fn resume(self) {
        if self.held.with_untracked(Option::is_some) {
            self.held.set(None);
        }
    }

    /// The reader has come to the end.
    pub(crate) fn end_reading(self) {
        if self
            .held
            .with_untracked(|held| held.as_ref().is_some_and(|held| held.by_reading))
        {
            self.resume();
        }
    }

    /// Reads the rows there are to show.
    pub(crate) fn with_rows<T>(self, read: impl FnOnce(&mut dyn DoubleEndedIterator<Item = &Row>) -> T) -> T {
        match self.held.get() {
            Some(held) => read(&mut held.rows.iter()),
            None => self.logs.with(|rows| read(&mut rows.rows())),
        }
    }

    /// What has come since it stands still, of what the filter shows.
    pub(crate) fn new_lines(self, filter: &Filter) -> New {
        let Some(held) = self.held.get() else {
            return New::default();
        };
        let last = held.rows.last().map(Row::key);
        let is_new = |row: &&Row| last.is_none_or(|last| row.key() > last);
        let shown = |rows: &Buffer| {
            let new = rows.rows().rev().take_while(is_new);
            New {
                lines: new
                    .filter(|row| row.as_record().is_some() && filter.shows(row))
                    .count(),
                and_more: rows.has_dropped() && rows.rows().next().as_ref().is_some_and(is_new),
            }
        };
        self.logs.with(shown)
    }
}
