//! [`message`]: what a record says.

use std::sync::Arc;

use leptos::prelude::*;
use logs_shared::LogRecord;

use super::viewer::Viewer;
use crate::{
    ansi,
    filter::Needle,
    fold::{Fold, Hidden},
    highlight::{Piece, pieces},
};

/// Of matches in what is folded, so many are counted.
const MOST_COUNTED: usize = 99;

/// What a record says, in its colours, with matches marked, folded where it is long.
pub(super) fn message(
    record: Arc<LogRecord>,
    viewer: Option<Viewer>,
    is_open: RwSignal<bool>,
    toggle: impl Fn() + Copy + 'static,
) -> AnyView {
    // What stands beside it would look as if it belonged to its first line.
    let class = if record.message.contains('\n') {
        "logs-message logs-message-lines"
    } else {
        "logs-message"
    };
    let is_folded = Fold::of(&record.message).hidden != Hidden::Nothing;
    let unfold = is_folded.then(|| {
        let record = Arc::clone(&record);
        let label = move || {
            let fold = Fold::of(&record.message);
            if is_open.get() {
                return "Show less".to_owned();
            }
            let rest = ansi::plain(&record.message[fold.shown.len()..]);
            let found = with_needle(viewer, |needle| needle.find(&rest, MOST_COUNTED).len());
            let label = fold.hidden.label().unwrap_or_default();
            match found {
                0 => label,
                1 => format!("{label}, 1 match"),
                found => format!("{label}, {found} matches"),
            }
        };
        view! {
            <button
                type="button"
                class="logs-unfold"
                tabindex="-1"
                aria-expanded=move || if is_open.get() { "true" } else { "false" }
                on:click=move |_| toggle()
            >
                {label}
            </button>
        }
    });
    let text = move || {
        let all = record.message.as_str();
        let shown = if is_open.get() { all } else { Fold::of(all).shown };
        with_needle(viewer, |needle| draw(pieces(shown, needle)))
    };
    view! {
        <div class=class dir="auto" part="message">{text}</div>
        {unfold}
    }
    .into_any()
}

/// Looks at what is looked for.
pub(super) fn with_needle<T>(viewer: Option<Viewer>, read: impl FnOnce(&Needle) -> T) -> T {
    match viewer {
        Some(viewer) => viewer.filter.with(|filter| read(&filter.needle)),
        None => read(&Needle::default()),
    }
}

/// Text with its matches marked.
pub(super) fn draw(pieces: Vec<Piece>) -> AnyView {
    match <[Piece; 1]>::try_from(pieces) {
        // Most messages are one.
        Ok([piece]) => draw_piece(piece),
        Err(pieces) => pieces.into_iter().map(draw_piece).collect_view().into_any(),
    }
}

fn draw_piece(piece: Piece) -> AnyView {
    let Piece {
        text,
        style,
        is_match,
    } = piece;
    match (is_match, style.classes()) {
        (true, classes) => {
            view! { <mark class=format!("logs-mark {}", classes.unwrap_or_default())>{text}</mark> }
                .into_any()
        }
        (false, Some(classes)) => view! { <span class=classes>{text}</span> }.into_any(),
        (false, None) => text.into_any(),
    }
}
