//! [`Toolbar`]: what a reader chooses.

use leptos::prelude::*;
use logs_shared::Level;

use super::viewer::Viewer;
use crate::{buffer::Row, filter::Needle};

/// Level, text, follow or pause, wrap, clear, and how many records there are.
#[component]
pub(super) fn Toolbar() -> impl IntoView {
    let Viewer {
        logs,
        filter,
        wrap,
        follow,
        ..
    } = expect_context();
    let choose_level = move |event| {
        let level = event_target_value(&event).parse().ok();
        filter.update(|filter| filter.level = level);
    };
    let look_for = move |event| {
        let needle = Needle::new(&event_target_value(&event));
        filter.update(|filter| filter.needle = needle);
    };
    let clear = move |_| {
        let newest = logs.with_untracked(|rows| rows.rows().next_back().map(Row::key));
        filter.update(|filter| filter.after = newest.or(filter.after));
        follow.resume();
    };
    let text = Memo::new(move |_| filter.with(|filter| filter.needle.to_string()));
    view! {
        <div class="logs-toolbar" role="group" aria-label="Log view">
            <select class="logs-select" aria-label="Minimum level" on:change=choose_level>
                <option value="" selected=move || filter.with(|filter| filter.level.is_none())>"All levels"</option>
                {Level::ALL.into_iter().skip(1).map(|level| {
                    let is_selected = move || filter.with(|filter| filter.level == Some(level));
                    view! {
                        <option value=level.as_str() selected=is_selected>
                            {if level == Level::Fatal { "FATAL".to_owned() } else { format!("{level} and up") }}
                        </option>
                    }
                }).collect_view()}
            </select>
            <input
                class="logs-input logs-find"
                type="search"
                placeholder="Filter text"
                aria-label="Filter text"
                autocomplete="off"
                spellcheck="false"
                prop:value=text
                on:input=look_for
            />
            <button
                type="button"
                class="logs-button"
                aria-pressed=move || if follow.is_following() { "true" } else { "false" }
                title="Follow the newest line, or stand still"
                on:click=move |_| if follow.is_following() { follow.hold() } else { follow.resume() }
            >
                "Follow"
            </button>
            <button
                type="button"
                class="logs-button"
                aria-pressed=move || if wrap.get() { "true" } else { "false" }
                title="Break long lines"
                on:click=move |_| wrap.update(|wrap| *wrap = !*wrap)
            >
                "Wrap"
            </button>
            <button type="button" class="logs-button" title="Clear this view" on:click=clear>"Clear"</button>
            <Count />
        </div>
    }
}

/// How many records there are, and how many of them the filter shows.
#[component]
fn Count() -> impl IntoView {
    let Viewer { view, .. } = expect_context();
    let counts = Memo::new(move |_| view.with(|view| (view.shown_records(), view.all_records())));
    view! {
        <span class="logs-count">
            {move || match counts.get() {
                (1, 1) => "1 record".to_owned(),
                (shown, all) if shown == all => format!("{all} records"),
                (shown, all) => format!("{shown} of {all} records"),
            }}
        </span>
    }
}
