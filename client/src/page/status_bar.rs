//! [`StatusBar`]: how the page stands with the gateway, and connecting to it.

use leptos::prelude::*;

use super::{reader_token::ReaderToken, token_field::TokenField};
use crate::{ConnectionStatus, UseLogsReturn, browser};

/// How the page stands with the gateway and why, and the buttons that change it.
#[component]
pub(super) fn StatusBar(live: UseLogsReturn) -> impl IntoView {
    let status = live.connection_status;
    let text = move || match status.get() {
        ConnectionStatus::Connected => "Status: CONNECTED 🔴 LIVE".to_owned(),
        other => format!("Status: {other}"),
    };
    let can_connect = move || {
        matches!(
            status.get(),
            ConnectionStatus::Disconnected | ConnectionStatus::Reconnecting | ConnectionStatus::Error
        )
    };
    // Not `disabled`: a button that was pressed with the keyboard would lose the focus to nowhere.
    let can_disconnect = move || status.get() != ConnectionStatus::Disconnected;
    let reader: ReaderToken = expect_context();
    // What the gateway says to who shows nothing is how a program shows it.
    let error = Memo::new(move |_| match live.is_unauthorized.get() && !reader.is_given() {
        true => Some("A token is needed to see lines: give yours below.".to_owned()),
        false => live.error.get(),
    });
    let stream = move || live.stream_id.get().map(stream);
    view! {
        <div class="logs-status-bar">
            <p class="logs-status" part="status" role="status" data-status=move || status.get().as_str()>{text}</p>
            <p class="logs-reason" data-status=move || status.get().as_str()>{move || reason(status.get())}</p>
            {stream}
            <div class="logs-actions">
                <button
                    type="button"
                    class="logs-button logs-button-main"
                    aria-disabled=move || (!can_connect()).to_string()
                    on:click=move |_| if can_connect() { live.connect.run(()) }
                >
                    "Connect Live Logs"
                </button>
                <button
                    type="button"
                    class="logs-button"
                    aria-disabled=move || (!can_disconnect()).to_string()
                    on:click=move |_| if can_disconnect() { live.disconnect.run(()) }
                >
                    "Disconnect"
                </button>
            </div>
            {move || error.get().map(|error| view! { <p class="logs-error" role="alert">{error}</p> })}
            <TokenField live />
        </div>
    }
}

/// The stream's name for those who ask an operator about it: all of it, to select or to copy.
fn stream(id: String) -> AnyView {
    let said = RwSignal::new("Copy");
    let copied = id.clone();
    let copy = move |_| {
        let tell = move |is_copied| {
            said.try_set(if is_copied { "Copied" } else { "Select it to copy" });
        };
        browser::copy_text(&copied, Box::new(tell));
    };
    view! {
        <p class="logs-stream">
            "Stream " <code class="logs-stream-id">{id}</code>
            <button type="button" class="logs-copy-stream" aria-label=move || format!("{} the stream's id", said.get()) on:click=copy>
                {said}
            </button>
        </p>
    }
    .into_any()
}

/// What the status means for who watches.
fn reason(status: ConnectionStatus) -> &'static str {
    match status {
        ConnectionStatus::Connected => "Lines appear as they are published.",
        ConnectionStatus::Connecting => "Opening the stream.",
        ConnectionStatus::Reconnecting => {
            "The stream was lost. It comes back by itself within seconds of the gateway."
        }
        ConnectionStatus::Error => "The gateway refuses this stream.",
        ConnectionStatus::Disconnected => "Nothing is read. Lines that came stay until the page is left.",
    }
}
