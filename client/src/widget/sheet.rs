//! [`Sheet`]: the rows near the viewport, in the document.

mod dom;
mod reader;

use std::ops::{Deref, Range};

use leptos::prelude::*;

use self::dom::{Scroller, height_of, make_item, show_row};
pub(super) use self::reader::Scrolled;
use super::{view::View, viewer::Viewer};
use crate::{
    buffer::{Row, RowKey},
    dom::El,
};

/// So much of the viewport's height is drawn on both sides of it, for a scroll that is faster than the next frame.
const OVERSCAN: f64 = 1.0;
/// While it goes along with the newest line, rows above are not read: fewer of them.
const OVERSCAN_FOLLOWING: f64 = 0.25;
/// Rows that are drawn have their height measured, which may show others; so often at most.
const MOST_ROUNDS: usize = 5;
/// The most rows that stay for the sake of marked text.
const MOST_MARKED: usize = 2_000;

/// What stays where it is when rows come, go and change their height.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Anchor {
    /// The end of the last row, at the bottom of the viewport.
    End,
    /// A row, so many pixels below the top of the viewport.
    Row(RowKey, f64),
}

/// The rows near the viewport, in the document, in their places.
///
/// Everything happens at once, before the browser paints: rows are put in, measured, and moved so that the anchor
/// stays at its pixel.
pub(super) struct Sheet {
    viewer: Viewer,
    /// What scrolls.
    list: El,
    /// As high as all rows.
    sheet: El,
    /// Holds the drawn rows, so far from the start of the sheet.
    window: El,
    drawn: Vec<Drawn>,
    anchor: Anchor,
    /// How high the viewport is.
    pub(super) height: f64,
    /// How much of the list is above the first row.
    head: f64,
    /// Where the list was scrolled to, as far as it is known.
    top: f64,
    /// What whole pixels of scrolling leave of the anchor's place.
    rest: f64,
    /// The first row in the viewport, and its place in it.
    first: Option<(RowKey, f64)>,
    /// The rows that marked text is in.
    marked: Option<(RowKey, RowKey)>,
    resize: Option<web_sys::ResizeObserver>,
}

struct Drawn {
    key: RowKey,
    item: El,
    owner: Owner,
}

impl Drop for Drawn {
    fn drop(&mut self) {
        self.item.remove();
        self.owner.cleanup();
    }
}

impl Sheet {
    /// A sheet without rows in these elements.
    pub(super) fn new(
        viewer: Viewer,
        [list, sheet, window]: [El; 3],
        resize: Option<web_sys::ResizeObserver>,
    ) -> Self {
        if let Some(resize) = &resize {
            resize.observe(&list);
        }
        Self {
            viewer,
            list,
            sheet,
            window,
            drawn: Vec::new(),
            anchor: Anchor::End,
            height: 0.0,
            head: 0.0,
            top: 0.0,
            rest: 0.0,
            first: None,
            marked: None,
            resize,
        }
    }

    fn scroller(&self) -> &Scroller {
        Scroller::of(&self.list)
    }

    fn view(&self) -> impl Deref<Target = View> {
        self.viewer.view.read_untracked()
    }

    /// Where the viewport begins, from the start of the sheet.
    fn viewport(&self, view: &View) -> f64 {
        let (head, height, total) = (self.head, self.height, view.heights().total());
        let wanted = match self.anchor {
            Anchor::End => total - height,
            Anchor::Row(key, below) => {
                let index = view.position(key).unwrap_or_else(|index| index);
                view.heights().top(index) - below
            }
        };
        wanted.min(total - height).max(-head)
    }

    /// Draws the rows near the viewport and puts everything in its place.
    pub(super) fn draw(&mut self) {
        let is_following = self.viewer.follow.is_following_untracked();
        self.anchor = match (is_following, self.first) {
            (true, _) => Anchor::End,
            (false, Some((key, below))) if self.anchor == Anchor::End => Anchor::Row(key, below),
            _ => self.anchor,
        };
        let over = self.height
            * if is_following {
                OVERSCAN_FOLLOWING
            } else {
                OVERSCAN
            };
        let had_focus = self.has_focus();
        for _ in 0..MOST_ROUNDS {
            // Rows may look at the view while they are made.
            let (start, rows) = {
                let view = self.view();
                let top = self.viewport(&view);
                let range = view.heights().between(top - over, top + self.height + over);
                let range = self.with_marked(&view, range);
                (range.start, self.wanted(&view, range))
            };
            self.put(rows);
            if !self.measure(start) {
                break;
            }
        }
        self.place();
        if had_focus && !self.has_focus() {
            // The row that had it is gone: keys go on working.
            dom::focus(&self.list);
        }
    }

