//! [`GapRow`]: where records are missing, and [`UnloadedRow`]: where they have not been loaded.

use leptos::prelude::*;
use logs_shared::{
    RecordId,
    event::{Gap, GapReason},
};

use super::{past::Hole, viewer::Viewer};
use crate::buffer::Row;

/// A line where records are missing, and why; with the way to load them where history may still have them.
#[component]
pub(super) fn GapRow(gap: Gap) -> impl IntoView {
    let Viewer { past, .. } = expect_context();
    let why = match gap.reason {
        GapReason::Retention => "retention has taken them",
        GapReason::Restart => "the gateway was restarted and keeps lines in memory only",
        GapReason::UnknownCursor => "it is not known what was read before",
        GapReason::Other => "the stream was interrupted",
    };
    let mut words = String::from("Lines of ");
    words.push_str(gap.channel.as_str());
    words.push_str(" may be missing here: ");
    words.push_str(why);
    words.push('.');
    let key = Row::Gap(gap.clone()).key();
    let mut title = gap.from.to_string();
    title.push_str(" to ");
    title.push_str(&gap.to.to_string());
    let may_load = gap.reason != GapReason::Retention;
    let state = move || {
        let hole = past.hole(key);
        let (found, button) = match hole {
            _ if !may_load || !past.is_there() => return None,
            Hole::Unknown => (String::new(), "Load"),
            Hole::Loading => ("Loading…".to_owned(), ""),
            Hole::Found(found, _) => (found_words(found), "Load more"),
            Hole::All(found) => (found_words(found), ""),
            Hole::Failed(why) => (why, "Try again"),
        };
        let gap = gap.clone();
        Some((found, button_to(button, move || past.load_gap(gap.clone()))))
    };
    view! {
        <p class="logs-gap" part="gap" title=title>
            <span>{words} " " {move || state().map(|(found, button)| view! { <b>{found}</b> " " {button} })}</span>
        </p>
    }
    .into_any()
}

/// A line where records have not been loaded, with the way to them.
#[component]
pub(super) fn UnloadedRow(after: RecordId) -> impl IntoView {
    let Viewer { past, .. } = expect_context();
    let key = Row::Unloaded(after).key();
    let state = move || {
        let (words, button) = match past.hole(key) {
            _ if !past.is_there() => (String::new(), ""),
            Hole::Loading => ("Loading…".to_owned(), ""),
            Hole::Failed(why) => (why, "Try again"),
            _ => (String::new(), "Load"),
        };
        view! { <b>{words}</b>{button_to(button, move || past.load_after(after))} }
    };
    view! {
        <p class="logs-gap" part="gap">
            <span>"… lines between are not loaded. " {state}</span>
        </p>
    }
    .into_any()
}

/// What the history had for a gap.
fn found_words(found: usize) -> String {
    if found == 0 {
        return "The gateway has none.".to_owned();
    }
    let mut words = found.to_string();
    words.push_str(if found == 1 {
        " line was found."
    } else {
        " lines were found."
    });
    words
}

fn button_to(label: &'static str, act: impl Fn() + 'static) -> Option<AnyView> {
    (!label.is_empty()).then(|| {
        view! { <button type="button" class="logs-unfold" tabindex="-1" on:click=move |_| act()>{label}</button> }.into_any()
    })
}
