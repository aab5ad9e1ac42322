//! [`TokenField`]: where a person says who reads.

use leptos::{ev::SubmitEvent, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::reader_token::ReaderToken;
use crate::{ConnectionStatus, UseLogsReturn};

/// A field for the reader's token, while the gateway wants one; and the way to have it forgotten, while there is one.
#[component]
pub(super) fn TokenField(live: UseLogsReturn) -> impl IntoView {
    let reader: ReaderToken = expect_context();
    // It stays while another is tried.
    let is_wanted = Memo::new(move |was: Option<&bool>| {
        let is_trying = matches!(
            live.connection_status.get(),
            ConnectionStatus::Connecting | ConnectionStatus::Reconnecting
        );
        live.is_unauthorized.get() || (is_trying && was == Some(&true))
    });
    let give = Callback::new(move |token: String| {
        reader.set(&token);
        live.connect.run(());
    });
    Effect::watch(
        move || is_wanted.get(),
        move |is_wanted, _, _| {
            if !is_wanted {
                keep_focus();
            }
        },
        false,
    );
    let forget = move |_| {
        reader.set("");
        // With all that was shown for it.
        let _ = location().reload();
    };
    let field = move || {
        view! {
            <TokenForm
                label="Token"
                hint="This gateway shows its logs to those it knows. The token is kept in this tab only, until it is closed."
                give
            />
        }
    };
    view! {
        <Show when=move || is_wanted.get()>{field}</Show>
        <Show when=move || !is_wanted.get() && reader.is_given()>
            <button type="button" class="logs-button logs-forget" on:click=forget>"Forget token"</button>
        </Show>
    }
}

/// Where a token is typed.
#[component]
pub(super) fn TokenForm(
    /// Which token.
    label: &'static str,
    /// Why it is asked for, and what becomes of it.
    hint: &'static str,
    /// Takes what was typed.
    give: Callback<String>,
) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let token = text.get_untracked();
        if !token.trim().is_empty() {
            text.set(String::new());
            give.run(token);
        }
    };
    view! {
        <form class="logs-token" on:submit=submit>
            <label class="logs-label" for="logs-token">{label}</label>
            <input
                id="logs-token"
                class="logs-input logs-token-input"
                type="password"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                aria-describedby="logs-token-hint"
                prop:value=text
                on:input=move |event| text.set(event_target_value(&event))
            />
            <button type="submit" class="logs-button">"Use token"</button>
            <p id="logs-token-hint" class="logs-hint">{hint}</p>
        </form>
    }
}

/// Gives the focus to what stands beside the field, which goes: from nowhere the keyboard would begin at the top.
fn keep_focus() {
    let focused = document().active_element();
    let is_lost = focused.is_none_or(|focused| {
        focused.tag_name() == "BODY" || focused.closest(".logs-token").is_ok_and(|form| form.is_some())
    });
    let beside = document()
        .query_selector(".logs-actions .logs-button")
        .ok()
        .flatten();
    if let (true, Some(beside)) = (
        is_lost,
        beside.and_then(|beside| beside.dyn_into::<HtmlElement>().ok()),
    ) {
        // An element of the page can be focused.
        let _ = beside.focus();
    }
}
