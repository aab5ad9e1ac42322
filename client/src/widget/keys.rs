//! [`KEYS`]: what keys do, and [`on_key`], which does it.

use leptos::wasm_bindgen::JsCast;
use leptos::{ev::KeyboardEvent, prelude::*};
use logs_shared::Level;
use web_sys::{Element, HtmlElement};

use super::{
    search::{Way, step},
    toolbar,
    viewer::Viewer,
};
use crate::filter::Mode;

/// A key, or several that do the same.
pub(super) struct Key {
    /// As events name it; none where the list or a field sees to it.
    keys: &'static [&'static str],
    /// As people read it.
    pub(super) shown: &'static str,
    /// What it does.
    pub(super) does: &'static str,
    act: Act,
}

enum Act {
    /// Something of the viewer.
    Do(fn(Viewer)),
    /// Shows a level, or leaves it out.
    Level,
    /// Presses what the selector finds in the viewer.
    Press(&'static str),
    /// Goes to what the selector finds in the viewer.
    Focus(&'static str),
    /// Seen to elsewhere.
    Elsewhere,
}

const fn key(keys: &'static [&'static str], shown: &'static str, does: &'static str, act: Act) -> Key {
    Key {
        keys,
        shown,
        does,
        act,
    }
}

/// What keys do while the focus is in the viewer and not in a text field.
pub(super) const KEYS: [Key; 17] = [
    key(&["/"], "/", "Go to the search field", Act::Focus(".logs-find")),
    key(
        &[],
        "Enter, Shift Enter",
        "In the search field: next, previous match",
        Act::Elsewhere,
    ),
    key(
        &["n"],
        "n",
        "Next match",
        Act::Do(|viewer| step(viewer, Way::Next)),
    ),
    key(
        &["N"],
        "Shift n",
        "Previous match",
        Act::Do(|viewer| step(viewer, Way::Previous)),
    ),
    key(
        &["m"],
        "m",
        "Hide other lines, or only mark matches",
        Act::Do(toggle_mode),
    ),
    key(
        &["1", "2", "3", "4", "5", "6"],
        "1 – 6",
        "Show or hide TRACE, DEBUG, INFO, WARN, ERROR, FATAL",
        Act::Level,
    ),
    key(&[], "↑ ↓ or k j", "Select a line", Act::Elsewhere),
    key(
        &[],
        "Home, End",
        "Oldest line; newest line, and follow",
        Act::Elsewhere,
    ),
    key(
        &["Enter", " "],
        "Enter",
        "Open or fold the selected line",
        Act::Press(".logs-selected .logs-toggle"),
    ),
    key(
        &["c"],
        "c",
        "Copy the selected line",
        Act::Press(".logs-selected .logs-copy-line"),
    ),
    key(
        &["l"],
        "l",
        "Copy a link to the selected line",
        Act::Press(".logs-selected .logs-copy-link"),
    ),
    key(
        &["f"],
        "f",
        "Follow the newest line, or stand still",
        Act::Do(toolbar::toggle_follow),
    ),
    key(
        &["w"],
        "w",
        "Break long lines, or cut them",
        Act::Do(|viewer| viewer.wrap.update(|wrap| *wrap = !*wrap)),
    ),
    key(
        &["t"],
        "t",
        "Times: local, UTC, how long ago",
        Act::Do(next_time_style),
    ),
    key(&["x"], "x", "Clear", Act::Do(toolbar::clear)),
    key(&["?"], "?", "This help", Act::Press(".logs-help-button")),
    key(
        &[],
        "Escape",
        "Close this help or the menu; empty the search field",
        Act::Elsewhere,
    ),
];

/// Hides lines without a match, or only marks those with one.
pub(super) fn toggle_mode(viewer: Viewer) {
    viewer.filter.update(|filter| {
        filter.mode = match filter.mode {
            Mode::Hide => Mode::Mark,
            Mode::Mark => Mode::Hide,
        };
    });
}

fn next_time_style(viewer: Viewer) {
    viewer.time_style.update(|style| *style = style.next());
    viewer.announce(["Times: ", viewer.time_style.get_untracked().label()].concat());
}

/// Does what a key stands for. Whether it did: then the event is used up.
pub(crate) fn on_key(viewer: &Viewer, event: &KeyboardEvent) -> bool {
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok());
    let has_modifier = event.ctrl_key() || event.alt_key() || event.meta_key();
    if has_modifier
        || event.default_prevented()
        || event.is_composing()
        || target.as_ref().is_none_or(is_text_field)
    {
        return false;
    }
    let name = event.key();
    let presses_itself = |target: &Element| target.closest("button, a, summary").is_ok_and(|it| it.is_some());
    if matches!(&*name, "Enter" | " ") && target.as_ref().is_some_and(presses_itself) {
        return false;
    }
    let Some(key) = KEYS.iter().find(|key| key.keys.contains(&&*name)) else {
        return false;
    };
    let widget = target.and_then(|target| target.closest(".logs-widget").ok().flatten());
    let find = |selector| -> Option<HtmlElement> {
        widget.as_ref()?.query_selector(selector).ok()??.dyn_into().ok()
    };
    match key.act {
        Act::Do(act) => act(*viewer),
        Act::Level => {
            let level = name
                .parse()
                .ok()
                .and_then(|number: usize| Level::ALL.get(number.checked_sub(1)?));
            if let Some(level) = level {
                viewer.filter.update(|filter| filter.levels.toggle(*level));
            }
        }
        Act::Press(selector) => match find(selector) {
            Some(button) => button.click(),
            None => viewer.announce("No line is selected. The arrow keys select one."),
        },
        Act::Focus(selector) => {
            if let Some(element) = find(selector) {
                let _ = element.focus();
            }
        }
        Act::Elsewhere => return false,
    }
    event.prevent_default();
    true
}

fn is_text_field(target: &Element) -> bool {
    target
        .closest("input, textarea, select, [contenteditable]")
        .is_ok_and(|field| field.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_does_one_thing() {
        let mut keys: Vec<_> = KEYS.iter().flat_map(|key| key.keys).collect();
        let count = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), count);
    }
}
