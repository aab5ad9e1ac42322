//! [`LivePage`]: the live logs page.

use leptos::prelude::*;
use logs_shared::{ChannelPattern, RecordId};

use super::{
    address::Address, chooser::Chooser, reader_token::ReaderToken, sample_list::SampleList,
    status_bar::StatusBar, try_it::TryIt,
};
use crate::{
    ConnectionStatus, LogsProvider, LogsWidget, UseLogsSubscriptionOptions, use_logs_subscription,
    widget::LinkTo,
};

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
    let reader: ReaderToken = expect_context();
    view! {
        <LogsProvider auto_connect token=reader.source()>
            <Live channels=address.channels at=address.at error=address.error />
        </LogsProvider>
    }
}

#[component]
fn Live(channels: Vec<ChannelPattern>, at: Option<RecordId>, error: Option<String>) -> impl IntoView {
    let linked = at.map(|at| (at, channels.clone()));
    let channels = RwSignal::new(channels);
    let live = use_logs_subscription(
        channels,
        UseLogsSubscriptionOptions {
            max_logs: MAX_LOGS,
            persistence: true,
        },
    );
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
    provide_context(LinkTo(Callback::new(move |id| {
        let address = Address {
            channels: channels.get_untracked(),
            connect: true,
            at: Some(id),
            error: None,
        };
        address.link()
    })));
    // A line that was published could not be seen either.
    let is_refused = Memo::new(move |_| live.connection_status.get() == ConnectionStatus::Error);
    let empty = move || {
        let words = move || {
            if is_refused.get() {
                view! { <p>"No lines: the gateway refuses this stream. The reason is above."</p> }.into_any()
            } else {
                view! { <TryIt channels /> }.into_any()
            }
        };
        words.into_any()
    };
    view! {
        <StatusBar live />
        <Chooser channels error />
        <Show when=move || is_shown.get()>
            <section class="logs-live" aria-labelledby="logs-live-heading">
                <div class="logs-section-head">
                    <h2 id="logs-live-heading" class="logs-heading">"Live"</h2>
                </div>
                <LogsWidget logs=live.logs at empty=empty />
            </section>
        </Show>
        <SampleList />
    }
}
