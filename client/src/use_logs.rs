//! [`use_logs()`]: the live logs of one channel.

use std::sync::Arc;

use leptos::prelude::*;
use logs_shared::{ChannelPattern, LogRecord};

use crate::{
    Buffer, ConnectionStatus,
    run::Run,
    use_logs_subscription::{UseLogsSubscriptionOptions, use_logs_subscription},
};

/// How many rows a buffer has room for unless told otherwise.
pub(crate) const DEFAULT_MAX_LOGS: usize = 1_000;

/// What [`use_logs()`] shall follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UseLogsOptions {
    /// Who publishes: etl, faas, function, … `*` for all.
    pub service: String,
    /// The workspace. `*` for all.
    pub workspace_id: String,
    /// The workflow, function or other resource within it. `None`, the default, is exactly the channel
    /// that has none; `*` is all of the workspace.
    pub workflow_id: Option<String>,
    /// How many of the newest lines to keep. Default: 1000.
    pub max_logs: usize,
    /// Whether they are also kept in the browser's IndexedDB: shown at once after a reload, and the stream goes on after the
    /// last of them. Default: no.
    pub persistence: bool,
}

impl UseLogsOptions {
    /// The logs of a service's workspace.
    #[must_use]
    pub fn new(service: impl Into<String>, workspace_id: impl Into<String>) -> Self {
        Self {
            service: service.into(),
            workspace_id: workspace_id.into(),
            workflow_id: None,
            max_logs: DEFAULT_MAX_LOGS,
            persistence: false,
        }
    }

    /// The logs of a workflow, function or other resource within the workspace.
    #[must_use]
    pub fn workflow(mut self, workflow_id: impl Into<String>) -> Self {
        self.workflow_id = Some(workflow_id.into());
        self
    }

    /// Keeps so many of the newest lines.
    #[must_use]
    pub fn max_logs(mut self, max_logs: usize) -> Self {
        self.max_logs = max_logs;
        self
    }

    /// Keeps them in the browser too.
    #[must_use]
    pub fn persistence(mut self) -> Self {
        self.persistence = true;
        self
    }
}

/// The lines of a subscription, as a signal: reading them in a reactive place reads them again once
/// per animation frame in which any came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Logs {
    pub(crate) rows: Signal<ArcRwSignal<Buffer>>,
    /// Where older ones are to be had.
    pub(crate) gateway_url: StoredValue<String>,
    /// Of which channels they are.
    pub(crate) channels: Signal<Vec<ChannelPattern>>,
    /// Whether the gateway gives none of them.
    pub(crate) is_refused: Signal<bool>,
    /// The run that is followed through the services of the workspace.
    pub(crate) run: RwSignal<Option<Run>>,
}

impl Logs {
    /// Reads the rows, records and gaps, in place.
    pub fn with<T>(&self, read: impl FnOnce(&Buffer) -> T) -> T {
        self.rows.get().with(read)
    }

    /// Reads the rows without being told of changes.
    pub fn with_untracked<T>(&self, read: impl FnOnce(&Buffer) -> T) -> T {
        self.rows.get_untracked().with_untracked(read)
    }

    /// The records, the oldest first. Their content is shared, not copied.
    #[must_use]
    pub fn records(&self) -> Vec<Arc<LogRecord>> {
        self.with(|rows| rows.records().cloned().collect())
    }

    /// How many rows there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.with(Buffer::len)
    }
}

/// The live logs, and how the page stands with the gateway.
#[derive(Clone, Copy, Debug)]
pub struct UseLogsReturn {
    /// The newest lines.
    pub logs: Logs,
    /// Whether lines arrive as they are published.
    pub is_connected: Signal<bool>,
    /// How the page stands with the gateway.
    pub connection_status: Signal<ConnectionStatus>,
    /// What is wrong, in a sentence: the options name no channel, or the gateway said no.
    pub error: Signal<Option<String>>,
    /// Whether the gateway wants a token, or another one: nothing comes before it has it.
    pub is_unauthorized: Signal<bool>,
    /// The gateway's name for the page's stream, while there is one.
    pub stream_id: Signal<Option<String>>,
    /// Connects, or tries again at once after an error; also what was refused.
    pub connect: Callback<()>,
    /// Leaves the page's stream, with all hooks of the provider. The lines stay, and `connect` goes on after the last of them.
    pub disconnect: Callback<()>,
}

/// Follows the live logs of one channel as long as the component lives.
///
/// All hooks below one [`LogsProvider`](crate::LogsProvider) share its stream.
///
/// # Panics
/// There is no provider above.
///
/// ```no_run
/// use leptos::prelude::*;
/// use logs_client::{UseLogsOptions, UseLogsReturn, use_logs};
///
/// #[component]
/// fn EtlLogs() -> impl IntoView {
///     let UseLogsReturn { logs, is_connected, connection_status, .. } =
///         use_logs(UseLogsOptions::new("etl", "workspace123").workflow("workflow456").max_logs(200));
///     view! {
///         <p>"Status: " {move || connection_status.get().as_str()} {move || is_connected.get().then_some(" 🔴 LIVE")}</p>
///         <For each=move || logs.records() key=|record| record.id let:record>
///             <p>{record.level.as_str()} " " {record.message.clone()}</p>
///         </For>
///     }
/// }
/// ```
#[must_use]
pub fn use_logs(options: UseLogsOptions) -> UseLogsReturn {
    let UseLogsOptions {
        service,
        workspace_id,
        workflow_id,
        max_logs,
        persistence,
    } = options;
    let channel = ChannelPattern::new(&service, &workspace_id, workflow_id.as_deref());
    let invalid = channel.as_ref().err().map(ToString::to_string);
    let channels: Vec<ChannelPattern> = channel.into_iter().collect();
    let logs = use_logs_subscription(
        channels,
        UseLogsSubscriptionOptions {
            max_logs,
            persistence,
        },
    );
    let error = logs.error;
    UseLogsReturn {
        error: Signal::derive(move || invalid.clone().or_else(|| error.get())),
        ..logs
    }
}
