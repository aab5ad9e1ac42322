//! [`RecordRow`]: one record.

use std::sync::Arc;

use leptos::prelude::*;
use logs_shared::LogRecord;

use super::{
    export,
    fields::{Details, chips},
    message::message,
    opened::opened,
    time::TimeStyle,
    toolbar::class_of,
    tools::{LinkTo, icon, icons},
    viewer::Viewer,
};
use crate::buffer::Row;

/// How many colours tell services apart.
const HUES: usize = 6;

/// One record: when, how grave, from where, what. Opened, all of it.
#[component]
pub(crate) fn RecordRow(record: Arc<LogRecord>) -> impl IntoView {
    let viewer: Option<Viewer> = use_context();
    let key = Row::Record(Arc::clone(&record)).key();
    let is_open = opened(record.id, "row");
    let is_selected = move || viewer.is_some_and(|viewer| viewer.selected.get() == Some(key));
    let toggle = move || {
        is_open.update(|is_open| *is_open = !*is_open);
        // What is opened is to be read.
        if let Some(viewer) = viewer {
            viewer.follow.hold_for_reading();
        }
    };
    let timestamp = record.timestamp;
    let written = timestamp.to_string();
    let style = move || viewer.map_or(TimeStyle::Local, |viewer| viewer.time_style.get());
    let channel = &record.channel;
    let resource = channel
        .resource_id()
        .map(|id| view! { <span class="logs-resource">{id.to_owned()}</span> });
    let fields = (!record.fields.is_empty()).then(|| chips(Arc::clone(&record), viewer, toggle));
    let (id, level) = (record.id.to_string(), record.level);
    let service = channel.service().to_owned();
    let (tag, title) = (
        format!("logs-tag logs-tag-{}", hue(&service)),
        channel.to_string(),
    );
    let opened = {
        let record = Arc::clone(&record);
        move || {
            is_open.get().then(|| {
                Details {
                    record: Arc::clone(&record),
                    viewer,
                }
                .draw()
            })
        }
    };
    let message = message(Arc::clone(&record), viewer, is_open, toggle);
    // A thousand lines may come and go in a second: what few of them need is made when it is needed.
    let is_near = RwSignal::new(false);
    let actions = move || {
        let is_wanted = is_near.get() || is_open.get() || is_selected();
        is_wanted.then(|| actions(Arc::clone(&record), viewer))
    };
    let class = move || {
        let selected = if is_selected() { " logs-selected" } else { "" };
        let open = if is_open.get() { " logs-open" } else { "" };
        format!("logs-row logs-of-{}{selected}{open}", class_of(level))
    };
    view! {
        <div class=class part="row" data-id=id on:pointerover=move |_| is_near.set(true)>
            <button
                type="button"
                class="logs-toggle"
                tabindex="-1"
                aria-label="Details"
                aria-expanded=move || if is_open.get() { "true" } else { "false" }
                title="Show all of this line (Enter)"
                on:click=move |_| toggle()
            ></button>
            <time class="logs-time" datetime=written.clone() title=written>
                {move || style().write(timestamp)}
            </time>
            <span class="logs-level" part="level">{level.as_str()}</span>
            <span class=tag title=title>
                <span class="logs-service">{service}</span>
                {resource}
            </span>
            <div class="logs-body">
                {message}
                {fields}
                {opened}
            </div>
            {actions}
        </div>
    }
    .into_any()
}

/// What can be done with the row. No tab stops: `c` and `l` do the same for the selected one.
fn actions(record: Arc<LogRecord>, viewer: Option<Viewer>) -> AnyView {
    let id = record.id;
    let link = viewer
        .and_then(|viewer| viewer.tools.link_to)
        .map(|LinkTo(link)| {
            let press = move |_| export::copy(viewer, link.run(id), "Copied a link to this line".into());
            action(
                "logs-copy-link",
                "Copy link",
                icons::LINK,
                "Copy a link to this line (l)",
                press,
            )
        });
    let copy = move |_| export::copy(viewer, export::line(&record), "Copied this line".into());
    view! {
        <div class="logs-row-actions">
            {action("logs-copy-line", "Copy line", icons::COPY, "Copy this line (c)", copy)}
            {link}
        </div>
    }
    .into_any()
}

fn action(
    class: &'static str,
    label: &'static str,
    path: &'static str,
    title: &'static str,
    press: impl FnMut(leptos::ev::MouseEvent) + 'static,
) -> AnyView {
    view! {
        <button type="button" class=format!("logs-action {class}") tabindex="-1" aria-label=label title=title on:click=press>
            {icon(path)}
        </button>
    }
    .into_any()
}

/// The same colour for the same service on every page.
fn hue(service: &str) -> usize {
    service
        .bytes()
        .fold(0, |sum, byte| (sum * 31 + usize::from(byte)) % 997)
        % HUES
}
