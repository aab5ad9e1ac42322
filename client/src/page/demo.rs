//! [`DemoPage`]: a page shell with three micro frontends on one stream.

use leptos::prelude::*;
use logs_shared::api::{DEMO_VIEW_PATHS, PAGE_PATH};

use super::{
    reader_token::ReaderToken,
    route::{Link, Route, Router},
    status_bar::StatusBar,
};
use crate::{LogsProvider, LogsWidget, UseLogsOptions, UseLogsReturn, filter::KeptFilter, use_logs};

/// One micro frontend.
struct MicroFrontend {
    name: &'static str,
    path: &'static str,
    service: &'static str,
    about: &'static str,
}

const MICRO_FRONTENDS: [MicroFrontend; 3] = [
    MicroFrontend {
        name: "InData",
        path: DEMO_VIEW_PATHS[0],
        service: "etl",
        about: "ETL jobs that bring data in",
    },
    MicroFrontend {
        name: "FaaS",
        path: DEMO_VIEW_PATHS[1],
        service: "faas",
        about: "Workflows that the jobs start",
    },
    MicroFrontend {
        name: "Functions",
        path: DEMO_VIEW_PATHS[2],
        service: "function",
        about: "Functions that the workflows call",
    },
];

impl MicroFrontend {
    fn logs(&self) -> UseLogsReturn {
        use_logs(UseLogsOptions::new(self.service, "workspace123").workflow("workflow456"))
    }
}

/// A page shell with three micro frontends on one stream.
#[component]
pub(super) fn DemoPage() -> impl IntoView {
    let reader: ReaderToken = expect_context();
    view! {
        <LogsProvider token=reader.source()>
            <Shell />
        </LogsProvider>
    }
}

/// The shell holds every view's subscription and filter, so that a view finds its lines, what it shows of
/// them and the stream as they were when it is mounted again.
#[component]
fn Shell() -> impl IntoView {
    let router: Router = expect_context();
    let view_number = Memo::new(move |_| match router.route.get() {
        Route::Demo(number) => number,
        Route::Live | Route::Admin => 0,
    });
    let filters = MICRO_FRONTENDS.each_ref().map(|_| RwSignal::default());
    let [first, rest @ ..] = &MICRO_FRONTENDS;
    let live = first.logs();
    let held: Vec<UseLogsReturn> = std::iter::once(live)
        .chain(rest.iter().map(MicroFrontend::logs))
        .collect();
    let tabs = MICRO_FRONTENDS
        .iter()
        .zip(held)
        .enumerate()
        .map(|(number, (view, held))| {
            view! {
                <Link href=view.path is_current=Memo::new(move |_| view_number.get() == number)>
                    {view.name}
                    <span class="logs-tab-count" title="Lines">{move || held.logs.with(|rows| rows.records().count())}</span>
                </Link>
            }
        });
    view! {
        <StatusBar live />
        <p class="logs-hint">
            "Three micro frontends share one stream. Switch between them: the stream and the lines stay. "
            <Link href=PAGE_PATH is_current=Memo::new(|_| false)>"Back to live logs"</Link>
        </p>
        <nav class="logs-tabs" aria-label="Micro frontends">{tabs.collect_view()}</nav>
        {move || {
            let view = MICRO_FRONTENDS.iter().zip(filters).nth(view_number.get());
            view.map(|(view, filter)| view! { <View view filter=KeptFilter(filter) /> })
        }}
    }
}

/// A micro frontend. It knows of the others no more than their links.
#[component]
fn View(view: &'static MicroFrontend, filter: KeptFilter) -> impl IntoView {
    provide_context(filter);
    let live = view.logs();
    view! {
        <section class="logs-live" aria-label=view.name>
            <div class="logs-section-head">
                <h2 class="logs-heading">{view.name}</h2>
                <p class="logs-hint">{view.about} ": " <code>{format!("logs:{}:workspace123:workflow456", view.service)}</code></p>
            </div>
            <LogsWidget logs=live.logs label=format!("{} logs", view.name) />
        </section>
    }
}
