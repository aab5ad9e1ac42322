//! [`Fields`]: what a record says beside its message.

use std::sync::Arc;

use leptos::prelude::*;
use logs_shared::LogRecord;
use serde_json::Value;
use wasm_bindgen::JsCast;

use super::opened::opened;

/// How many fields are shown on the record's row.
const MOST_CHIPS: usize = 6;
/// How much of a value is shown there, in characters.
const MOST_CHARS: usize = 48;

/// The first fields as `key=value`, all of them as JSON when opened.
#[component]
pub(super) fn Fields(record: Arc<LogRecord>) -> impl IntoView {
    let fields = record.fields.to_value();
    let more = fields.len().saturating_sub(MOST_CHIPS);
    let chips = fields.iter().take(MOST_CHIPS).map(|(name, value)| {
        view! {
            <span class="logs-chip">
                <span class="logs-chip-name">{name.clone()}</span>
                <span class="logs-chip-value">{short(value)}</span>
            </span>
        }
    });
    let chips = chips.collect_view();
    let is_open = opened(record.id, "fields");
    // Made when it is first opened: most never are.
    let json = move || is_open.get().then(|| pretty(&record));
    let on_toggle = move |event: leptos::ev::Event| {
        let details = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        is_open.set(details.is_some_and(|details| details.has_attribute("open")));
    };
    view! {
        <details class="logs-fields" open=is_open.get_untracked() on:toggle=on_toggle>
            <summary class="logs-chips">
                {chips}
                {(more > 0).then(|| view! { <span class="logs-chip-more">{format!("+{more} fields")}</span> })}
            </summary>
            <pre class="logs-json">{json}</pre>
        </details>
    }
}

fn pretty(record: &LogRecord) -> String {
    serde_json::to_string_pretty(&record.fields.to_value()).unwrap_or_default()
}

fn short(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut chars = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let start: String = chars.by_ref().take(MOST_CHARS).collect();
    if chars.next().is_some() {
        format!("{start}…")
    } else {
        start
    }
}
