//! [`LogsProvider`]: the hub of a page, for all hooks below it.

use leptos::prelude::*;

use crate::{
    hub::Hub,
    token::{Token, provide_access},
};

/// Who shares a page's stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// All parts of the page, whoever built them.
    #[default]
    Page,
    /// All tabs of this origin: the browser opens at most six connections to a gateway that speaks HTTP/1.1. Needs Web Locks,
    /// which browsers have in secure contexts only, https or localhost; elsewhere it is [`Self::Page`].
    Browser,
}

/// The hub, as a context.
#[derive(Clone, Copy)]
pub(crate) struct LogsContext {
    pub(crate) hub: StoredValue<Hub, LocalStorage>,
}

impl LogsContext {
    /// The context of the nearest provider.
    ///
    /// # Panics
    /// There is none.
    pub(crate) fn expect() -> Self {
        use_context().expect("a logs hook is used outside of <LogsProvider>")
    }
}

/// Gives all hooks below it the page's stream to the gateway: the one that other providers, other bundles and other
/// frameworks on the page have too. It is open while any of them wants a channel.
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
    /// Where the gateway is, such as `https://logs.example.com`, or the path of its stream, such as that of a proxy.
    /// Left out: where the page comes from.
    #[prop(optional, into)]
    gateway_url: String,
    /// Who shares the stream. Left out: this page.
    #[prop(optional)]
    scope: Scope,
    /// Whether to connect as soon as a hook wants a channel. Left out: yes. Otherwise a hook's `connect` does.
    #[prop(default = true)]
    auto_connect: bool,
    /// Gives the reader's token, where the gateway wants one. A page has one reader of a gateway: of several tokens the one that
    /// was given last is used, for as long as its provider is there.
    #[prop(optional, into)]
    token: Option<Token>,
    /// Whether cookies go to a gateway on another origin. Left out: no.
    #[prop(optional)]
    with_credentials: bool,
    /// What may use the hooks.
    children: Children,
) -> impl IntoView {
    if token.is_some() || with_credentials {
        provide_access(&gateway_url, token, with_credentials);
    }
    provide(gateway_url, scope, auto_connect);
    children()
}

/// Gives all hooks below the current owner the page's stream.
pub(crate) fn provide(gateway_url: String, scope: Scope, auto_connect: bool) {
    let hub = Hub::new(gateway_url, scope == Scope::Browser, auto_connect);
    provide_context(LogsContext {
        hub: StoredValue::new_local(hub),
    });
}
