//! [`StatusBar`]: how the page stands with the gateway, and connecting to it.

use leptos::prelude::*;

use crate::{ConnectionStatus, UseLogsReturn};

/// Of a stream's id, so many characters tell one from another.
const SHORT_ID: usize = 8;

/// How the page stands with the gateway, and the buttons that change it.
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
            ConnectionStatus::Disconnected | ConnectionStatus::Error
        )
    };
    // Not `disabled`: a button that was pressed with the keyboard would lose the focus to nowhere.
    let can_disconnect = move || status.get() != ConnectionStatus::Disconnected;
    let stream = move || {
        live.stream_id.get().map(|id| {
            let short: String = id.chars().take(SHORT_ID).collect();
            view! { <span class="logs-stream" title=format!("Stream {id}")>"stream " <code class="logs-stream-id">{short}</code></span> }
        })
    };
    view! {
        <div class="logs-status-bar">
            <p class="logs-status" role="status" data-status=move || status.get().as_str()>{text}</p>
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
            {move || live.error.get().map(|error| view! { <p class="logs-error" role="alert">{error}</p> })}
        </div>
    }
}
