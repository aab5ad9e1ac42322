//! What a sheet asks of the document.

use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;

/// Sets one style property; a strict content policy allows that, but no style in markup.
pub(super) use crate::browser::set_px;
use crate::{
    buffer::Row,
    widget::{
        RecordRow,
        gap_row::{GapRow, UnloadedRow},
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
}

impl Scroller {
    pub(super) fn of(element: &HtmlElement) -> &Self {
        element.unchecked_ref()
    }
}

/// The element that a row is in: it can have the focus, but is no stop on the way from control to control.
pub(super) fn make_item(row: &Row, is_selected: bool) -> HtmlElement {
    let item: HtmlElement = document()
        .create_element("div")
        .unwrap_or_else(|_| unreachable!("div is a name"))
        .unchecked_into();
    item.set_class_name(match row {
        Row::Record(_) => "logs-item",
        Row::Gap(_) | Row::Unloaded(_) => "logs-item logs-item-gap",
    });
    item.set_tab_index(-1);
    mark(&item, is_selected);
    item
}

/// What a row looks like.
pub(super) fn show_row(row: Row) -> AnyView {
    match row {
        Row::Record(record) => view! { <RecordRow record /> }.into_any(),
        Row::Gap(gap) => view! { <GapRow gap /> }.into_any(),
        Row::Unloaded(after) => view! { <UnloadedRow after /> }.into_any(),
    }
}

/// Marks the row that keys act on.
pub(super) fn mark(item: &HtmlElement, is_selected: bool) {
    // Fail for names that are none.
    let _ = if is_selected {
        item.set_attribute("aria-current", "true")
    } else {
        item.remove_attribute("aria-current")
    };
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
