//! What a person does with a [`Sheet`]: scrolls, goes from row to row, marks text.

use std::ops::Range;

use logs_shared::RecordId;

use super::{
    Anchor, OVERSCAN, Sheet,
    dom::{self, height_of},
};
use crate::buffer::{Row, RowKey};

/// Within so many pixels of the end a reader counts as being at the end.
const AT_END_PX: f64 = 24.0;

/// How someone has scrolled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::widget) enum Scrolled {
    Not,
    Up,
    Down,
    ToEnd,
}

impl Sheet {
    /// Takes notice of where a person has scrolled to since it was looked at last.
    pub(in crate::widget) fn scrolled(&mut self) -> Scrolled {
        let top = self.scroller().top();
        let went = top - self.top;
        if went.abs() < 0.5 {
            return Scrolled::Not;
        }
        let end = f64::from(self.list.scroll_height() - self.list.client_height());
        // A viewport that has grown over the end is moved by the browser; `end` is rounded.
        let is_moved = self.top > end + 0.5 && (top - end).abs() <= 1.0;
        self.top = top;
        if is_moved {
            return Scrolled::Not;
        }
        self.first = self.first_at(top - self.head - self.rest);
        if let Some((key, below)) = self.first {
            self.anchor = Anchor::Row(key, below);
        }
        if went < 0.0 {
            Scrolled::Up
        } else if end - top <= AT_END_PX {
            Scrolled::ToEnd
        } else {
            Scrolled::Down
        }
    }

    /// Whether there is more than the viewport shows.
    pub(in crate::widget) fn is_long(&self) -> bool {
        self.list.scroll_height() > self.list.client_height()
    }

    /// Whether rows before those that are there will soon be wanted.
    pub(in crate::widget) fn is_near_start(&self) -> bool {
        self.top - self.head < self.height * OVERSCAN
    }

    /// The place in the viewport after which rows have not been loaded.
    pub(in crate::widget) fn unloaded(&self) -> Option<RecordId> {
        let view = self.view();
        let top = self.viewport(&view);
        let mut rows = view
            .heights()
            .between(top, top + self.height)
            .filter_map(|index| view.row(index));
        rows.find_map(|row| match row {
            Row::Unloaded(after) => Some(*after),
            Row::Record(_) | Row::Gap(_) => None,
        })
    }

    /// Brings a row into view: as little as needed, or to the middle where it is far.
    pub(in crate::widget) fn show(&mut self, key: RowKey, to_middle: bool) {
        if let Some(below) = self.place_for(key, to_middle) {
            self.anchor = Anchor::Row(key, below);
            self.draw();
            // Now that it is drawn its height is known.
            self.keep_in_view(key);
        }
    }

    /// How far below the top of the viewport a row should be.
    fn place_for(&self, key: RowKey, to_middle: bool) -> Option<f64> {
        let (height, view) = (self.height, self.view());
        let index = view.position(key).ok()?;
        let (top, px) = (view.heights().top(index), view.heights().get(index));
        let at = top - self.viewport(&view);
        let fits = at >= 0.0 && at + px <= height;
        Some(match (fits, to_middle) {
            (true, _) => at,
            (false, true) => ((height - px) / 2.0).max(0.0),
            (false, false) if at < 0.0 => 0.0,
            (false, false) => (height - px).max(0.0),
        })
    }

    fn keep_in_view(&mut self, key: RowKey) {
        let Anchor::Row(anchor, below) = self.anchor else {
            return;
        };
        let Some(drawn) = self.drawn.iter().find(|drawn| drawn.key == key) else {
            return;
        };
        let over = below + height_of(&drawn.item) - self.height;
        if anchor == key && over > 0.0 && below > 0.0 {
            self.anchor = Anchor::Row(key, (below - over).max(0.0));
            self.draw();
        }
    }

    /// Marks the selected row, and gives it the focus where the list has it.
    pub(in crate::widget) fn select(&self, selected: Option<RowKey>) {
        let has_focus = self.has_focus();
        for drawn in &self.drawn {
            let is_selected = Some(drawn.key) == selected;
            dom::mark(&drawn.item, is_selected);
            if is_selected && has_focus {
                dom::focus(&drawn.item);
            }
        }
    }

    /// The row that a node is in.
    pub(in crate::widget) fn key_of(&self, node: Option<&web_sys::Node>) -> Option<RowKey> {
        let drawn = self.drawn.iter().find(|drawn| drawn.item.contains(node))?;
        node.and(Some(drawn.key))
    }

    /// Keeps the rows between these in the document.
    pub(in crate::widget) fn keep_marked(&mut self, rows: Option<(RowKey, RowKey)>) {
        self.marked = rows.map(|(one, other)| (one.min(other), one.max(other)));
    }

    /// The first and the last row that can be seen as a whole.
    pub(in crate::widget) fn visible(&self) -> Option<(RowKey, RowKey)> {
        let view = self.view();
        let top = self.viewport(&view);
        let heights = view.heights();
        let Range { start, end } = heights.between(top, top + self.height);
        let last = end.checked_sub(1)?;
        let starts_above = heights.top(start) < top - 0.5;
        let ends_below = heights.top(end) > top + self.height + 0.5;
        let first = (start + usize::from(starts_above)).min(last);
        let last = (last - usize::from(ends_below && last > first)).max(first);
        Some((view.row(first)?.key(), view.row(last)?.key()))
    }
}
