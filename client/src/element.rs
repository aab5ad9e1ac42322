//! [`LogsElement`]: the viewer inside a `<logs-widget>`.
//!
//! The element itself is a class in `js/element.js`, which hands its attributes on. What they mean is here:
//!
//! | attribute | property | what |
//! |---|---|---|
//! | `service`, `workspace-id` | `service`, `workspaceId` | which channel to follow |
//! | `workflow-id` (or `resource-id`, `function-id`) | `workflowId` … | the workflow, function or other resource within the workspace |
//! | `channels` | `channels` | channels and patterns, separated by commas, also beside the above |
//! | `gateway-url` | `gatewayUrl` | where the gateway is; left out: where the script comes from |
//! | `max-logs` | `maxLogs` | how many of the newest lines to keep, 1 to 100000; left out: 1000 |
//! | `persistence` | `persistence` | present: the lines are also kept in the browser's IndexedDB, and shown at once the next time |
//! | `scope` | `scope` | who shares the stream: `page`, or `browser` for all tabs of the origin; left out: `page` |
//! | `with-credentials` | `withCredentials` | present: cookies go to a gateway on another origin |
//! | `token`: everybody sees it who sees the page | `token`: a text, or a function that gives it, also as a promise | the reader's token |
//! | `at` | `at` | a record's id: opens at that line, with those around it |
//! | `label` | `label` | what a screen reader calls the list; left out: "Live logs" |
//! | `theme` | `theme` | `light`, `dark`, `auto` (as the system is); left out: as the page is (its `color-scheme`) |
//!
//! All may change at any time. The property `token` is never an attribute, and goes before one. Read-only properties are `logs` (the records, the oldest first), `status`, `error`,
//! `isUnauthorized` (the gateway wants a token, or another one) and `streamId`; methods are `connect()` and `disconnect()`. Events, which bubble and leave shadow trees:
//!
//! | event | `detail` |
//! |---|---|
//! | `logs-status` | `status`, `error`, `isUnauthorized`, `streamId`, after each change of any of them |
//! | `logs-record` | `records`: those that came in since the last one, at most once per animation frame; `count` of them |

mod settings;

use std::sync::Arc;

use leptos::{
    mount::{UnmountHandle, mount_to},
    prelude::*,
    tachys::view::any_view::AnyViewState,
};
use logs_shared::{LogRecord, RecordId};
use web_sys::HtmlElement;

use self::settings::Settings;
pub use crate::token::show_access;
use crate::{
    ConnectionStatus, Scope, UseLogsReturn, UseLogsSubscriptionOptions,
    dom::{El, effect_later, el},
    provider::provide,
    use_logs_subscription,
    widget::widget,
};

/// How an element stands with its gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ElementStatus {
    /// The connection.
    pub connection: ConnectionStatus,
    /// What is wrong, in a sentence: with an attribute, or what the gateway said.
    pub error: Option<String>,
    /// Whether the gateway wants a token, or another one.
    pub is_unauthorized: bool,
    /// The gateway's name for the stream, while there is one.
    pub stream_id: Option<String>,
}

/// Who is told what happens in an element.
pub trait ElementListener: 'static {
    /// The status is another one now.
    fn on_status(&self, status: &ElementStatus);
    /// These have come in, in the order of their ids; at most once per animation frame. After a change of what is
    /// followed, the lines that are then there are among them.
    fn on_records(&self, records: Vec<Arc<LogRecord>>);
}

/// The viewer inside a `<logs-widget>`. Dropping it takes it out of the page and closes what it opened.
pub struct LogsElement {
    settings: ArcRwSignal<Settings>,
    live: ArcRwSignal<Option<UseLogsReturn>>,
    _mounted: UnmountHandle<AnyViewState>,
}

impl LogsElement {
    /// Mounts a viewer into `root` with these attributes.
    pub fn mount(
        root: HtmlElement,
        attributes: impl IntoIterator<Item = (String, String)>,
        listener: impl ElementListener,
    ) -> Self {
        let mut settings = Settings::default();
        for (name, value) in attributes {
            settings.set(&name, Some(value));
        }
        let settings = ArcRwSignal::new(settings);
        let live = ArcRwSignal::new(None);
        let mounted = mount_to(root, {
            let (settings, live) = (settings.clone(), live.clone());
            move || element(settings, live, Box::new(listener)).into_view()
        });
        Self {
            settings,
            live,
            _mounted: mounted,
        }
    }

    /// An attribute was set, or removed.
    pub fn set(&self, name: &str, value: Option<String>) {
        self.settings.maybe_update(|settings| {
            let before = settings.clone();
            settings.set(name, value) && *settings != before
        });
    }

    /// Connects, or tries again at once after an error.
    pub fn connect(&self) {
        self.with_live(|live| live.connect.run(()));
    }

    /// Closes the stream. The lines stay.
    pub fn disconnect(&self) {
        self.with_live(|live| live.disconnect.run(()));
    }

