//! [`LogsWidget`]: the viewer.

mod export;
mod fields;
mod find;
mod follow;
mod gap_row;
mod help;
mod keys;
mod menu;
mod message;
mod opened;
mod record_row;
mod search;
mod sparkline;
mod time;
mod toolbar;
mod tools;
mod view;
mod viewer;

use leptos::{ev::KeyboardEvent, html, prelude::*};

use crate::{
    Buffer, Logs,
    buffer::{Row, RowKey},
    filter::{Filter, KeptFilter},
};
use follow::{Follow, New};
use gap_row::GapRow;
pub(crate) use record_row::RecordRow;
use time::TimeStyle;
use toolbar::Toolbar;
use tools::Tools;
use view::View;
use viewer::Viewer;

/// How many of the newest matching rows are drawn.
const MOST_DRAWN: usize = 500;
/// Within so many pixels of the end a reader counts as being at the end.
const AT_END_PX: i32 = 24;

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
) -> impl IntoView {
    let filter = use_context().map_or_else(RwSignal::default, |KeptFilter(filter)| filter);
    let wrap = RwSignal::new(true);
    let follow = Follow::new(logs);
    let viewer = Viewer {
        logs,
        filter,
        view: RwSignal::default(),
        follow,
        wrap,
        time_style: RwSignal::new(TimeStyle::default()),
        selected: RwSignal::new(None),
        revealed: RwSignal::new(None),
        announcement: RwSignal::default(),
        opened: StoredValue::default(),
        tools: Tools::new(),
    };
    provide_context(viewer);
    Effect::new(move |_| {
        viewer
            .view
            .set(filter.with(|filter| follow.with_rows(|rows| View::of(rows, filter))));
    });
    let drawn = Memo::new(move |_| {
        viewer.view.with(|view| {
            let from = view.len().saturating_sub(MOST_DRAWN);
            view.rows().skip(from).cloned().collect::<Vec<_>>()
        })
    });
    let is_empty = Memo::new(move |_| drawn.with(Vec::is_empty));

    let list = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        drawn.track();
        if follow.is_following()
            && let Some(list) = list.get()
        {
            to_end(&list);
        }
    });
    let last_top = StoredValue::new(0);
    let on_scroll = move |_| {
        let Some(list) = list.get_untracked() else { return };
        let (top, left) = (list.scroll_top(), left_below(&list));
        let went = top - last_top.get_value();
        last_top.set_value(top);
        if went < 0 && left > AT_END_PX {
            follow.hold_for_reading();
        } else if went > 0 && left <= AT_END_PX {
            follow.end_reading();
        }
    };
    // Before the list has moved: while lines stream in, the first small step up would be undone.
    let on_up = move || {
        let is_long = |list: web_sys::HtmlDivElement| list.scroll_height() > list.client_height();
        if list.get_untracked().is_some_and(is_long) {
            follow.hold_for_reading();
        }
    };
    let on_key = move |event: KeyboardEvent| {
        if keys::on_key(&viewer, &event) {
            return;
        }
        match event.key().as_str() {
            "ArrowUp" | "k" => select(viewer, -1),
            "ArrowDown" | "j" => select(viewer, 1),
            "PageUp" | "Home" => on_up(),
            "End" => follow.resume(),
            _ => return,
        }
        event.prevent_default();
    };
    Effect::new(move |_| {
        if viewer.revealed.get().is_some() {
            viewer.revealed.set(None);
            request_animation_frame(move || {
                if let Some(list) = list.get_untracked()
                    && let Ok(Some(row)) = list.query_selector(".logs-selected")
                {
                    row.scroll_into_view_with_bool(false);
                }
            });
        }
    });
    view! {
        <section class="logs-widget" class:logs-nowrap=move || !wrap.get()>
            <Toolbar />
            <div
                class="logs-list"
                part="list"
                role="log"
                aria-label=label
                tabindex="0"
                node_ref=list
                on:scroll=on_scroll
                on:wheel=move |event| if event.delta_y() < 0.0 { on_up() }
                on:keydown=on_key
            >
                {move || before(logs, drawn.with(Vec::len)).map(|text| view! { <p class="logs-before">{text}</p> })}
                <For each=move || drawn.get() key=Row::key let:row>
                    {draw(row)}
                </For>
                <Show when=move || is_empty.get()>
                    <div class="logs-empty">{nothing(logs, filter, empty.clone())}</div>
                </Show>
            </div>
            <NewLines filter follow />
            <p class="logs-unseen" role="status">{viewer.announcement}</p>
        </section>
    }
}

