//! [`menu`]: what is chosen less often.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{FocusEvent, HtmlDialogElement, KeyboardEvent, Node};

use super::{
    export::{Format, copy_all, download},
    keys::toggle_mode,
    time::TimeStyle,
    toolbar::clear,
    tools::icons,
    viewer::Viewer,
};
use crate::{
    dom::{El, button, el, icon, memo_string},
    filter::Mode,
    fold::grouped,
};

/// What a button of the panel does.
type Run = fn(Viewer);

/// What can be done with all lines: what the button says, the key that does the same, the button's class.
const ACTIONS: [(&str, &str, &str, Run); 4] = [
    ("Copy all lines", "", "logs-menu-item logs-copy-all", copy_all),
    (
        "Download as .txt",
        "",
        "logs-menu-item logs-download-txt",
        |viewer| {
            download(viewer, Format::Text);
        },
    ),
    (
        "Download as .ndjson",
        "",
        "logs-menu-item logs-download-ndjson",
        |viewer| {
            download(viewer, Format::Ndjson);
        },
    ),
    ("Clear", "x", "logs-menu-item logs-clear", clear),
];

/// A button that shows and hides a panel: how lines look, and what can be done with all of them.
pub(super) fn menu(viewer: Viewer, help: HtmlDialogElement) -> El {
    let is_open = RwSignal::new(false);
    let opener = button(
        "logs-button logs-more",
        "How lines look, copy, download, clear, help",
    )
    .attr("aria-label", "More")
    .bool_from("aria-expanded", move || is_open.get())
    .on_click(move || is_open.update(|is_open| *is_open = !*is_open))
    .add(icon(icons::MORE))
    .add(el("span", "logs-wide").text("More"));
    let close = {
        let opener = opener.clone();
        move || {
            is_open.set(false);
            let _ = opener.focus();
        }
    };
    let menu = el("div", "logs-menu");
    let within: Node = menu.clone().unchecked_into();
    let on_key = {
        let close = close.clone();
        move |event: &KeyboardEvent| {
            if event.key() == "Escape" && is_open.get_untracked() {
                event.prevent_default();
                event.stop_propagation();
                close();
            }
        }
    };
    // Also when nothing gets the focus, as after a click on text.
    let on_leave = move |event: &FocusEvent| {
        let to = event.related_target().and_then(|to| to.dyn_into::<Node>().ok());
        if !within.contains(to.as_ref()) {
            is_open.set(false);
        }
    };
    let panel = panel(viewer, help, close).shown_when(move || is_open.get());
    menu.on("keydown", move |event| on_key(event.unchecked_ref()))
        .on("focusout", move |event| on_leave(event.unchecked_ref()))
        .add(opener)
        .add(panel)
}

fn panel(viewer: Viewer, help: HtmlDialogElement, close: impl Fn() + Clone + 'static) -> El {
    let wrap = item("logs-menu-item logs-switch", "", "Wrap long lines", "w")
        .bool_from("aria-pressed", move || viewer.wrap.get())
        .attr("aria-keyshortcuts", "w")
        .on_click(move || viewer.wrap.update(|wrap| *wrap = !*wrap));
    let only_matches = item("logs-menu-item logs-switch", "", "Only lines that match", "m")
        .bool_from("aria-pressed", move || {
            viewer.filter.with(|filter| filter.mode == Mode::Hide)
        })
        .attr("aria-keyshortcuts", "m")
        .on_click(move || toggle_mode(viewer));
    let count = memo_string(move || {
        viewer.view.with(|view| {
            let (shown, all) = (grouped(view.shown_records()), grouped(view.all_records()));
            [&*shown, " of ", &*all, " lines are shown"].concat()
        })
    });
    // Takes the focus where a click hits no button, so that it stays within.
    let panel = el("div", "logs-panel")
        .attr("role", "group")
        .attr("aria-label", "More")
        .attr("tabindex", "-1")
        .add(wrap)
        .add(only_matches)
        .add(times(viewer))
        .add(el("hr", ""))
        .add(el("p", "logs-menu-count").text_from(move || count.get()));
    let panel = ACTIONS
        .into_iter()
        .fold(panel, |panel, (label, key, class, run)| {
            let close = close.clone();
            let press = move || {
                run(viewer);
                close();
            };
            panel.add(item(class, "", label, key).on_click(press))
        });
    let open_help = move || {
        close();
        // Fails where it is open already.
        let _ = help.show_modal();
    };
    let help = item(
        "logs-menu-item logs-help-button",
        "What keys do",
        "Keyboard shortcuts",
        "?",
    );
    panel.add(el("hr", "")).add(help.on_click(open_help))
}

/// How times are written.
fn times(viewer: Viewer) -> El {
    let times = el("div", "logs-times")
        .attr("role", "group")
        .attr("aria-label", "Times")
        .add(el("span", "logs-times-label").text("Times"));
    let times = TimeStyle::ALL.into_iter().fold(times, |times, style| {
        let choice = button("logs-button", "")
            .bool_from("aria-pressed", move || viewer.time_style.get() == style)
            .on_click(move || viewer.time_style.set(style))
            .text(style.label());
        times.add(choice)
    });
    times.add(key("t"))
}

/// A button of the panel, and the key that does the same.
fn item(class: &str, title: &str, label: &str, shortcut: &str) -> El {
    let item = button(class, title).add(el("span", "").text(label));
    if shortcut.is_empty() {
        return item;
    }
    item.add(key(shortcut))
}

fn key(name: &str) -> El {
    el("kbd", "").attr("aria-hidden", "true").text(name)
}
