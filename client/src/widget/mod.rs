//! [`LogsWidget`]: the viewer.
//!
//! Rows go from the [`Buffer`](crate::Buffer) through the filter into the [`view`], which the [`list`] draws: the
//! [`sheet`] has the rows near the viewport in the document, by the [`window`]'s sums of their heights. [`follow`] says
//! whether the newest line is shown or the lines stand still, and [`past`] loads what is not there.

mod announcer;
mod export;
mod fields;
mod find;
mod follow;
mod gap_row;
mod help;
mod keys;
mod list;
mod marking;
mod menu;
mod message;
mod new_lines;
mod nothing;
mod opened;
mod past;
mod permalink;
mod rate;
mod record_row;
mod run_bar;
mod search;
mod sheet;
mod sparkline;
mod time;
mod toolbar;
mod tools;
mod view;
mod viewer;
mod window;

use leptos::prelude::*;
use logs_shared::RecordId;
use wasm_bindgen::JsCast;
use web_sys::{FocusEvent, Node};

use crate::{
    Logs,
    dom::{El, effect_later, el},
    filter::KeptFilter,
};
use announcer::announcer;
use follow::Follow;
use list::list;
use new_lines::new_lines;
use past::{Past, lost};
pub(crate) use record_row::RecordRow;
use run_bar::run_bar;
use toolbar::toolbar;
pub(crate) use tools::LinkTo;
use tools::Tools;
use view::View;
use viewer::Viewer;

/// The viewer: the newest lines as they come, with a toolbar to choose among them.
///
/// It follows the newest line until the reader scrolls up; then the lines stand still, and a button
/// says how many have come since. Log text is text, never markup.
///
/// ```no_run
/// use leptos::prelude::*;
/// use logs_client::{LogsWidget, UseLogsOptions, use_logs};
///
/// #[component]
/// fn EtlLogs() -> impl IntoView {
///     let etl = use_logs(UseLogsOptions::new("etl", "workspace123").workflow("workflow456"));
///     view! { <LogsWidget logs=etl.logs label="ETL" /> }
/// }
/// ```
#[component]
pub fn LogsWidget(
    /// What to show.
    logs: Logs,
    /// What a screen reader calls the list. Left out: "Live logs".
    #[prop(default = "Live logs".into(), into)]
    label: String,
    /// What is shown while there is no line. Left out: a sentence that says so.
    #[prop(optional, into)]
    empty: Option<ViewFn>,
    /// The record to open at, with what is around it. Left out: the newest lines are followed.
    #[prop(optional_no_strip)]
    at: Option<RecordId>,
) -> impl IntoView {
    widget(logs, &label, empty, at).into_view()
}

/// The viewer, as [`LogsWidget`] describes it.
pub(crate) fn widget(logs: Logs, label: &str, empty: Option<ViewFn>, at: Option<RecordId>) -> El {
    let (filter, view, follow) = (
        use_context().map_or_else(RwSignal::default, |KeptFilter(filter)| filter),
        RwSignal::new(View::default()),
        Follow::new(),
    );
    let wrap = RwSignal::new(true);
    let viewer = Viewer {
        logs,
        filter,
        view,
        follow,
        wrap,
        time_style: RwSignal::default(),
        selected: RwSignal::new(None),
        revealed: RwSignal::new(None),
        announcement: RwSignal::default(),
        past: Past::new(logs, view, filter, follow),
        opened: StoredValue::default(),
        tools: Tools::new(run_bar::follow_run(logs, filter, follow)),
    };
    provide_context(viewer);
    if let Some(at) = at {
        permalink::open(viewer, at);
    }
    effect_later(Box::new(move || {
        let is_following = follow.is_following();
        filter.with(|filter| {
            logs.with(|buffer| view.write().take(buffer, filter, is_following, now_ms()));
        });
    }));
    let has_focus = RwSignal::new(false);
    let widget = el("section", "logs-widget")
        .class_when("logs-nowrap", move || !wrap.get())
        .on("focusin", move |_| has_focus.set(true))
        .on("focusout", move |event| {
            has_focus.set(stays_within(event.unchecked_ref()));
        });
    let widget = run_bar(toolbar(widget)).add(lost()).add(list(label, empty));
    new_lines(widget).add(announcer(has_focus))
}

/// Whether the focus goes from one part of the viewer to another.
fn stays_within(event: &FocusEvent) -> bool {
    let here = event
        .current_target()
        .and_then(|here| here.dyn_into::<Node>().ok());
    let next = event
        .related_target()
        .and_then(|next| next.dyn_into::<Node>().ok());
    next.is_some() && here.is_some_and(|here| here.contains(next.as_ref()))
}

/// Milliseconds since 1970 by the reader's clock.
pub(crate) fn now_ms() -> u64 {
    // A clock before 1970 counts as 1970; the sum is exact.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let now = js_sys::Date::now().max(0.0) as u64;
    now
}
