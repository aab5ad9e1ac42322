//! [`use_logs_subscription()`]: the live logs of several channels, which may change.

use leptos::prelude::*;
use logs_shared::{ChannelPattern, Interest};

use crate::{
    ConnectionStatus,
    dom::effect_later,
    feed::{Selection, Shown},
    hub::Subscription,
    provider::LogsContext,
    run::Run,
    use_logs::{DEFAULT_MAX_LOGS, Logs, UseLogsReturn},
};

/// How [`use_logs_subscription()`] follows its channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UseLogsSubscriptionOptions {
    /// How many of the newest lines to keep, of all channels together. Default: 1000.
    pub max_logs: usize,
    /// Whether they are also kept in the browser's IndexedDB: shown at once after a reload, and the stream goes on after the
    /// last of them. Default: no.
    pub persistence: bool,
}

impl Default for UseLogsSubscriptionOptions {
    fn default() -> Self {
        Self {
            max_logs: DEFAULT_MAX_LOGS,
            persistence: false,
        }
    }
}

/// Follows the live logs of several channels and patterns, merged in order, as long as the component lives.
///
/// The channels may be a signal: when they change, the page's stream is changed without losing a record, and the lines
/// that are still wanted stay. With none, nothing is followed.
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
///     let workspace = use_logs_subscription(channels, UseLogsSubscriptionOptions { max_logs: 5_000, ..Default::default() });
///     view! { <LogsWidget logs=workspace.logs /> }
/// }
/// ```
#[must_use]
pub fn use_logs_subscription(
    channels: impl Into<Signal<Vec<ChannelPattern>>>,
    options: UseLogsSubscriptionOptions,
) -> UseLogsReturn {
    let channels = channels.into();
    let LogsContext { hub } = LogsContext::expect();
    let run: RwSignal<Option<Run>> = RwSignal::new(None);
    let selection = Memo::new(move |_| {
        let mut wanted: Vec<Interest> =
            channels.with(|channels| channels.iter().cloned().map(Interest::from).collect());
        if let (Some(run), false) = (run.get(), wanted.is_empty()) {
            wanted.extend(channels.with(|channels| run.interests(channels)));
        }
        // A handful: the standard library's way to sort is made for more, and is more code.
        let mut interests = Vec::new();
        for interest in wanted {
            if let Err(place) = interests.binary_search(&interest) {
                interests.insert(place, interest);
            }
        }
        Selection {
            interests,
            max_logs: options.max_logs,
            persistence: options.persistence,
        }
    });
    let subscribe = move |selection: &Selection| {
        let is_any = !selection.interests.is_empty();
        is_any.then(|| hub.with_value(|hub| hub.subscribe(selection.clone())))
    };

    let held: StoredValue<Option<Subscription>, LocalStorage> =
        StoredValue::new_local(subscribe(&selection.get_untracked()));
    let shown = RwSignal::new(shown(held));
    let mut followed = selection.get_untracked();
    effect_later(Box::new(move || {
        let selection = selection.get();
        if selection == followed {
            return;
        }
        // The new one is held before the old one is left: what both want is never given up between them.
        let old = held.try_update_value(|held| std::mem::replace(held, subscribe(&selection)));
        followed = selection;
        shown.set(self::shown(held));
        drop(old);
    }));
    on_cleanup(move || held.set_value(None));

    let status = Signal::derive(move || shown.with(|shown| shown.status.get()));
    UseLogsReturn {
        logs: Logs {
            rows: Signal::derive(move || shown.with(|shown| shown.rows.clone())),
            gateway_url: StoredValue::new(hub.with_value(|hub| hub.gateway_url().to_owned())),
            channels,
            is_refused: Signal::derive(move || status.get() == ConnectionStatus::Error),
            run,
        },
        is_connected: Signal::derive(move || status.get() == ConnectionStatus::Connected),
        connection_status: status,
        error: Signal::derive(move || shown.with(|shown| shown.error.get())),
        is_unauthorized: Signal::derive(move || shown.with(|shown| shown.is_unauthorized.get())),
        stream_id: Signal::derive(move || shown.with(|shown| shown.stream_id.get())),
        connect: Callback::new(move |()| hub.with_value(|hub| hub.enable(true))),
        disconnect: Callback::new(move |()| hub.with_value(|hub| hub.enable(false))),
    }
}

/// What a subscription shows; nothing where no channel is followed.
fn shown(held: StoredValue<Option<Subscription>, LocalStorage>) -> Shown {
    held.with_value(|held| held.as_ref().map(|held| held.shown.clone()))
        .unwrap_or_default()
}
