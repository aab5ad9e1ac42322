//! What a sheet asks of the document.

use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;

use crate::{
    buffer::Row,
    dom::{El, el},
    widget::{
        gap_row::{gap_row, unloaded_row},
        record_row::record_row,
    },
};

#[wasm_bindgen]
extern "C" {
    /// An element that scrolls. `web-sys` knows whole pixels only; a screen may have halves.
    pub(super) type Scroller;

    #[wasm_bindgen(method, getter, js_name = scrollTop)]
    pub(super) fn top(this: &Scroller) -> f64;

    #[wasm_bindgen(method, setter, js_name = scrollTop)]
    pub(super) fn set_top(this: &Scroller, top: f64);

    /// A number as text. Rust's own way with fractions is some ten kilobytes of code.
    #[wasm_bindgen(js_name = String)]
    fn written(number: f64) -> String;
}

impl Scroller {
    pub(super) fn of(element: &HtmlElement) -> &Self {
        element.unchecked_ref()
    }
}

/// The element that a row is in: it can have the focus, but is no stop on the way from control to control.
pub(super) fn make_item(row: &Row, is_selected: bool) -> El {
    let class = match row {
        Row::Record(_) => "logs-item",
        Row::Gap(_) | Row::Unloaded(_) => "logs-item logs-item-gap",
    };
    let item = el("div", class).attr("tabindex", "-1");
    mark(&item, is_selected);
    item
}

/// What a row looks like.
pub(super) fn show_row(row: Row) -> El {
    match row {
        Row::Record(record) => record_row(record),
        Row::Gap(gap) => gap_row(gap),
        Row::Unloaded(after) => unloaded_row(after),
    }
}

/// Marks the row that keys act on.
pub(super) fn mark(item: &El, is_selected: bool) {
    item.set_attr("aria-current", is_selected.then_some("true"));
}

/// Gives an element the focus, and scrolls nothing.
pub(super) fn focus(element: &HtmlElement) {
    let options = web_sys::FocusOptions::new();
    options.set_prevent_scroll(true);
    // Fails for what is not in the document.
    let _ = element.focus_with_options(&options);
}

/// How high an element is, with its fractions.
pub(super) fn height_of(element: &HtmlElement) -> f64 {
    element.get_bounding_client_rect().height()
}

/// Sets one style property; a strict content policy allows that, but no style in markup.
pub(super) fn set_px(element: &HtmlElement, property: &str, px: f64) {
    let mut value = written(px);
    value.push_str("px");
    // Fails where a style is computed, which is not this one.
    let _ = element.style().set_property(property, &value);
}
