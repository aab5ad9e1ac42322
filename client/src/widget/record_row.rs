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
    tools::{LinkTo, icons},
    viewer::Viewer,
};
use crate::{
    buffer::Row,
    dom::{El, button, effect, el, icon},
};

/// How many colours tell services apart.
const HUES: usize = 6;

/// One record, as a part of a page.
#[component]
pub(crate) fn RecordRow(record: Arc<LogRecord>) -> impl IntoView {
    record_row(record).into_view()
}

/// Whether a row is open, and whose it is.
#[derive(Clone, Copy)]
pub(super) struct Toggle {
    pub(super) is_open: RwSignal<bool>,
    pub(super) viewer: Option<Viewer>,
}

impl Toggle {
    /// Opens or closes the row.
    pub(super) fn run(self) {
        self.is_open.update(|is_open| *is_open = !*is_open);
        // What is opened is to be read.
        if let Some(viewer) = self.viewer {
            viewer.follow.hold_for_reading();
        }
    }
}

/// One record: when, how grave, from where, what. Opened, all of it.
pub(super) fn record_row(record: Arc<LogRecord>) -> El {
    let viewer: Option<Viewer> = use_context();
    let key = Row::Record(Arc::clone(&record)).key();
    let is_open = opened(record.id, "row");
    let toggle = Toggle { is_open, viewer };
    let is_selected = move || viewer.is_some_and(|viewer| viewer.selected.get() == Some(key));
    let timestamp = record.timestamp;
    let written = timestamp.to_string();
    let time = el("time", "logs-time")
        .attr("datetime", &written)
        .attr("title", &written)
        .text_from(move || {
            let style = viewer.map_or(TimeStyle::Local, |viewer| viewer.time_style.get());
            style.write(timestamp)
        });
    let level = record.level;
    let row = el("div", "").part("row").attr("data-id", &record.id.to_string());
    let opener = button("logs-toggle", "Show all of this line (Enter)")
        .attr("tabindex", "-1")
        .attr("aria-label", "Details")
        .on_click(move || toggle.run());
    let (marked, expanded) = (row.clone(), opener.clone());
    effect(Box::new(move || {
        let is_open = is_open.get();
        let mut class = String::from("logs-row logs-of-");
        class.push_str(class_of(level));
        if is_selected() {
            class.push_str(" logs-selected");
        }
        if is_open {
            class.push_str(" logs-open");
        }
        marked.set_attr("class", Some(&class));
        expanded.set_attr("aria-expanded", Some(if is_open { "true" } else { "false" }));
    }));
    // A thousand lines may come and go in a second: what few of them need is made when it is needed.
    let is_near = RwSignal::new(false);
    row.on("pointerover", move |_| is_near.set(true))
        .add(opener)
        .add(time)
        .add(el("span", "logs-level").part("level").text(level.as_str()))
        .add(tag(&record))
        .add(body(Arc::clone(&record), toggle))
        .child_from(move || {
            let is_wanted = is_near.get() || is_open.get() || is_selected();
            is_wanted.then(|| actions(Arc::clone(&record), viewer))
        })
}

/// Where a record is from.
fn tag(record: &LogRecord) -> El {
    let channel = &record.channel;
    let service = channel.service();
    let mut class = String::from("logs-tag logs-tag-");
    class.push_str(&hue(service).to_string());
    let tag = el("span", &class)
        .attr("title", channel.as_str())
        .add(el("span", "logs-service").text(service));
    match channel.resource_id() {
        Some(id) => tag.add(el("span", "logs-resource").text(id)),
        None => tag,
    }
}

/// What a record says; its fields on one line, and opened as a tree.
fn body(record: Arc<LogRecord>, toggle: Toggle) -> El {
    let mut body = el("div", "logs-body").add_all(message(Arc::clone(&record), toggle));
    if !record.fields.is_empty() {
        body = body.add(chips(Arc::clone(&record), toggle));
    }
    body.child_from(move || {
        toggle
            .is_open
            .get()
            .then(|| Details::draw(Arc::clone(&record), toggle.viewer))
    })
}

/// What can be done with the row. No tab stops: `c` and `l` do the same for the selected one.
fn actions(record: Arc<LogRecord>, viewer: Option<Viewer>) -> El {
    let id = record.id;
    let copy = action("logs-copy-line", "Copy line", icons::COPY, "Copy this line (c)")
        .on_click(move || export::copy(viewer, export::line(&record), "Copied this line".into()));
    let actions = el("div", "logs-row-actions").add(copy);
    let Some(LinkTo(link)) = viewer.and_then(|viewer| viewer.tools.link_to) else {
        return actions;
    };
    let link = action(
        "logs-copy-link",
        "Copy link",
        icons::LINK,
        "Copy a link to this line (l)",
    )
    .on_click(move || export::copy(viewer, link.run(id), "Copied a link to this line".into()));
    actions.add(link)
}

fn action(class: &str, label: &str, path: &str, title: &str) -> El {
    let mut classes = String::from("logs-action ");
    classes.push_str(class);
    button(&classes, title)
        .attr("tabindex", "-1")
        .attr("aria-label", label)
        .add(icon(path))
}

/// The same colour for the same service on every page.
fn hue(service: &str) -> usize {
    service
        .bytes()
        .fold(0, |sum, byte| (sum * 31 + usize::from(byte)) % 997)
        % HUES
}
