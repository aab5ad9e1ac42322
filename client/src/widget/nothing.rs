//! [`nothing`]: what stands in the place of lines.

use leptos::prelude::*;

use super::viewer::Viewer;
use crate::{
    Buffer,
    dom::{El, button, el, memo_bool},
    filter::Filter,
};

/// Adds what stands in the place of lines: that none has come, or that the filter shows none of them.
pub(super) fn nothing(list: El, empty: Option<ViewFn>) -> El {
    let Viewer {
        logs, filter, view, ..
    } = expect_context();
    let is_empty = memo_bool(move || view.read().is_empty());
    let hides = memo_bool(move || filter.read().is_set() && view.read().all_records() > 0);
    let clears = move |rows: &Buffer| !rows.is_empty() && filter.read().clears(rows);
    let is_cleared = memo_bool(move || is_empty.get() && logs.with(clears));
    list.child_from(move || {
        if !is_empty.get() {
            return None;
        }
        let nothing = el("div", "logs-empty");
        let says = |words| nothing.clone().add(el("p", "").text(words));
        Some(if is_cleared.get() {
            says("Cleared. New lines appear here as they are published.")
        } else if hides.get() {
            let reset = move || filter.update(Filter::reset);
            says("No line that is loaded matches the filter. Older ones may: they can be loaded above.")
                .add(button("logs-button", "").text("Show all lines").on_click(reset))
        } else if let Some(empty) = &empty {
            nothing.add_view(empty.run())
        } else if logs.is_refused.get() {
            says("No lines: the gateway refuses this stream.")
        } else {
            says("No lines yet. They appear here as they are published.")
        })
    })
}
