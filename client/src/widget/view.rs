//! [`View`]: the rows that are shown.

use std::collections::VecDeque;

use logs_shared::Level;

use crate::{
    buffer::{Row, RowKey},
    filter::Filter,
};

type ByLevel = [usize; Level::ALL.len()];

/// The rows that are shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    rows: VecDeque<Row>,
    counts: ByLevel,
    all: Vec<(u64, Level)>,
}

impl View {
    pub(super) fn of(rows: &mut dyn DoubleEndedIterator<Item = &Row>, filter: &Filter) -> Self {
        let mut view = Self::default();
        for row in rows {
            if let Some(record) = row.as_record() {
                let is_after = filter.after.is_none_or(|after| row.key() > after);
                if is_after && filter.shows_text(record) {
                    view.counts[record.level as usize] += 1;
                }
                view.all.push((record.id.ms, record.level));
            }
            if filter.shows(row) {
                view.rows.push_back(row.clone());
            }
        }
        view
    }

    /// The rows that are shown, the oldest first.
    pub(crate) fn rows(&self) -> impl DoubleEndedIterator<Item = &Row> + ExactSizeIterator {
        self.rows.iter()
    }

    /// How many rows are shown.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// A row that is shown.
    pub(crate) fn row(&self, index: usize) -> Option<&Row> {
        self.rows.get(index)
    }

    /// Where a row stands among those that are shown; otherwise where it would.
    pub(crate) fn position(&self, key: RowKey) -> Result<usize, usize> {
        self.rows.binary_search_by_key(&key, Row::key)
    }

    /// How many records of each level there are whose text passes.
    pub(crate) fn counts(&self) -> ByLevel {
        self.counts
    }

    /// Records by second of arrival and level, the newest 60 s, the oldest first.
    pub(crate) fn rate(&self, now_ms: u64) -> [ByLevel; 60] {
        let mut rate = [ByLevel::default(); 60];
        for (ms, level) in &self.all {
            let ago = usize::try_from((now_ms / 1_000).saturating_sub(ms / 1_000)).unwrap_or(60);
            if ago < 60 {
                rate[59 - ago][*level as usize] += 1;
            }
        }
        rate
    }
}
