//! [`LivePage`]: the live logs page.

use leptos::prelude::*;
use logs_shared::{ChannelPattern, RecordId};

use super::{
    address::Address, chooser::Chooser, sample_list::SampleList, status_bar::StatusBar, try_it::TryIt,
};
use crate::{ConnectionStatus, LogsProvider, LogsWidget, UseLogsSubscriptionOptions, use_logs_subscription};

/// What is followed where the URL does not say.
const DEFAULT_CHANNEL: &str = "logs:*:workspace123:*";
/// How many lines the page keeps.
const MAX_LOGS: usize = 2_000;

/// The live logs page: what the URL says is followed, and the live section above the sample entries.
#[component]
pub(super) fn LivePage() -> impl IntoView {
    let mut address = Address::here();
    // A wrong channel must not show something else in its place, and perhaps more.
    if address.channels.is_empty() && address.error.is_none() {
        address.channels.extend(DEFAULT_CHANNEL.parse::<ChannelPattern>());
    }
    let auto_connect = address.connect;
    view! {
        <LogsProvider auto_connect>
            <Live channels=address.channels at=address.at error=address.error />
        </LogsProvider>
    }
}

#[component]
fn Live(channels: Vec<ChannelPattern>, at: Option<RecordId>, error: Option<String>) -> impl IntoView {
    let linked = at.map(|at| (at, channels.clone()));
    let channels = RwSignal::new(channels);
    let live = use_logs_subscription(channels, UseLogsSubscriptionOptions { max_logs: MAX_LOGS });
    let is_wanted = Memo::new(move |_| live.connection_status.get() != ConnectionStatus::Disconnected);
    // Lines stay when the stream is closed: someone may be reading them.
    let is_shown = Memo::new(move |_| is_wanted.get() || at.is_some() || live.logs.count() > 0);
    Effect::new(move |was: Option<()>| {
        let address = Address {
            channels: channels.get(),
            connect: is_wanted.get(),
            at: linked
                .as_ref()
                .filter(|(_, of)| channels.with(|now| now == of))
                .map(|(at, _)| *at),
            error: None,
        };
        // The URL someone came with is left as it is until something changes.
        if was.is_some() {
            address.replace();
        }
    });
    view! {
        <StatusBar live />
        <Chooser channels error />
        <Show when=move || is_shown.get()>
            <section class="logs-live" aria-labelledby="logs-live-heading">
                <div class="logs-section-head">
                    <h2 id="logs-live-heading" class="logs-heading">"Live"</h2>
                    <p class="logs-hint">{move || hint(live.connection_status.get())}</p>
                </div>
                <LogsWidget logs=live.logs channels at empty=move || view! { <TryIt channels /> } />
            </section>
        </Show>
        <SampleList />
    }
}

/// What the live section says of itself.
fn hint(status: ConnectionStatus) -> &'static str {
    match status {
        ConnectionStatus::Connected => "Lines appear as they are published.",
        ConnectionStatus::Connecting => "Opening the stream.",
        ConnectionStatus::Reconnecting => {
            "The stream was lost. It comes back by itself within seconds of the gateway."
        }
        ConnectionStatus::Error => "The gateway refuses this stream. See above.",
        ConnectionStatus::Disconnected => "Disconnected. The lines stay until the page is left.",
    }
}
