//! [`use_logs_subscription()`]: the live logs of several channels, which may change.

use leptos::prelude::*;
use logs_shared::ChannelPattern;

use crate::{
    ConnectionStatus,
    hub::Subscription,
    provider::LogsContext,
    use_logs::{DEFAULT_MAX_LOGS, Logs, UseLogsReturn},
};

/// How [`use_logs_subscription()`] follows its channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UseLogsSubscriptionOptions {
    /// How many of the newest lines to keep, of all channels together. Default: 1000.
    pub max_logs: usize,
}

impl Default for UseLogsSubscriptionOptions {
    fn default() -> Self {
        Self {
            max_logs: DEFAULT_MAX_LOGS,
        }
    }
}

/// Follows the live logs of several channels and patterns, merged in order, as long as the component lives.
///
/// The channels may be a signal: when they change, the page's stream is replaced without losing a
/// record, and the lines that are still wanted stay. With none, nothing is followed.
///
/// # Panics
/// There is no [`LogsProvider`](crate::LogsProvider) above.
///
/// ```no_run
/// use leptos::prelude::*;
/// use logs_client::{LogsWidget, UseLogsSubscriptionOptions, use_logs_subscription};
/// use logs_shared::ChannelPattern;
///
/// #[component]
/// fn WorkspaceLogs(channels: RwSignal<Vec<ChannelPattern>>) -> impl IntoView {
///     let workspace = use_logs_subscription(channels, UseLogsSubscriptionOptions { max_logs: 5_000 });
///     view! { <LogsWidget logs=workspace.logs /> }
/// }
/// ```
#[must_use]
pub fn use_logs_subscription(
    channels: impl Into<Signal<Vec<ChannelPattern>>>,
    options: UseLogsSubscriptionOptions,
) -> UseLogsReturn {
    let channels = channels.into();
    let context = LogsContext::expect();
    let subscribe = move |channels| {
        context
            .hub
            .with_value(|hub| hub.subscribe(channels, options.max_logs))
    };

    let first = subscribe(channels.get_untracked());
    let logs = Logs {
        rows: RwSignal::new(first.rows.clone()),
    };
    let held: StoredValue<Option<Subscription>, LocalStorage> = StoredValue::new_local(Some(first));
    Effect::watch(
        move || channels.get(),
        move |channels, _, _| {
            // The new one is held before the old one is left: what both want is never given up between them.
            let subscription = subscribe(channels.clone());
            logs.rows.set(subscription.rows.clone());
            held.set_value(Some(subscription));
        },
        false,
    );
    on_cleanup(move || held.set_value(None));

    UseLogsReturn {
        logs,
        is_connected: Signal::derive(move || context.status.get() == ConnectionStatus::Connected),
        connection_status: context.status.into(),
        error: context.error.into(),
        stream_id: context.stream_id.into(),
        connect: Callback::new(move |()| context.enable(true)),
        disconnect: Callback::new(move |()| context.enable(false)),
    }
}
