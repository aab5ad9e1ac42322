//! [`Find`]: the search field, and the way from match to match.

use leptos::{ev::KeyboardEvent, html, prelude::*};

use super::{
    search::{Matches, Way, step},
    time::now_ms,
    tools::{button, icon, icons},
    viewer::Viewer,
};
use crate::filter::{Mode, Needle};

/// While lines stream in, matches are counted again after so many milliseconds.
const COUNT_EVERY_MS: f64 = 200.0;

/// The search field; while something is looked for, which match is selected and the way to the others.
#[component]
pub(super) fn Find() -> impl IntoView {
    let viewer: Viewer = expect_context();
    let field = NodeRef::<html::Input>::new();
    let text = Memo::new(move |_| viewer.filter.with(|filter| filter.needle.to_string()));
    let error = Memo::new(move |_| {
        viewer
            .filter
            .with(|filter| filter.needle.error().map(str::to_owned))
    });
    let matches = count_matches(viewer);
    let label = Memo::new(move |_| matches.with(|matches| matches.label(viewer.selected.get())));
    let look_for = move |text: &str| {
        let needle = Needle::new(text);
        viewer.filter.update(|filter| filter.needle = needle);
    };
    let on_key = move |event: KeyboardEvent| match &*event.key() {
        "Enter" if !event.is_composing() => {
            event.prevent_default();
            step(
                viewer,
                if event.shift_key() {
                    Way::Previous
                } else {
                    Way::Next
                },
            );
        }
        "Escape" => {
            // The first empties the field, the next one is the page's.
            if text.with_untracked(|text| !text.is_empty()) {
                event.prevent_default();
                event.stop_propagation();
                look_for("");
            } else if let Some(field) = field.get_untracked() {
                let _ = field.blur();
            }
        }
        _ => {}
    };
    let mode = move |_| {
        viewer.filter.update(|filter| {
            filter.mode = if filter.mode == Mode::Hide {
                Mode::Mark
            } else {
                Mode::Hide
            };
        });
    };
    let to = move |label: &'static str, path, title, way| {
        let press = move |_| step(viewer, way);
        let label = view! { {icon(path)} <span class="logs-unseen">{label}</span> };
        button("logs-button logs-step", label.into_any(), title, press)
    };
    let steps = move || {
        view! {
            <span class="logs-matches" role="status">{label}</span>
            {to("Previous match", icons::UP, "Previous match (Shift N, Shift Enter)", Way::Previous)}
            {to("Next match", icons::DOWN, "Next match (n, Enter)", Way::Next)}
            <button
                type="button"
                class="logs-button logs-step logs-mode"
                aria-label="Only matches"
                aria-pressed=move || if viewer.filter.with(|filter| filter.mode == Mode::Hide) { "true" } else { "false" }
                title="Hide lines without a match, or only mark those with one (m)"
                on:click=mode
            >
                {icon(icons::ONLY)}
            </button>
        }
        .into_any()
    };
    let is_set = Memo::new(move |_| label.with(Option::is_some));
    view! {
        <div class="logs-search" role="search">
            <div class="logs-find-box">
                {icon(icons::FIND)}
                <input
                    class="logs-input logs-find"
                    type="search"
                    placeholder="Search"
                    title="Text, /expression/i or name=value (/)"
                    aria-label="Search: text, /expression/ or name=value"
                    aria-keyshortcuts="/"
                    aria-invalid=move || error.with(Option::is_some).then_some("true")
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    enterkeyhint="search"
                    node_ref=field
                    prop:value=text
                    on:input=move |event| look_for(&event_target_value(&event))
                    on:keydown=on_key
                />
                {move || error.get().map(|error| view! { <p class="logs-find-error" role="alert">{error}</p> })}
            </div>
            {move || is_set.get().then(steps)}
        </div>
    }
    .into_any()
}

/// Keeps count of the matches: at once when something else is looked for, now and then while lines come.
fn count_matches(viewer: Viewer) -> RwSignal<Matches> {
    let matches = RwSignal::new(Matches::default());
    let counted = StoredValue::new(0.0);
    Effect::new(move |was: Option<Needle>| {
        let needle = viewer.filter.with(|filter| filter.needle.clone());
        viewer.view.track();
        now_ms();
        let now = js_sys::Date::now();
        if was.as_ref() != Some(&needle) || now - counted.get_value() >= COUNT_EVERY_MS {
            counted.set_value(now);
            viewer.filter.with_untracked(|filter| {
                viewer.view.with_untracked(|view| {
                    matches.update(|matches| matches.update(view, filter));
                });
            });
        }
        needle
    });
    matches
}