fn select(viewer: Viewer, by: isize) {
    let selected = viewer.selected.get_untracked();
    let key = viewer.view.with_untracked(|view| -> Option<RowKey> {
        let place = match selected {
            Some(key) => view.position(key).ok()?.checked_add_signed(by)?,
            None => view.len().checked_sub(1)?,
        };
        view.row(place).map(Row::key)
    });
    if let Some(key) = key {
        viewer.reveal(key);
    }
}

/// What is to be said of the lines before the first that is drawn.
fn before(logs: Logs, drawn: usize) -> Option<String> {
    if drawn == MOST_DRAWN {
        return Some(format!("The newest {MOST_DRAWN} lines are shown."));
    }
    let has_dropped = drawn > 0 && logs.with(Buffer::has_dropped);
    has_dropped.then(|| "Older lines are no longer kept on this page.".to_owned())
}

fn draw(row: Row) -> AnyView {
    match row {
        Row::Record(record) => view! { <RecordRow record /> }.into_any(),
        Row::Gap(gap) => view! { <GapRow gap /> }.into_any(),
    }
}

/// What stands in the place of lines: that none has come, or that the filter shows none of them.
fn nothing(logs: Logs, filter: RwSignal<Filter>, empty: Option<ViewFn>) -> impl IntoView {
    let hides = Memo::new(move |_| filter.with(Filter::is_set) && logs.count() > 0);
    let is_cleared =
        Memo::new(move |_| filter.with(|filter| logs.with(|rows| !rows.is_empty() && filter.clears(rows))));
    let reset = move |_| filter.update(Filter::reset);
    move || {
        if is_cleared.get() {
            view! { <p>"Cleared. New lines appear here as they are published."</p> }.into_any()
        } else if hides.get() {
            view! {
                <p>"No line matches the filter."</p>
                <button type="button" class="logs-button" on:click=reset>"Show all lines"</button>
            }
            .into_any()
        } else if let Some(empty) = &empty {
            empty.run()
        } else {
            view! { <p>"No lines yet. They appear here as they are published."</p> }.into_any()
        }
    }
}

/// While the lines stand still: how many have come since, and the way to them.
#[component]
fn NewLines(filter: RwSignal<Filter>, follow: Follow) -> impl IntoView {
    let new = Memo::new(move |_| filter.with(|filter| follow.new_lines(filter)));
    view! {
        <Show when=move || !follow.is_following()>
            <button type="button" class="logs-new" on:click=move |_| follow.resume()>
                {move || match new.get() {
                    New { lines: 0, .. } => "Paused. Follow again".to_owned(),
                    New { lines, and_more: false } => format!("{lines} new"),
                    New { lines, and_more: true } => format!("more than {lines} new"),
                }}
                <span class="logs-arrow" aria-hidden="true">"↓"</span>
            </button>
        </Show>
    }
}

fn left_below(list: &web_sys::Element) -> i32 {
    list.scroll_height() - list.client_height() - list.scroll_top()
}

/// Shows the end of the list, once the rows are there and again once those that came into view have their height.
fn to_end(list: &web_sys::Element) {
    let list = list.clone();
    request_animation_frame(move || {
        list.set_scroll_top(list.scroll_height());
        request_animation_frame(move || list.set_scroll_top(list.scroll_height()));
    });
}
