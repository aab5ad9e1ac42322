//! [`View`]: the rows that are shown.

mod rows;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use logs_shared::{Level, RecordId};

use super::{
    rate::{ByLevel, Rate, SECONDS},
    window::Heights,
};
use crate::{
    buffer::{Buffer, Progress, Row, RowKey},
    filter::Filter,
};

/// The most rows a view holds while it stands still: what is scrolled back into, and what comes meanwhile.
pub(crate) const MOST_ROWS: usize = 100_000;
/// The most text it holds then, in bytes.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// The most pixels its rows are high then: browsers lay out no more (Firefox 17.8 million, Chromium 33).
const MOST_PX: f64 = 16_000_000.0;
/// How high a row is taken to be before any has been measured, in pixels.
const ROW_PX: f64 = 28.0;

/// Heights that differ by less are the same: what browsers lay out in is twice as coarse.
const HEIGHT_STEP_PX: f64 = 1.0 / 128.0;

/// The rows that are shown: those of a buffer that a filter lets through, and while it stands still what else was
/// loaded and what the buffer has dropped since.
///
/// It is kept up as the buffer changes: rows are filtered once, when they come. It also knows how high its rows are.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    /// In order, none twice.
    all: VecDeque<Entry>,
    /// The number of the first of all. Numbers go up by one from row to row and stay with their row.
    first: i64,
    /// The numbers of the rows that are shown.
    shown: VecDeque<i64>,
    heights: Heights,
    measured: Measured,
    counts: ByLevel,
    records: usize,
    bytes: usize,
    rate: Rate,
    arrived: ByLevel,
    seen: Option<Progress>,
    filter: Filter,
    hold: Option<New>,
    /// Rows that are not in the buffer stand among those that are.
    is_patched: bool,
    is_behind: bool,
}

#[derive(Clone, Debug)]
struct Entry {
    row: Row,
    /// Whether it counts: a record that says what is looked for, of whatever level.
    says: bool,
    /// How high it is, once it was measured.
    px: Option<f64>,
}

/// The rows that have been measured, to guess how high others are.
#[derive(Clone, Copy, Debug, Default)]
struct Measured {
    rows: f64,
    px: f64,
}

impl Measured {
    fn add(&mut self, px: f64) {
        self.rows += 1.0;
        self.px += px;
        // What was measured long ago counts for less and less.
        if self.rows > 1_000.0 {
            self.rows /= 2.0;
            self.px /= 2.0;
        }
    }

    fn guess(self) -> f64 {
        if self.rows > 0.0 {
            self.px / self.rows
        } else {
            ROW_PX
        }
    }
}

/// What has come while a view stands still.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct New {
    /// So many lines of those that are shown.
    pub(crate) lines: usize,
    /// Others came and were dropped before they could be looked at.
    pub(crate) and_more: bool,
}

impl View {
    /// Takes in what has changed.
    pub(crate) fn take(&mut self, buffer: &Buffer, filter: &Filter, is_following: bool, now_ms: u64) {
        if self.filter != *filter {
            self.filter = filter.clone();
            self.sift();
        }
        let (progress, seen) = (buffer.progress(), self.seen);
        self.seen = Some(progress);
        let is_other = seen.is_none_or(|seen| seen.buffer != progress.buffer);
        if is_other && seen.is_some() {
            self.clear();
            self.hold = None;
        }
        match (is_following, self.hold) {
            (true, Some(_)) => self.go_on(buffer),
            (false, None) => self.hold = Some(New::default()),
            _ => {}
        }
        let came = seen.filter(|seen| !is_other && seen.rewrites == progress.rewrites);
        let came = came.map(|seen| progress.appended - seen.appended);
        self.count(buffer, came, now_ms);
        match came {
            Some(0) if !is_following || self.all.len() == buffer.len() => {}
            Some(came) => self.append(buffer, usize::try_from(came).unwrap_or(usize::MAX)),
            None if is_following => self.refill(buffer),
            None => self.merge(buffer.rows().cloned().collect()),
        }
        if is_following {
            let over = self.all.len().saturating_sub(buffer.len());
            (0..over).for_each(|_| self.pop_front());
            if self.all.front().map(|entry| entry.row.key()) != buffer.rows().next().map(Row::key) {
                self.refill(buffer);
            }
        }
    }

    /// Counts what has come: a number at the end, or anything.
    fn count(&mut self, buffer: &Buffer, came: Option<u64>, now_ms: u64) {
        let most = came.map_or(buffer.len(), |came| usize::try_from(came).unwrap_or(usize::MAX));
        let newest = self.rate.newest();
        for row in buffer.newest(most) {
            let Some(record) = row.as_record() else { continue };
            if record.id <= newest {
                continue;
            }
            self.rate.count(record, now_ms);
            self.arrived[record.level as usize] += 1;
            if let Some(new) = &mut self.hold
                && self.filter.shows(row)
            {
                new.lines += 1;
            }
        }
        let unseen = most.saturating_sub(buffer.len());
        if let Some(new) = &mut self.hold
            && unseen > 0
        {
            if self.filter.is_set() {
                new.and_more = true;
            } else {
                new.lines += unseen;
            }
        }
    }

