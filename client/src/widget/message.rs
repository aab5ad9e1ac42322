//! [`Message`]: what a record says.

use std::sync::Arc;

use leptos::prelude::*;
use logs_shared::LogRecord;

use super::opened::opened;
use crate::{
    filter::Needle,
    fold::Fold,
    highlight::{Piece, pieces},
};

/// What a record says, in its colours, with matches marked, folded where it is long.
#[component]
pub(super) fn Message(record: Arc<LogRecord>, needle: Signal<Needle>) -> impl IntoView {
    let label = Fold::of(&record.message).hidden.label();
    // What stands beside it would look as if it belonged to its first line.
    let class = if record.message.contains('\n') {
        "logs-message logs-message-lines"
    } else {
        "logs-message"
    };
    let is_open = opened(record.id, "message");
    let text = move || {
        let all = record.message.as_str();
        let shown = if is_open.get() { all } else { Fold::of(all).shown };
        needle
            .with(|needle| pieces(shown, needle))
            .into_iter()
            .map(draw)
            .collect_view()
    };
    let unfold = label.map(|label| {
        let says = move || {
            if is_open.get() {
                "Show less".to_owned()
            } else {
                label.clone()
            }
        };
        view! {
            <button
                type="button"
                class="logs-unfold"
                aria-expanded=move || if is_open.get() { "true" } else { "false" }
                on:click=move |_| is_open.update(|is_open| *is_open = !*is_open)
            >
                {says}
            </button>
        }
    });
    view! {
        <div class=class dir="auto">{text}</div>
        {unfold}
    }
}

fn draw(piece: Piece) -> AnyView {
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
