//! [`LogsProvider`]: the hub of a page, for all hooks below it.

use leptos::prelude::*;

use crate::{ConnectionStatus, hub::Hub};

/// The hub, and what it shows of its connection, as a context.
#[derive(Clone, Copy)]
pub(crate) struct LogsContext {
    pub(crate) hub: StoredValue<Hub, LocalStorage>,
    pub(crate) status: ReadSignal<ConnectionStatus>,
    pub(crate) stream_id: ReadSignal<Option<String>>,
    pub(crate) error: ReadSignal<Option<String>>,
}

impl LogsContext {
    /// The context of the nearest provider.
    ///
    /// # Panics
    /// There is none.
    pub(crate) fn expect() -> Self {
        use_context().expect("a logs hook is used outside of <LogsProvider>")
    }

    /// Opens a stream as soon as something is wanted, or closes it and keeps the lines.
    pub(crate) fn enable(self, is_enabled: bool) {
        self.hub.with_value(|hub| hub.enable(is_enabled));
    }
}

/// Gives all hooks below it one stream to the gateway. It is open while any of them wants a channel,
/// and closed when the provider goes.
///
/// ```no_run
/// use leptos::prelude::*;
/// use logs_client::{LogsProvider, LogsWidget, UseLogsOptions, use_logs};
///
/// #[component]
/// fn EtlLogs() -> impl IntoView {
///     let etl = use_logs(UseLogsOptions::new("etl", "workspace123").workflow("workflow456"));
///     view! { <LogsWidget logs=etl.logs /> }
/// }
///
/// #[component]
/// fn App() -> impl IntoView {
///     view! {
///         <LogsProvider>
///             <EtlLogs />
///         </LogsProvider>
///     }
/// }
/// ```
#[component]
pub fn LogsProvider(
    /// Where the gateway is, such as `https://logs.example.com`. Left out: where the page comes from.
    #[prop(optional, into)]
    gateway_url: String,
    /// Whether to connect as soon as a hook wants a channel. Left out: yes. Otherwise a hook's `connect` does.
    #[prop(default = true)]
    auto_connect: bool,
    /// What may use the hooks.
    children: Children,
) -> impl IntoView {
    let hub = Hub::new(&gateway_url);
    hub.enable(auto_connect);
    let signals = hub.signals();
    let context = LogsContext {
        hub: StoredValue::new_local(hub),
        status: signals.status.read_only().into(),
        stream_id: signals.stream_id.read_only().into(),
        error: signals.error.read_only().into(),
    };
    provide_context(context);
    on_cleanup(move || {
        // The hub itself goes with the last subscription; its stream must not outlive the provider.
        let _ = context.hub.try_with_value(|hub| hub.enable(false));
    });
    children()
}