    /// Takes notice of what has another size, and keeps the anchor in its place. Draws no other rows.
    pub(super) fn settle(&mut self) {
        self.look();
        let first = self.drawn.first().map(|drawn| drawn.key);
        let start = first.map(|key| self.view().position(key));
        if let Some(Ok(start)) = start {
            self.measure(start);
        }
        self.place();
    }

    /// Looks how high the viewport is, and what is above the first row.
    pub(super) fn look(&mut self) {
        self.height = f64::from(self.list.client_height());
        self.head = f64::from(self.sheet.offset_top());
    }

    fn has_focus(&self) -> bool {
        self.list.matches(":focus-within").unwrap_or_default()
    }

    /// The rows to draw, and those between the ends of marked text.
    fn with_marked(&self, view: &View, range: Range<usize>) -> Range<usize> {
        let Some((first, last)) = self.marked else {
            return range;
        };
        let [first, last] = [first, last].map(|key| view.position(key).unwrap_or_else(|index| index));
        let (start, end) = (first.min(range.start), (last + 1).max(range.end).min(view.len()));
        if end - start > MOST_MARKED {
            range
        } else {
            start..end
        }
    }

    /// The rows of a range: their keys, and what is not drawn yet.
    fn wanted(&self, view: &View, range: Range<usize>) -> Vec<(RowKey, Option<Row>)> {
        let wanted = range.filter_map(|index| view.row(index)).map(|row| {
            let key = row.key();
            let is_drawn = self.drawn.binary_search_by_key(&key, |drawn| drawn.key).is_ok();
            (key, (!is_drawn).then(|| row.clone()))
        });
        wanted.collect()
    }

    /// Has exactly these rows in the document.
    fn put(&mut self, rows: Vec<(RowKey, Option<Row>)>) {
        let resize = self.resize.clone();
        self.drawn.retain(|drawn| {
            let stays = rows.binary_search_by_key(&drawn.key, |(key, _)| *key).is_ok();
            if !stays && let Some(resize) = &resize {
                resize.unobserve(&drawn.item);
            }
            stays
        });
        let selected = self.viewer.selected.get_untracked();
        for (place, (key, row)) in rows.into_iter().enumerate() {
            let Some(row) = row else { continue };
            let item = make_item(&row, selected == Some(key));
            let before = self.drawn.get(place).map(|drawn| drawn.item.as_ref());
            // Fails only for what is no child of the window.
            let _ = self.window.insert_before(&item, before);
            // One without a parent: a parent would remember every row there ever was.
            let (owner, viewer) = (Owner::default(), self.viewer);
            let item = owner.with(|| {
                provide_context(viewer);
                item.add(show_row(row))
            });
            if let Some(resize) = &self.resize {
                resize.observe(&item);
            }
            self.drawn.insert(place, Drawn { key, item, owner });
        }
    }

    /// Measures the drawn rows, the first of which is at `start`; whether any was other than thought.
    fn measure(&self, start: usize) -> bool {
        // What is not laid out has no height.
        if self.height <= 0.0 {
            return false;
        }
        let heights: Vec<f64> = self.drawn.iter().map(|drawn| height_of(&drawn.item)).collect();
        let mut view = self.viewer.view.write_untracked();
        let mut is_other = false;
        for (index, px) in (start..).zip(heights) {
            is_other |= view.measure(index, px);
        }
        is_other
    }

    /// Puts the drawn rows, the sheet and the scroll bar where they belong.
    fn place(&mut self) {
        let (top, start, total) = {
            let (view, drawn) = (self.view(), self.drawn.first());
            let start = drawn
                .and_then(|drawn| view.position(drawn.key).ok())
                .unwrap_or_default();
            let heights = view.heights();
            (self.viewport(&view), heights.top(start), heights.total())
        };
        let wanted = (top + self.head).max(0.0);
        // Whole pixels of the screen: browsers would round, and the rows jump by what they round off.
        let ratio = window().device_pixel_ratio().max(1.0);
        let scrolled = (wanted * ratio).round() / ratio;
        self.rest = scrolled - wanted;
        dom::set_px(&self.sheet, "height", total);
        dom::set_px(&self.window, "top", start + self.rest);
        let scroller = self.scroller();
        if (scroller.top() - scrolled).abs() > 0.01 {
            scroller.set_top(scrolled);
        }
        self.top = scroller.top();
        self.first = self.first_at(top);
    }

    /// The first row in a viewport that begins there, and its place in it.
    fn first_at(&self, top: f64) -> Option<(RowKey, f64)> {
        let view = self.view();
        let index = view.heights().at(top);
        view.row(index)
            .map(|row| (row.key(), view.heights().top(index) - top))
    }
}

impl Drop for Sheet {
    fn drop(&mut self) {
        if let Some(resize) = &self.resize {
            resize.disconnect();
        }
    }
}
