//! [`head`] and [`lost`]: what is told of the past above the lines.

use leptos::prelude::*;

use super::{Older, Past};
use crate::{
    Buffer,
    dom::{El, button, el, memo_string},
    widget::viewer::Viewer,
};

/// Adds what is above the first line: whether there are others before it.
pub(in crate::widget) fn head(list: El) -> El {
    let Viewer { past, .. } = expect_context();
    let words = memo_string(move || says(past).0);
    let label = memo_string(move || says(past).1.to_owned());
    let load = move || {
        past.state.write().fruitless = 0;
        past.load_before();
    };
    list.child_from(move || {
        let (words, label) = (words.get(), label.get());
        if words.is_empty() && label.is_empty() {
            return None;
        }
        let head = el("div", "logs-head").add(el("span", "").text(&words));
        if label.is_empty() {
            return Some(head);
        }
        Some(head.add(button("logs-button", "").text(&label).on_click(load)))
    })
}

/// What is said of the lines before all that are there, and on the button that loads them.
fn says(past: Past) -> (String, &'static str) {
    let is_cleared = past.filter.read().after.is_some();
    if is_cleared || past.view.read().oldest().is_none() {
        return Default::default();
    }
    if !past.is_there() {
        let has_dropped = past.logs.with(Buffer::has_dropped);
        let words = if has_dropped {
            "Older lines are no longer kept on this page."
        } else {
            ""
        };
        return (words.to_owned(), "");
    }
    match &past.state.read().older {
        Older::Unknown => (String::new(), "Load older lines"),
        Older::Loading => ("Loading older lines…".to_owned(), ""),
        Older::None => ("The beginning of what the gateway keeps.".to_owned(), ""),
        Older::Failed(why) => (why.clone(), "Try again"),
    }
}

/// Tells that the record a link leads to is no longer kept.
pub(in crate::widget) fn lost() -> El {
    let Viewer { past, .. } = expect_context();
    // There before its words are: only what changes is read out.
    el("p", "logs-lost").attr("role", "status").text_from(move || {
        let is_lost = past.state.read().is_lost;
        let words = "The line this link leads to is no longer kept. These are the lines around its place.";
        if is_lost { words.to_owned() } else { String::new() }
    })
}
