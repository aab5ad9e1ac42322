//! [`toolbar`]: what a reader chooses.

use leptos::prelude::*;
use logs_shared::Level;
use wasm_bindgen::JsCast;
use web_sys::{KeyboardEvent, MouseEvent};

use super::{
    find::find,
    help::help,
    keys,
    menu::menu,
    sparkline::{compact, sparkline},
    time::keep_time,
    tools::icons,
    viewer::Viewer,
};
use crate::{
    buffer::Row,
    dom::{El, button, el, icon},
    filter::Levels,
};

/// Adds levels with their counts, the search field, how many records come, following, and a menu for the rest.
pub(crate) fn toolbar(widget: El) -> El {
    let viewer: Viewer = expect_context();
    let note = viewer.tools.note;
    keep_time();
    let help = help();
    let follow = viewer.follow;
    let follows = button(
        "logs-button logs-follow",
        "Follow the newest line, or stand still (f)",
    )
    .attr("aria-label", "Follow")
    .bool_from("aria-pressed", move || follow.is_following())
    .attr("aria-keyshortcuts", "f")
    .on_click(move || toggle_follow(viewer))
    .add(icon(icons::TO_END))
    .add(el("span", "logs-wide").text("Follow"));
    let bar = el("div", "logs-toolbar")
        .part("toolbar")
        .attr("role", "group")
        .attr("aria-label", "Log view")
        .on("keydown", move |event| {
            keys::on_key(&viewer, event.unchecked_ref::<KeyboardEvent>());
        })
        .add(levels(viewer))
        .add(find(viewer))
        .add(sparkline(viewer))
        .add(follows)
        .add(menu(viewer, help.clone().unchecked_into()));
    let said = el("p", "logs-note")
        .attr("aria-hidden", "true")
        .shown_when(move || !note.with(String::is_empty))
        .text_from(move || note.get());
    widget.add(bar).add(said).add(help)
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
fn levels(viewer: Viewer) -> El {
    let counts = Memo::new(move |_| viewer.view.with(|view| view.counts()));
    let levels = el("div", "logs-levels")
        .attr("role", "group")
        .attr("aria-label", "Levels");
    Level::ALL.into_iter().fold(levels, |levels, level| {
        levels.add(chip(viewer, level, move || {
            counts.with(|counts| counts[level as usize])
        }))
    })
}

fn chip(viewer: Viewer, level: Level, count: impl Fn() -> usize + Copy + 'static) -> El {
    let mut before = Levels::default();
    let has_shift = |event: &web_sys::Event| event.unchecked_ref::<MouseEvent>().shift_key();
    let (name, number) = (level.as_str(), (level as usize + 1).to_string());
    let class = ["logs-level-chip logs-of-", class_of(level)].concat();
    let title = [
        "Show or hide ",
        name,
        " (",
        &number,
        "); double click or with Shift: nothing but ",
        name,
    ];
    button(&class, &title.concat())
        .class_when("logs-none", move || count() == 0)
        .bool_from("aria-pressed", move || {
            viewer.filter.with(|filter| filter.shows_level(level))
        })
        .attr("aria-keyshortcuts", &number)
        .on("click", move |event| {
            let is_second = event.unchecked_ref::<MouseEvent>().detail() == 2;
            viewer.filter.update(|filter| {
                if is_second {
                    // As if the first click had not been.
                    filter.levels = before;
                }
                before = filter.levels;
                if is_second || has_shift(&event) {
                    filter.levels.only(level);
                } else {
                    filter.levels.toggle(level);
                }
            });
        })
        .add(el("span", "logs-level-initial").text(&name[..1]))
        .add(el("span", "logs-level-rest").text(&name[1..]))
        .text(" ")
        .add(el("span", "logs-level-count").text_from(move || compact(count())))
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
