//! [`Head`] and [`Lost`]: what is told of the past above the lines.

use leptos::prelude::*;

use super::{Older, Past};
use crate::{Buffer, widget::viewer::Viewer};

/// What is above the first line: whether there are others before it.
#[component]
pub(in crate::widget) fn Head() -> impl IntoView {
    let Viewer { past, .. } = expect_context();
    let says = Memo::new(move |_| says(past));
    let load = move |_| {
        past.state.write().fruitless = 0;
        past.load_before();
    };
    move || {
        let (words, button) = says.get();
        (!words.is_empty() || !button.is_empty()).then(|| {
            let button = (!button.is_empty()).then(|| {
                view! { <button type="button" class="logs-button" on:click=load>{button}</button> }
            });
            view! { <div class="logs-head"><span>{words}</span>{button}</div> }.into_any()
        })
    }
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
#[component]
pub(in crate::widget) fn Lost() -> impl IntoView {
    let Viewer { past, .. } = expect_context();
    let words = move || {
        let is_lost = past.state.read().is_lost;
        is_lost
            .then_some("The line this link leads to is no longer kept. These are the lines around its place.")
    };
    // There before its words are: only what changes is read out.
    view! { <p class="logs-lost" role="status">{words}</p> }.into_any()
}