    /// The records, the oldest first.
    #[must_use]
    pub fn records(&self) -> Vec<Arc<LogRecord>> {
        let mut records = Vec::new();
        self.with_live(|live| records = live.logs.with_untracked(|rows| rows.records().cloned().collect()));
        records
    }

    fn with_live(&self, act: impl FnOnce(UseLogsReturn)) {
        if let Some(live) = self.live.get_untracked() {
            act(live);
        }
    }
}

/// What needs a new connection or buffer, and so a viewer anew.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Foundation {
    gateway_url: String,
    max_logs: Result<usize, String>,
    persistence: bool,
    scope: Result<Scope, String>,
    at: Result<Option<RecordId>, String>,
    label: String,
}

impl Foundation {
    /// The first thing that is wrong with it.
    fn error(&self) -> Option<String> {
        let (max_logs, scope, at) = (self.max_logs.as_ref(), self.scope.as_ref(), self.at.as_ref());
        max_logs.err().or(scope.err()).or(at.err()).cloned()
    }
}

type Listens = StoredValue<Box<dyn ElementListener>, LocalStorage>;

fn element(
    settings: ArcRwSignal<Settings>,
    live: ArcRwSignal<Option<UseLogsReturn>>,
    listener: Box<dyn ElementListener>,
) -> El {
    let settings = RwSignal::from(settings);
    let listener: Listens = StoredValue::new_local(listener);
    let foundation = Memo::new(move |_| {
        settings.with(|settings| Foundation {
            gateway_url: settings.gateway_url().to_owned(),
            max_logs: settings.max_logs(),
            persistence: settings.persistence(),
            scope: settings.scope(),
            at: settings.at(),
            label: settings.label().to_owned(),
        })
    });
    let channels = Memo::new(move |_| settings.with(Settings::channels));
    let status = Memo::new({
        let live = live.clone();
        move |_| {
            let wrong = foundation.with(Foundation::error);
            let wrong = wrong.or_else(|| channels.with(|channels| channels.clone().err()));
            let Some(live) = live.get() else {
                return ElementStatus {
                    error: wrong,
                    ..ElementStatus::default()
                };
            };
            ElementStatus {
                connection: live.connection_status.get(),
                error: wrong.or_else(|| live.error.get()),
                is_unauthorized: live.is_unauthorized.get(),
                stream_id: live.stream_id.get(),
            }
        }
    });
    effect_later(Box::new(move || {
        status.with(|status| listener.with_value(|listener| listener.on_status(status)));
    }));
    let inside = move || {
        let Foundation {
            gateway_url,
            max_logs,
            persistence,
            scope,
            at,
            label,
        } = foundation.get();
        let live = live.clone();
        provide(gateway_url, scope.unwrap_or_default(), true);
        let valid = Signal::derive(move || channels.get().unwrap_or_default());
        // A wrong number keeps as many as none, and is told.
        let max_logs = max_logs.unwrap_or(settings::DEFAULT_MAX_LOGS);
        let here = use_logs_subscription(
            valid,
            UseLogsSubscriptionOptions {
                max_logs,
                persistence,
            },
        );
        live.set(Some(here));
        on_cleanup(move || {
            live.maybe_update(|live| live.take_if(|live| live.logs == here.logs).is_some());
        });
        tell_records(here, valid, listener);
        Some(widget(here.logs, &label, None, at.unwrap_or_default()))
    };
    let said = el("p", "logs-element-status")
        .attr("role", "status")
        .attr_from("data-status", move || {
            Some(status.with(|status| status.connection.as_str().to_owned()))
        })
        .text_from(move || status.with(in_words));
    // What is made within reads signals that are not what it is made of.
    el("div", "logs-element")
        .child_from(move || {
            foundation.track();
            untrack(&inside)
        })
        .add(said)
}

/// What is said below the lines.
fn in_words(status: &ElementStatus) -> String {
    if let Some(error) = &status.error {
        return error.clone();
    }
    match status.connection {
        ConnectionStatus::Connected => "Live",
        ConnectionStatus::Connecting => "Connecting …",
        ConnectionStatus::Reconnecting => "The connection was lost. It comes back by itself.",
        ConnectionStatus::Disconnected => "Disconnected",
        ConnectionStatus::Error => "The gateway refuses this stream.",
    }
    .to_owned()
}

/// Tells of what comes in, as long as the component lives.
fn tell_records(live: UseLogsReturn, channels: Signal<Vec<logs_shared::ChannelPattern>>, listener: Listens) {
    let newest = StoredValue::new(None::<RecordId>);
    let mut is_first = true;
    effect_later(Box::new(move || {
        channels.track();
        if !std::mem::take(&mut is_first) {
            newest.set_value(None);
        }
    }));
    effect_later(Box::new(move || {
        let last = newest.get_value();
        let mut new: Vec<_> = live.logs.with(|rows| {
            let records = rows.records().rev();
            records
                .take_while(|record| Some(record.id) > last)
                .cloned()
                .collect()
        });
        if let Some(record) = new.first() {
            newest.set_value(Some(record.id));
            new.reverse();
            listener.with_value(|listener| listener.on_records(new));
        }
    }));
}
