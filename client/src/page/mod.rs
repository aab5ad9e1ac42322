//! [`LogsPage`]: what the gateway serves.

mod address;
mod admin;
mod chooser;
mod demo;
mod live;
mod reader_token;
mod route;
mod sample_list;
mod status_bar;
mod tab_token;
mod theme;
mod token_field;
mod try_it;

use leptos::prelude::*;
use logs_shared::api;

use crate::filter::KeptFilter;
use admin::AdminPage;
use demo::DemoPage;
use live::LivePage;
use reader_token::ReaderToken;
use route::{Link, Route, Router};
use theme::ThemeButton;

/// The live logs page, the page with three micro frontends, and the page of how the gateway does, each at its path.
#[component]
pub fn LogsPage() -> impl IntoView {
    // Before anything else looks at the URL.
    ReaderToken::provide();
    let router = Router::provide();
    // What the live page shows of its lines, while another page is looked at.
    provide_context(KeptFilter(RwSignal::default()));
    Effect::new(move |_| document().set_title(router.route.get().title()));
    let is = move |wanted: fn(Route) -> bool| Memo::new(move |_| wanted(router.route.get()));
    let is_live = is(|route| route == Route::Live);
    let is_demo = is(|route| matches!(route, Route::Demo(_)));
    let is_admin = is(|route| route == Route::Admin);
    let page = move || {
        if is_admin.get() {
            view! { <AdminPage /> }.into_any()
        } else if is_demo.get() {
            view! { <DemoPage /> }.into_any()
        } else {
            view! { <LivePage /> }.into_any()
        }
    };
    view! {
        <header class="logs-header">
            <h1 class="logs-brand">"Logs"</h1>
            <nav class="logs-nav" aria-label="Pages">
                <Link href=api::PAGE_PATH is_current=is_live>"Live logs"</Link>
                <Link href=api::DEMO_PATH is_current=is_demo>"Micro frontends"</Link>
                <Link href=api::ADMIN_PATH is_current=is_admin>"Gateway"</Link>
                <a class="logs-link" href=api::DOCS_PATH>"API"</a>
            </nav>
            <ThemeButton />
        </header>
        <main class="logs-main">{page}</main>
    }
}
