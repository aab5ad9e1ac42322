//! How a [`View`]'s rows, those of them that are shown, their heights and counts change together.

use super::{Entry, View};
use crate::buffer::{Buffer, Row};

impl View {
    pub(super) fn entry(&self, index: usize) -> Option<&Entry> {
        self.all.get(self.place(*self.shown.get(index)?))
    }

    /// Where the row with a number is among all.
    pub(super) fn place(&self, number: i64) -> usize {
        usize::try_from(number - self.first).unwrap_or_default()
    }

    fn number(&self, place: usize) -> i64 {
        self.first + i64::try_from(place).unwrap_or_default()
    }

    fn look_at(&self, row: Row) -> Entry {
        let after = self.filter.after;
        let says = row.as_record().is_some_and(|record| {
            after.is_none_or(|after| row.key() > after) && self.filter.shows_text(record)
        });
        Entry { row, says, px: None }
    }

    fn count_one(&mut self, entry: &Entry, is_more: bool) {
        let Some(record) = entry.row.as_record() else {
            return;
        };
        let step = |count: &mut usize, by| *count = if is_more { *count + by } else { *count - by };
        step(&mut self.records, 1);
        step(
            &mut self.bytes,
            record.message.len() + record.fields.as_json().len(),
        );
        if entry.says {
            step(&mut self.counts[record.level as usize], 1);
        }
    }

    fn guess(&self, entry: &Entry) -> f64 {
        entry.px.unwrap_or_else(|| self.measured.guess())
    }

    pub(super) fn push_back(&mut self, row: Row) {
        let entry = self.look_at(row);
        self.push_entry(entry);
    }

    fn push_entry(&mut self, entry: Entry) {
        self.count_one(&entry, true);
        if self.filter.shows(&entry.row) {
            self.shown.push_back(self.number(self.all.len()));
            self.heights.push_back(self.guess(&entry));
        }
        self.all.push_back(entry);
    }

    /// Puts rows, the oldest first, before all others.
    pub(super) fn push_front(&mut self, rows: Vec<Row>) {
        let mut heights = Vec::new();
        self.is_patched |= !rows.is_empty();
        for row in rows.into_iter().rev() {
            let entry = self.look_at(row);
            self.count_one(&entry, true);
            self.first -= 1;
            if self.filter.shows(&entry.row) {
                self.shown.push_front(self.first);
                heights.push(self.guess(&entry));
            }
            self.all.push_front(entry);
        }
        self.heights.push_front(heights.into_iter().rev());
    }

    pub(super) fn pop_front(&mut self) {
        let Some(entry) = self.all.pop_front() else { return };
        self.count_one(&entry, false);
        if self.shown.front() == Some(&self.first) {
            self.shown.pop_front();
            self.heights.pop_front();
        }
        self.first += 1;
    }

    pub(super) fn pop_back(&mut self) {
        let Some(entry) = self.all.pop_back() else { return };
        self.count_one(&entry, false);
        if self.shown.back() == Some(&self.number(self.all.len())) {
            self.shown.pop_back();
            self.heights.pop_back();
        }
    }

    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.forget_shown();
        (self.is_patched, self.is_behind) = (false, false);
    }

    fn forget_shown(&mut self) {
        self.shown.clear();
        self.heights.clear();
        self.counts = Default::default();
        (self.records, self.bytes) = (0, 0);
    }

    /// Looks at all rows anew.
    pub(super) fn sift(&mut self) {
        self.forget_shown();
        for mut entry in std::mem::take(&mut self.all) {
            let px = entry.px;
            entry = self.look_at(entry.row);
            entry.px = px;
            self.push_entry(entry);
        }
    }

    /// Takes the rows of the buffer, and no others.
    pub(super) fn refill(&mut self, buffer: &Buffer) {
        self.clear();
        buffer.rows().for_each(|row| self.push_back(row.clone()));
    }

    /// Puts rows, in order, among all others, none twice.
    pub(super) fn merge(&mut self, rows: Vec<Row>) {
        let last = self.all.back().map(|entry| entry.row.key());
        let mut new = rows
            .into_iter()
            .filter(|row| !self.is_behind || Some(row.key()) < last)
            .collect::<Vec<_>>()
            .into_iter()
            .peekable();
        let mut merged = std::collections::VecDeque::with_capacity(self.all.len() + new.len());
        for entry in std::mem::take(&mut self.all) {
            while let Some(row) = new.next_if(|row| row.key() <= entry.row.key()) {
                if row.key() < entry.row.key() {
                    merged.push_back(self.look_at(row));
                }
            }
            merged.push_back(entry);
        }
        merged.extend(new.map(|row| self.look_at(row)));
        self.is_patched = true;
        self.forget_shown();
        merged.into_iter().for_each(|entry| self.push_entry(entry));
    }
}
