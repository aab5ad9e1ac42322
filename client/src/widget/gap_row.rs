//! [`gap_row`]: where records are missing, and [`unloaded_row`]: where they have not been loaded.

use leptos::prelude::*;
use logs_shared::{
    RecordId,
    event::{Gap, GapReason},
};

use super::{past::Hole, viewer::Viewer};
use crate::{
    buffer::Row,
    dom::{El, button, el, text},
};

/// A line where records are missing, and why; with the way to load them where history may still have them.
pub(super) fn gap_row(gap: Gap) -> El {
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
    words.push_str(". ");
    let key = Row::Gap(gap.clone()).key();
    let mut title = gap.from.to_string();
    title.push_str(" to ");
    title.push_str(&gap.to.to_string());
    let may_load = gap.reason != GapReason::Retention;
    let line = el("span", "").text(&words).children_from(move || {
        let (found, button) = match past.hole(key) {
            _ if !may_load || !past.is_there() => return Vec::new(),
            Hole::Unknown => (String::new(), "Load"),
            Hole::Loading => ("Loading…".to_owned(), ""),
            Hole::Found(found, _) => (found_words(found), "Load more"),
            Hole::All(found) => (found_words(found), ""),
            Hole::Failed(why) => (why, "Try again"),
        };
        let gap = gap.clone();
        let load = move || past.load_gap(gap.clone());
        state(&found, button, Box::new(load))
    });
    el("p", "logs-gap").part("gap").attr("title", &title).add(line)
}

/// A line where records have not been loaded, with the way to them.
pub(super) fn unloaded_row(after: RecordId) -> El {
    let Viewer { past, .. } = expect_context();
    let key = Row::Unloaded(after).key();
    let line = el("span", "")
        .text("… lines between are not loaded. ")
        .children_from(move || {
            let (words, button) = match past.hole(key) {
                _ if !past.is_there() => (String::new(), ""),
                Hole::Loading => ("Loading…".to_owned(), ""),
                Hole::Failed(why) => (why, "Try again"),
                _ => (String::new(), "Load"),
            };
            state(&words, button, Box::new(move || past.load_after(after)))
        });
    el("p", "logs-gap").part("gap").add(line)
}

/// How it stands with what is missing, and the button that loads it.
fn state(words: &str, label: &str, load: Box<dyn FnMut()>) -> Vec<El> {
    let mut state = vec![el("b", "").text(words)];
    if !label.is_empty() {
        let button = button("logs-unfold", "")
            .attr("tabindex", "-1")
            .text(label)
            .on_click(load);
        state.extend([text(" "), button]);
    }
    state
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
