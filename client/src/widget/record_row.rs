//! [`RecordRow`]: one record.

use std::sync::Arc;

use leptos::prelude::*;
use logs_shared::{Level, LogRecord, Timestamp};
use wasm_bindgen::JsValue;

use super::{fields::Fields, message::Message, viewer::Viewer};

/// How many colours tell services apart.
const HUES: usize = 6;

/// One record: when, how grave, from where, what.
#[component]
pub(crate) fn RecordRow(record: Arc<LogRecord>) -> impl IntoView {
    let viewer: Option<Viewer> = use_context();
    let needle = Signal::derive(move || {
        let filter = viewer.map(|viewer| viewer.filter.with(|filter| filter.needle.clone()));
        filter.unwrap_or_default()
    });
    let level = record.level;
    let channel = &record.channel;
    let resource = channel
        .resource_id()
        .map(|id| view! { <span class="logs-resource">{id.to_owned()}</span> });
    view! {
        <div class=format!("logs-row logs-row-{}", class_of(level)) data-id=record.id.to_string()>
            <time class="logs-time" datetime=record.timestamp.to_string() title=record.timestamp.to_string()>
                {local_time(record.timestamp)}
            </time>
            <span class="logs-level">{level.as_str()}</span>
            <span class=format!("logs-tag logs-tag-{}", hue(channel.service())) title=channel.to_string()>
                <span class="logs-service">{channel.service().to_owned()}</span>
                {resource}
            </span>
            <div class="logs-body">
                <Message record=record.clone() needle />
                {(!record.fields.is_empty()).then(|| view! { <Fields record=record.clone() /> })}
            </div>
        </div>
    }
}

fn class_of(level: Level) -> &'static str {
    match level {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
        Level::Fatal => "fatal",
    }
}

/// The same colour for the same service on every page.
fn hue(service: &str) -> usize {
    service
        .bytes()
        .fold(0, |sum, byte| (sum * 31 + usize::from(byte)) % 997)
        % HUES
}

/// The time of day where the reader is, to the millisecond; with the date where that is not today.
fn local_time(timestamp: Timestamp) -> String {
    // Exact: the year 9999 is far below 2^53 milliseconds.
    #[expect(clippy::cast_precision_loss)]
    let date = js_sys::Date::new(&JsValue::from_f64(timestamp.unix_ms() as f64));
    let time = format!(
        "{:02}:{:02}:{:02}.{:03}",
        date.get_hours(),
        date.get_minutes(),
        date.get_seconds(),
        date.get_milliseconds()
    );
    let today = js_sys::Date::new_0();
    let day = |date: &js_sys::Date| (date.get_full_year(), date.get_month(), date.get_date());
    if day(&date) == day(&today) {
        return time;
    }
    let (year, month, day) = day(&date);
    format!("{year}-{:02}-{day:02} {time}", month + 1)
}
