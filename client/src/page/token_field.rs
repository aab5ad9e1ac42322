//! [`TokenField`]: where a person says who reads.

use leptos::{ev::SubmitEvent, prelude::*};

use super::reader_token::ReaderToken;
use crate::UseLogsReturn;

/// A field for the reader's token, while the gateway wants one; and the way to have it forgotten, while there is one.
#[component]
pub(super) fn TokenField(live: UseLogsReturn) -> impl IntoView {
    let reader: ReaderToken = expect_context();
    let text = RwSignal::new(String::new());
    let is_wanted = Memo::new(move |_| live.is_unauthorized.get());
    let give = move |event: SubmitEvent| {
        event.prevent_default();
        let token = text.get_untracked();
        if token.trim().is_empty() {
            return;
        }
        reader.set(&token);
        text.set(String::new());
        live.connect.run(());
    };
    let forget = move |_| {
        reader.set("");
        // With all that was shown for it.
        let _ = location().reload();
    };
    let field = move || {
        view! {
            <form class="logs-token" on:submit=give>
                <label class="logs-label" for="logs-token">"Token"</label>
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
                <p id="logs-token-hint" class="logs-hint">
                    "This gateway shows its logs to those it knows. The token is kept in this tab only, until it is closed."
                </p>
            </form>
        }
    };
    view! {
        <Show when=move || is_wanted.get()>{field}</Show>
        <Show when=move || !is_wanted.get() && reader.is_given()>
            <button type="button" class="logs-button" on:click=forget>"Forget token"</button>
        </Show>
    }
}
