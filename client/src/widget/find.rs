//! [`find`]: the search field, and the way from match to match.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, KeyboardEvent};

use super::{
    keys::toggle_mode,
    search::{Matches, Way, step},
    time::now_ms,
    tools::icons,
    viewer::Viewer,
};
use crate::{
    dom::{El, button, effect, effect_later, el, icon, memo_bool, memo_string},
    filter::{Mode, Needle},
};

/// While lines stream in, matches are counted again after so many milliseconds.
const COUNT_EVERY_MS: f64 = 200.0;

/// The search field; while something is looked for, which match is selected and the way to the others.
pub(super) fn find(viewer: Viewer) -> El {
    // Empty where there is none.
    let error = memo_string(move || {
        let error = viewer
            .filter
            .with(|filter| filter.needle.error().map(str::to_owned));
        error.unwrap_or_default()
    });
    let matches = count_matches(viewer);
    let label = Memo::new(move |_| matches.with(|matches| matches.label(viewer.selected.get())));
    let is_set = memo_bool(move || label.with(Option::is_some));
    let find_box = el("div", "logs-find-box")
        .add(icon(icons::FIND))
        .add(field(viewer, error))
        .child_from(move || {
            let error = error.get();
            (!error.is_empty()).then(|| el("p", "logs-find-error").attr("role", "alert").text(&error))
        });
    let steps = move || {
        if !is_set.get() {
            return Vec::new();
        }
        let matches = el("span", "logs-matches")
            .attr("role", "status")
            .text_from(move || label.get().unwrap_or_default());
        let mode = button(
            "logs-button logs-step logs-mode",
            "Hide lines without a match, or only mark those with one (m)",
        )
        .attr("aria-label", "Only matches")
        .bool_from("aria-pressed", move || {
            viewer.filter.with(|filter| filter.mode == Mode::Hide)
        })
        .on_click(move || toggle_mode(viewer))
        .add(icon(icons::ONLY));
        vec![
            matches,
            to(
                "Previous match",
                icons::UP,
                "Previous match (Shift N, Shift Enter)",
            )
            .on_click(move || step(viewer, Way::Previous)),
            to("Next match", icons::DOWN, "Next match (n, Enter)").on_click(move || step(viewer, Way::Next)),
            mode,
        ]
    };
    el("div", "logs-search")
        .attr("role", "search")
        .add(find_box)
        .children_from(steps)
}

fn to(label: &str, path: &str, title: &str) -> El {
    button("logs-button logs-step", title)
        .add(icon(path))
        .add(el("span", "logs-unseen").text(label))
}

fn field(viewer: Viewer, error: Memo<String>) -> El {
    let text = memo_string(move || viewer.filter.with(|filter| filter.needle.to_string()));
    let look_for = move |text: &str| {
        let needle = Needle::new(text);
        viewer.filter.update(|filter| filter.needle = needle);
    };
    let on_key = move |event: &KeyboardEvent, field: &HtmlInputElement| match &*event.key() {
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
            } else {
                let _ = field.blur();
            }
        }
        _ => {}
    };
    let attributes = [
        ("type", "search"),
        ("placeholder", "Search"),
        ("title", "Text, /expression/i or name=value (/)"),
        ("aria-label", "Search: text, /expression/ or name=value"),
        ("aria-keyshortcuts", "/"),
        ("autocomplete", "off"),
        ("autocapitalize", "off"),
        ("spellcheck", "false"),
        ("enterkeyhint", "search"),
    ];
    let field = el("input", "logs-input logs-find");
    let field = attributes
        .into_iter()
        .fold(field, |field, (name, value)| field.attr(name, value))
        .attr_from("aria-invalid", move || {
            error.with(|error| !error.is_empty()).then(|| "true".to_owned())
        });
    let input: HtmlInputElement = field.clone().unchecked_into();
    let (read, written) = (input.clone(), input.clone());
    effect(Box::new(move || {
        text.with(|text| {
            // What is written while it is the same would move the caret.
            if written.value() != *text {
                written.set_value(text);
            }
        });
    }));
    field
        .on("input", move |_| look_for(&read.value()))
        .on("keydown", move |event| on_key(event.unchecked_ref(), &input))
}

/// Keeps count of the matches: at once when something else is looked for, now and then while lines come.
fn count_matches(viewer: Viewer) -> RwSignal<Matches> {
    let matches = RwSignal::new(Matches::default());
    let (mut counted, mut was) = (0.0, None);
    effect_later(Box::new(move || {
        let needle = viewer.filter.with(|filter| filter.needle.clone());
        viewer.view.track();
        now_ms();
        let now = js_sys::Date::now();
        if was.as_ref() != Some(&needle) || now - counted >= COUNT_EVERY_MS {
            counted = now;
            viewer.filter.with_untracked(|filter| {
                viewer.view.with_untracked(|view| {
                    matches.update(|matches| matches.update(view, filter));
                });
            });
        }
        was = Some(needle);
    }));
    matches
}
