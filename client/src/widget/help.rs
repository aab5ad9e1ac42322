//! [`help`]: what keys do, to read.

use wasm_bindgen::JsCast;
use web_sys::HtmlDialogElement;

use super::keys::KEYS;
use crate::dom::{El, button, el};

/// A sheet that says what keys do. The browser keeps the focus within, closes it on Escape and gives the focus back.
pub(super) fn help() -> El {
    let sheet = el("dialog", "logs-help")
        .attr("aria-label", "Keyboard shortcuts")
        .attr("closedby", "any");
    let dialog: HtmlDialogElement = sheet.clone().unchecked_into();
    let close = button("logs-button", "Close (Escape)")
        .text("Close")
        .on_click(move || dialog.close());
    let head = el("div", "logs-help-head")
        .add(el("h2", "logs-help-title").text("Keyboard shortcuts"))
        .add(close);
    let rows = KEYS.iter().map(|key| {
        let keys = key
            .shown
            .split(' ')
            .fold(el("th", "").attr("scope", "row"), add_key);
        el("tr", "").add(keys).add(el("td", "").text(key.does))
    });
    let search = ["/expression/i", "name=value", "job.id=42", "path=/tmp*"];
    let between = [" or ", " (", ", ", ")."];
    let terms = search.into_iter().zip(between);
    let search = terms.fold(
        el("p", "").text("The search field takes text, "),
        |search, (term, then)| search.add(el("code", "").text(term)).text(then),
    );
    let about = "While the focus is in the log view. Clicking a line puts it there.";
    sheet
        .add(head)
        .add(el("p", "").text(about))
        .add(el("table", "").add_all(rows.collect()))
        .add(search)
}

/// Adds a part of what a key is called, for people to read.
fn add_key(keys: El, part: &str) -> El {
    if matches!(part, "or" | "–") {
        return keys.text(" ").text(part).text(" ");
    }
    let (name, then) = match part.strip_suffix(',') {
        Some(name) => (name, ", "),
        None => (part, " "),
    };
    keys.add(el("kbd", "").text(name)).text(then)
}
