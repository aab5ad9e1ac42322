//! [`Nothing`]: what stands in the place of lines.

use leptos::prelude::*;

use super::viewer::Viewer;
use crate::{Buffer, filter::Filter};

/// What stands in the place of lines: that none has come, or that the filter shows none of them.
#[component]
pub(super) fn Nothing(#[prop(optional_no_strip)] empty: Option<ViewFn>) -> impl IntoView {
    let Viewer {
        logs, filter, view, ..
    } = expect_context();
    let is_empty = Memo::new(move |_| view.read().is_empty());
    let hides = Memo::new(move |_| filter.read().is_set() && view.read().all_records() > 0);
    let clears = move |rows: &Buffer| !rows.is_empty() && filter.read().clears(rows);
    let is_cleared = Memo::new(move |_| is_empty.get() && logs.with(clears));
    let reset = move |_| filter.update(Filter::reset);
    let what = move || {
        if is_cleared.get() {
            view! { <p>"Cleared. New lines appear here as they are published."</p> }.into_any()
        } else if hides.get() {
            view! {
                <p>"No line matches the filter."</p>
                <button type="button" class="logs-button" on:click=reset>"Show all lines"</button>
            }
            .into_any()
        } else if let Some(empty) = &empty {
            empty.run()
        } else {
            view! { <p>"No lines yet. They appear here as they are published."</p> }.into_any()
        }
    };
    view! {
        <Show when=move || is_empty.get()>
            <div class="logs-empty">{what.clone()}</div>
        </Show>
    }
    .into_any()
}
