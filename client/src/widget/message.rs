//! [`message`]: what a record says.

use std::sync::Arc;

use leptos::prelude::*;
use logs_shared::LogRecord;

use super::{record_row::Toggle, viewer::Viewer};
use crate::{
    ansi,
    dom::{El, button, effect, el, text},
    filter::Needle,
    fold::{Fold, Hidden},
    highlight::{Piece, pieces},
};

/// Of matches in what is folded, so many are counted.
const MOST_COUNTED: usize = 99;

/// What a record says, in its colours, with matches marked, folded where it is long.
pub(super) fn message(record: Arc<LogRecord>, toggle: Toggle) -> Vec<El> {
    let Toggle { is_open, viewer } = toggle;
    // What stands beside it would look as if it belonged to its first line.
    let class = if record.message.contains('\n') {
        "logs-message logs-message-lines"
    } else {
        "logs-message"
    };
    let message = el("div", class).attr("dir", "auto").part("message");
    let is_folded = Fold::of(&record.message).hidden != Hidden::Nothing;
    let unfold = is_folded.then(|| unfold(Arc::clone(&record), toggle));
    let message = message.says(viewer, move |needle| {
        let all = record.message.as_str();
        let shown = if is_open.get() { all } else { Fold::of(all).shown };
        vec![Said::plain(pieces(shown, needle))]
    });
    [Some(message), unfold].into_iter().flatten().collect()
}

/// What shows the rest of a long message, and says what is in there.
fn unfold(record: Arc<LogRecord>, toggle: Toggle) -> El {
    let Toggle { is_open, viewer } = toggle;
    button("logs-unfold", "")
        .attr("tabindex", "-1")
        .bool_from("aria-expanded", move || is_open.get())
        .on_click(move || toggle.run())
        .text_from(move || {
            let fold = Fold::of(&record.message);
            if is_open.get() {
                return "Show less".to_owned();
            }
            let rest = ansi::plain(&record.message[fold.shown.len()..]);
            let found = with_needle(viewer, |needle| needle.find(&rest, MOST_COUNTED).len());
            let mut label = fold.hidden.label().unwrap_or_default();
            if found > 0 {
                label.push_str(", ");
                label.push_str(&found.to_string());
                label.push_str(if found == 1 { " match" } else { " matches" });
            }
            label
        })
}

/// Looks at what is looked for.
fn with_needle<T>(viewer: Option<Viewer>, read: impl FnOnce(&Needle) -> T) -> T {
    match viewer {
        Some(viewer) => viewer.filter.with(|filter| read(&filter.needle)),
        None => read(&Needle::default()),
    }
}

/// Text with its matches marked.
#[derive(PartialEq, Eq)]
pub(super) struct Said {
    /// The element it is in, and its class; none where there is no name.
    pub(super) within: (&'static str, &'static str),
    pub(super) pieces: Vec<Piece>,
}

impl Said {
    /// In no element of its own.
    pub(super) fn plain(pieces: Vec<Piece>) -> Self {
        Self {
            within: ("", ""),
            pieces,
        }
    }
}

/// What is said, given what is looked for.
type Says = Box<dyn Fn(&Needle) -> Vec<Said>>;

impl El {
    /// Has in it only what is said, given what is looked for. What stays the same stays in the document: someone may
    /// have marked it.
    pub(super) fn says(self, viewer: Option<Viewer>, read: impl Fn(&Needle) -> Vec<Said> + 'static) -> Self {
        says(self, viewer, Box::new(read))
    }
}

fn says(el: El, viewer: Option<Viewer>, read: Says) -> El {
    let within = el.clone();
    let mut was = Vec::new();
    effect(Box::new(move || {
        let is = with_needle(viewer, |needle| read(needle));
        if is != was {
            if !was.is_empty() {
                within.set_text_content(None);
            }
            is.iter().for_each(|said| draw(&within, said));
            was = is;
        }
    }));
    el
}

fn draw(within: &El, said: &Said) {
    let pieces = said.pieces.iter().map(draw_piece).collect();
    let (name, class) = said.within;
    if name.is_empty() {
        within.clone().add_all(pieces);
    } else {
        within.clone().add(el(name, class).add_all(pieces));
    }
}

fn draw_piece(piece: &Piece) -> El {
    let classes = piece.style.classes();
    if piece.is_match {
        let mut all = String::from("logs-mark ");
        all.push_str(&classes.unwrap_or_default());
        return el("mark", &all).text(&piece.text);
    }
    match classes {
        Some(classes) => el("span", &classes).text(&piece.text),
        None => text(&piece.text),
    }
}
