//! [`step`], [`Matches`]: going from one match to the next, and which one that is.

use std::collections::VecDeque;

use leptos::prelude::*;

use super::{view::View, viewer::Viewer};
use crate::{
    buffer::{Row, RowKey},
    filter::{Filter, Mode},
};

/// Which way to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Towards the newest line.
    Next,
    /// Towards the oldest line.
    Previous,
}

/// Goes to the next match, and round at the end. Where no row is selected that is the newest.
pub(super) fn step(viewer: Viewer, way: Way) {
    let found = viewer.filter.with_untracked(|filter| {
        let selected = viewer.selected.get_untracked();
        viewer
            .view
            .with_untracked(|view| find(&Rows::of(view), filter, selected, way))
    });
    match found {
        Some(key) => viewer.reveal(key),
        None => viewer.announce("No match"),
    }
}

fn is_match(filter: &Filter, row: &Row) -> bool {
    filter.needle.is_set()
        && row
            .as_record()
            .is_some_and(|record| filter.mode == Mode::Hide || filter.marks(record))
}

/// Rows in order, each with its place.
struct Rows<'a> {
    count: usize,
    at: Box<dyn Fn(usize) -> Option<&'a Row> + 'a>,
}

impl<'a> Rows<'a> {
    fn of(view: &'a View) -> Self {
        Self {
            count: view.len(),
            at: Box::new(|place| view.row(place)),
        }
    }

    fn key(&self, place: usize) -> Option<RowKey> {
        (self.at)(place).map(Row::key)
    }

    /// How many rows at the start are so; those after them are not.
    fn partition(&self, is_so: impl Fn(RowKey) -> bool) -> usize {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low.midpoint(high);
            if self.key(middle).is_some_and(&is_so) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

fn find(rows: &Rows<'_>, filter: &Filter, selected: Option<RowKey>, way: Way) -> Option<RowKey> {
    let found = |place: &usize| (rows.at)(*place).is_some_and(|row| is_match(filter, row));
    let count = rows.count;
    let place = match (selected, way) {
        (None, _) => (0..count).rev().find(found),
        (Some(key), Way::Next) => {
            let after = rows.partition(|row| row <= key);
            (after..count).chain(0..after).find(found)
        }
        (Some(key), Way::Previous) => {
            let before = rows.partition(|row| row < key);
            (0..before).rev().chain((before..count).rev()).find(found)
        }
    };
    rows.key(place?)
}

/// Where the matches are. Kept up as rows come at the end and go at the start: looking through ten
/// thousand for each frame would cost more than showing them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Matches {
    keys: VecDeque<RowKey>,
    first: Option<RowKey>,
    last: Option<RowKey>,
    filter: Filter,
}

impl Matches {
    /// Takes in what has changed.
    pub(super) fn update(&mut self, view: &View, filter: &Filter) {
        self.take(&Rows::of(view), filter);
    }

    fn take(&mut self, rows: &Rows<'_>, filter: &Filter) {
        let (first, last) = (
            rows.key(0),
            rows.count.checked_sub(1).and_then(|last| rows.key(last)),
        );
        if *filter != self.filter || first < self.first || last < self.last {
            *self = Self {
                filter: filter.clone(),
                ..Self::default()
            };
        }
        if !filter.needle.is_set() {
            return;
        }
        while self.keys.front().is_some_and(|key| Some(*key) < first) {
            self.keys.pop_front();
        }
        let new = rows.partition(|row| Some(row) <= self.last)..rows.count;
        let new = new
            .filter_map(|place| (rows.at)(place))
            .filter(|row| is_match(filter, row));
        self.keys.extend(new.map(Row::key));
        (self.first, self.last) = (first, last);
    }

    /// `3 of 41`, `41 matches`; nothing while nothing is looked for.
    pub(super) fn label(&self, selected: Option<RowKey>) -> Option<String> {
        if !self.filter.needle.is_set() {
            return None;
        }
        let place = selected.and_then(|key| self.keys.binary_search(&key).ok());
        Some(match (place, self.keys.len()) {
            (_, 0) => "No match".into(),
            (None, 1) => "1 match".into(),
            (None, count) => format!("{count} matches"),
            (Some(place), count) => format!("{} of {count}", place + 1),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::filter::Needle;

    fn of(rows: &[Row]) -> Rows<'_> {
        Rows {
            count: rows.len(),
            at: Box::new(|place| rows.get(place)),
        }
    }

    fn rows(messages: &[(u64, &str)]) -> Vec<Row> {
        let row = |(ms, message): &(u64, &str)| {
            let json = format!(
                r#"{{"type":"log","id":"{ms}-0","channel":"logs:etl:w","timestamp":"2025-09-25T10:30:00.000Z","level":"INFO","message":"{message}"}}"#
            );
            Row::Record(Arc::new(serde_json::from_str(&json).unwrap()))
        };
        messages.iter().map(row).collect()
    }

    fn marking(needle: &str) -> Filter {
        Filter {
            needle: Needle::new(needle),
            mode: Mode::Mark,
            ..Filter::default()
        }
    }

    #[test]
    fn the_next_match_comes_round_and_starts_with_the_newest() {
        let rows = rows(&[(1, "hit"), (2, "miss"), (3, "hit"), (4, "miss")]);
        let filter = marking("hit");
        let key = |place: usize| Some(rows[place].key());
        for (selected, way, expected) in [
            (None, Way::Next, key(2)),
            (None, Way::Previous, key(2)),
            (key(2), Way::Next, key(0)),
            (key(0), Way::Next, key(2)),
            (key(0), Way::Previous, key(2)),
            (key(1), Way::Previous, key(0)),
            (key(3), Way::Next, key(0)),
        ] {
            assert_eq!(
                find(&of(&rows), &filter, selected, way),
                expected,
                "{selected:?} {way:?}"
            );
        }
        assert_eq!(find(&of(&rows), &marking("none"), None, Way::Next), None);
        assert_eq!(find(&of(&rows), &Filter::default(), None, Way::Next), None);
    }

    #[test]
    fn matches_are_kept_up_as_rows_come_and_go() {
        let filter = marking("hit");
        let mut matches = Matches::default();
        let mut check = |rows: &[Row], filter: &Filter, expected: Option<&str>| {
            matches.take(&of(rows), filter);
            assert_eq!(matches.label(rows.first().map(Row::key)).as_deref(), expected);
        };
        check(&rows(&[(1, "hit"), (2, "miss")]), &filter, Some("1 of 1"));
        check(
            &rows(&[(1, "hit"), (2, "miss"), (3, "hit")]),
            &filter,
            Some("1 of 2"),
        );
        check(
            &rows(&[(2, "miss"), (3, "hit"), (4, "hit")]),
            &filter,
            Some("2 matches"),
        );
        // Older ones come back from history.
        check(
            &rows(&[(1, "hit"), (2, "miss"), (3, "hit")]),
            &filter,
            Some("1 of 2"),
        );
        check(
            &rows(&[(1, "hit"), (2, "miss")]),
            &marking("miss"),
            Some("1 match"),
        );
        check(&rows(&[(1, "hit")]), &marking("none"), Some("No match"));
        check(&rows(&[(1, "hit")]), &Filter::default(), None);
    }
}
