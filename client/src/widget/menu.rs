//! [`Menu`]: what is chosen less often.

use leptos::wasm_bindgen::JsCast;
use leptos::{
    ev::{FocusEvent, KeyboardEvent, MouseEvent},
    html,
    prelude::*,
};

use super::{
    export::{Format, copy_all, download},
    time::TimeStyle,
    toolbar::clear,
    tools::{button, icon, icons},
    viewer::Viewer,
};
use crate::{filter::Mode, fold::grouped};

/// What a button of the panel does.
type Run = fn(Viewer);

/// A button that shows and hides a panel: how lines look, and what can be done with all of them.
#[component]
pub(super) fn Menu(help: NodeRef<html::Dialog>) -> impl IntoView {
    let viewer: Viewer = expect_context();
    let is_open = RwSignal::new(false);
    let opener = NodeRef::<html::Button>::new();
    let panel = NodeRef::<html::Div>::new();
    let close = move || {
        is_open.set(false);
        if let Some(opener) = opener.get_untracked() {
            let _ = opener.focus();
        }
    };
    let on_key = move |event: KeyboardEvent| {
        if event.key() == "Escape" && is_open.get_untracked() {
            event.prevent_default();
            event.stop_propagation();
            close();
        }
    };
    // Also when nothing gets the focus, as after a click on text.
    let on_leave = move |event: FocusEvent| {
        let to = event
            .related_target()
            .and_then(|to| to.dyn_into::<web_sys::Node>().ok());
        let menu = panel.get_untracked().and_then(|panel| panel.parent_element());
        if menu.is_some_and(|menu| !menu.contains(to.as_ref())) {
            is_open.set(false);
        }
    };
    let open_help = move |_: MouseEvent| {
        close();
        if let Some(sheet) = help.get_untracked() {
            // Fails where it is open already.
            let _ = sheet.show_modal();
        }
    };
    let run = move |run: Run| {
        move |_: MouseEvent| {
            run(viewer);
            close();
        }
    };
    let switch = |label, key: &'static str, is_on: Signal<bool>, flip: fn(Viewer)| {
        view! {
            <button
                type="button"
                class="logs-menu-item logs-switch"
                aria-pressed=move || if is_on.get() { "true" } else { "false" }
                aria-keyshortcuts=key
                on:click=move |_| flip(viewer)
            >
                {item(label, key)}
            </button>
        }
        .into_any()
    };
    let only_matches = Signal::derive(move || viewer.filter.with(|filter| filter.mode == Mode::Hide));
    let flip_mode = |viewer: Viewer| {
        viewer.filter.update(|filter| {
            filter.mode = if filter.mode == Mode::Hide {
                Mode::Mark
            } else {
                Mode::Hide
            };
        });
    };
    let times = TimeStyle::ALL.map(|style| {
        let is_chosen = move || viewer.time_style.get() == style;
        view! {
            <button
                type="button"
                class="logs-button"
                aria-pressed=move || if is_chosen() { "true" } else { "false" }
                on:click=move |_| viewer.time_style.set(style)
            >
                {style.label()}
            </button>
        }
        .into_any()
    });
    let actions: [(_, _, _, Run); 4] = [
        ("Copy all lines", "", "logs-copy-all", copy_all),
        ("Download as .txt", "", "logs-download-txt", |viewer| {
            download(viewer, Format::Text);
        }),
        ("Download as .ndjson", "", "logs-download-ndjson", |viewer| {
            download(viewer, Format::Ndjson);
        }),
        ("Clear", "x", "logs-clear", clear),
    ];
    let actions = actions.map(|(label, key, class, act)| {
        view! { <button type="button" class=format!("logs-menu-item {class}") on:click=run(act)>{item(label, key)}</button> }
            .into_any()
    });
    let count = Memo::new(move |_| {
        viewer
            .view
            .with(|view| (view.shown_records(), view.all_records()))
    });
    let count = move || {
        let (shown, all) = count.get();
        format!("{} of {} lines are shown", grouped(shown), grouped(all))
    };
    view! {
        <div class="logs-menu" on:keydown=on_key on:focusout=on_leave>
            <button
                type="button"
                class="logs-button logs-more"
                aria-label="More"
                aria-expanded=move || if is_open.get() { "true" } else { "false" }
                title="How lines look, copy, download, clear, help"
                node_ref=opener
                on:click=move |_| is_open.update(|is_open| *is_open = !*is_open)
            >
                {icon(icons::MORE)}
                <span class="logs-wide">"More"</span>
            </button>
            // Takes the focus where a click hits no button, so that it stays within.
            <div class="logs-panel" role="group" aria-label="More" tabindex="-1" hidden=move || !is_open.get() node_ref=panel>
                {switch("Wrap long lines", "w", viewer.wrap.into(), |viewer| viewer.wrap.update(|wrap| *wrap = !*wrap))}
                {switch("Only lines that match", "m", only_matches, flip_mode)}
                <div class="logs-times" role="group" aria-label="Times">
                    <span class="logs-times-label">"Times"</span>
                    {times.into_iter().collect_view()}
                    <kbd aria-hidden="true">"t"</kbd>
                </div>
                <hr />
                <p class="logs-menu-count">{count}</p>
                {actions.into_iter().collect_view()}
                <hr />
                {button("logs-menu-item logs-help-button", item("Keyboard shortcuts", "?"), "What keys do", open_help)}
            </div>
        </div>
    }
    .into_any()
}

/// What a button of the panel says, and the key that does the same.
fn item(label: &'static str, key: &'static str) -> AnyView {
    let key = (!key.is_empty()).then(|| view! { <kbd aria-hidden="true">{key}</kbd> });
    view! { <span>{label}</span> {key} }.into_any()
}