    /// Takes in the newest rows of the buffer.
    fn append(&mut self, buffer: &Buffer, came: usize) {
        let is_held = self.hold.is_some();
        if self.is_behind {
            return;
        }
        if is_held
            && came > buffer.len()
            && let Some(last) = self.all.back()
        {
            // What is between was dropped before anyone looked.
            let row = Row::Unloaded(last.row.key().id());
            self.push_back(row);
            self.is_patched = true;
        }
        let last = self.all.back().map(|entry| entry.row.key());
        if buffer.newest(came).next().map(Row::key) <= last && last.is_some() {
            return self.merge(buffer.newest(came).cloned().collect());
        }
        for row in buffer.newest(came) {
            if is_held && self.is_full() {
                self.is_behind = true;
                return;
            }
            self.push_back(row.clone());
        }
    }

    /// Goes along with the buffer again: what else was loaded goes.
    fn go_on(&mut self, buffer: &Buffer) {
        self.hold = None;
        if self.is_behind || self.is_patched {
            self.refill(buffer);
        }
    }

    /// Puts rows in that are not in the buffer, none twice. Of too many, those that are far from the new ones go.
    pub(crate) fn insert(&mut self, rows: Vec<Row>) {
        let first = self.all.front().map(|entry| entry.row.key());
        if rows
            .last()
            .is_none_or(|last| first.is_none_or(|first| last.key() < first))
        {
            self.push_front(rows);
            while self.is_full() {
                self.pop_back();
                self.is_behind = true;
            }
        } else {
            self.merge(rows);
        }
    }

    /// Whether it holds as much as it may while it stands still.
    fn is_full(&self) -> bool {
        self.all.len() >= MOST_ROWS || self.bytes >= MOST_BYTES || self.heights.total() >= MOST_PX
    }

    /// Takes out a row that is not in the buffer.
    pub(crate) fn remove(&mut self, key: RowKey) {
        if let Ok(place) = self.all.binary_search_by_key(&key, |entry| entry.row.key()) {
            self.all.remove(place);
            self.sift();
        }
    }

    /// The place of the first record that is there, also of those that are not shown.
    pub(crate) fn oldest(&self) -> Option<RecordId> {
        self.all
            .iter()
            .find_map(|entry| entry.row.as_record().map(|record| record.id))
    }

    /// The first record after a place, also of those that are not shown.
    pub(crate) fn next_record(&self, key: RowKey) -> Option<RecordId> {
        let place = self.all.partition_point(|entry| entry.row.key() <= key);
        self.all
            .range(place..)
            .find_map(|entry| entry.row.as_record().map(|record| record.id))
    }

    /// How many rows are shown.
    pub(crate) fn len(&self) -> usize {
        self.shown.len()
    }

    /// Whether no row is shown.
    pub(crate) fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// How many records there are, also of those that are not shown.
    pub(crate) fn all_records(&self) -> usize {
        self.records
    }

    /// A row that is shown.
    pub(crate) fn row(&self, index: usize) -> Option<&Row> {
        self.entry(index).map(|entry| &entry.row)
    }

    /// The rows that are shown, the oldest first.
    pub(crate) fn rows(&self) -> impl DoubleEndedIterator<Item = &Row> + ExactSizeIterator {
        (0..self.len()).map(|index| &self.all[self.place(self.shown[index])].row)
    }

    /// Where a row stands among those that are shown; otherwise where it would.
    pub(crate) fn position(&self, key: RowKey) -> Result<usize, usize> {
        self.shown
            .binary_search_by_key(&key, |number| self.all[self.place(*number)].row.key())
    }

    /// The records of each level that say what is looked for, shown or not, in the order of [`Level::ALL`].
    pub(crate) fn counts(&self) -> ByLevel {
        self.counts
    }

    /// The records of each level that came in each of the newest seconds, the present one last, whatever the filter.
    pub(crate) fn rate(&self, now_ms: u64) -> [ByLevel; SECONDS] {
        self.rate.seconds(now_ms)
    }

    /// How many records of each level have come since it was made.
    pub(crate) fn arrived(&self) -> ByLevel {
        self.arrived
    }

    /// What has come since it stands still.
    pub(crate) fn new_lines(&self) -> New {
        self.hold.unwrap_or_default()
    }

    /// Whether there are newer rows than it has taken in.
    #[cfg(test)]
    fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// How many records are shown.
    pub(crate) fn shown_records(&self) -> usize {
        let shown = Level::ALL
            .iter()
            .zip(self.counts)
            .filter(|(level, _)| self.filter.shows_level(**level));
        shown.map(|(_, count)| count).sum()
    }

    /// How high its rows are and where.
    pub(crate) fn heights(&self) -> &Heights {
        &self.heights
    }

    /// Says how high a row is; whether that is other than it was taken for.
    pub(crate) fn measure(&mut self, index: usize, px: f64) -> bool {
        let Some(number) = self.shown.get(index) else {
            return false;
        };
        let place = self.place(*number);
        if self.all[place].px.replace(px).is_none() {
            self.measured.add(px);
        }
        let is_other = (self.heights.get(index) - px).abs() > HEIGHT_STEP_PX;
        if is_other {
            self.heights.set(index, px);
        }
        is_other
    }
}
