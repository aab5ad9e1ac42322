//! [`Toolbar`]: what a reader chooses.

use leptos::{html, prelude::*};
use logs_shared::Level;

use super::{
    find::Find,
    help::Help,
    keys,
    menu::Menu,
    sparkline::{Sparkline, compact},
    time::keep_time,
    tools::{icon, icons},
    viewer::Viewer,
};
use crate::buffer::Row;

/// Levels with their counts, the search field, how many records come, following, and a menu for the rest.
#[component]
pub(crate) fn Toolbar() -> impl IntoView {
    let viewer: Viewer = expect_context();
    let note = viewer.tools.note;
    keep_time();
    let help = NodeRef::<html::Dialog>::new();
    let follow = viewer.follow;
    view! {
        <div
            class="logs-toolbar"
            part="toolbar"
            role="group"
            aria-label="Log view"
            on:keydown=move |event| {
                keys::on_key(&viewer, &event);
            }
        >
            {levels(viewer)}
            <Find />
            <Sparkline />
            <button
                type="button"
                class="logs-button logs-follow"
                aria-label="Follow"
                aria-pressed=move || if follow.is_following() { "true" } else { "false" }
                aria-keyshortcuts="f"
                title="Follow the newest line, or stand still (f)"
                on:click=move |_| toggle_follow(viewer)
            >
                {icon(icons::TO_END)}
                <span class="logs-wide">"Follow"</span>
            </button>
            <Menu help />
        </div>
        <p class="logs-note" aria-hidden="true" hidden=move || note.with(String::is_empty)>{note}</p>
        <Help sheet=help />
    }
    .into_any()
}

/// Follows the newest line, or stands still.
pub(super) fn toggle_follow(viewer: Viewer) {
    if viewer.follow.is_following() {
        viewer.follow.hold();
    } else {
        viewer.follow.resume();
    }
}

/// Shows only what comes from now on.
pub(super) fn clear(viewer: Viewer) {
    let newest = viewer
        .logs
        .with_untracked(|rows| rows.rows().next_back().map(Row::key));
    viewer
        .filter
        .update(|filter| filter.after = newest.or(filter.after));
    viewer.selected.set(None);
    viewer.follow.resume();
    viewer.announce("Cleared");
}

/// A chip for each level: how many there are, and whether they are shown.
fn levels(viewer: Viewer) -> AnyView {
    let counts = Memo::new(move |_| viewer.view.with(|view| view.counts()));
    let chips = Level::ALL.into_iter().zip(1..).map(|(level, number)| {
        let count = move || counts.with(|counts| counts[level as usize]);
        let is_shown = move || viewer.filter.with(|filter| filter.shows_level(level));
        let toggle = move || viewer.filter.update(|filter| filter.levels.toggle(level));
        let only = move || viewer.filter.update(|filter| filter.levels.only(level));
        let name = level.as_str();
        view! {
            <button
                type="button"
                class=format!("logs-level-chip logs-of-{}", class_of(level))
                class:logs-none=move || count() == 0
                aria-pressed=move || if is_shown() { "true" } else { "false" }
                aria-keyshortcuts=number.to_string()
                title=format!("Show or hide {name} ({number}); double click or with Shift: nothing but {name}")
                on:click=move |event| if event.shift_key() { only() } else { toggle() }
                on:dblclick=move |event| if !event.shift_key() { only() }
            >
                <span class="logs-level-initial">{&name[..1]}</span>
                <span class="logs-level-rest">{&name[1..]}</span>
                " "
                <span class="logs-level-count">{move || compact(count())}</span>
            </button>
        }
        .into_any()
    });
    view! { <div class="logs-levels" role="group" aria-label="Levels">{chips.collect_view()}</div> }
        .into_any()
}

/// A level in the names of classes.
pub(super) const fn class_of(level: Level) -> &'static str {
    match level {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
        Level::Fatal => "fatal",
    }
}
