//! [`Help`]: what keys do, to read.

use leptos::{html, prelude::*};

use super::{keys::KEYS, tools::button};

/// A sheet that says what keys do. The browser keeps the focus within, closes it on Escape and gives the focus back.
#[component]
pub(super) fn Help(sheet: NodeRef<html::Dialog>) -> impl IntoView {
    let close = move |_| {
        if let Some(sheet) = sheet.get_untracked() {
            sheet.close();
        }
    };
    let rows = KEYS.iter().map(|key| {
        let keys = key.shown.split(' ').map(|part| match part {
            "or" | "–" => format!(" {part} ").into_any(),
            part => match part.strip_suffix(',') {
                Some(part) => view! { <kbd>{part}</kbd> ", " }.into_any(),
                None => view! { <kbd>{part}</kbd> " " }.into_any(),
            },
        });
        view! { <tr><th scope="row">{keys.collect_view()}</th><td>{key.does}</td></tr> }
    });
    view! {
        <dialog class="logs-help" aria-label="Keyboard shortcuts" closedby="any" node_ref=sheet>
            <div class="logs-help-head">
                <h2 class="logs-help-title">"Keyboard shortcuts"</h2>
                {button("logs-button", "Close".into_any(), "Close (Escape)", close)}
            </div>
            <p>"While the focus is in the log view. Clicking a line puts it there."</p>
            <table>{rows.collect_view()}</table>
            <p>
                "The search field takes text, " <code>"/expression/i"</code> " or " <code>"name=value"</code>
                " (" <code>"job.id=42"</code> ", " <code>"path=/tmp*"</code> ")."
            </p>
        </dialog>
    }
    .into_any()
}
