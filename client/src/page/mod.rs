//! [`LogsPage`]: what the gateway serves.

mod address;
mod chooser;
mod demo;
mod live;
mod reader_token;
mod route;
mod sample_list;
mod status_bar;
mod theme;
mod token_field;
mod try_it;

use leptos::prelude::*;
use logs_shared::api;

use crate::filter::KeptFilter;
use demo::DemoPage;
use live::LivePage;
use reader_token::ReaderToken;
use route::{Link, Route, Router};
use theme::ThemeButton;

/// The live logs page, and the page with three micro frontends, each at its path.
#[component]
pub fn LogsPage() -> impl IntoView {
    // Before anything else looks at the URL.
    ReaderToken::provide();
    let router = Router::provide();
    // What the live page shows of its lines, while another page is looked at.
    provide_context(KeptFilter(RwSignal::default()));
    let is_live = Memo::new(move |_| router.route.get() == Route::Live);
    view! {
        <header class="logs-header">
            <h1 class="logs-brand">"Logs"</h1>
            <nav class="logs-nav" aria-label="Pages">
                <Link href=api::PAGE_PATH is_current=is_live>"Live logs"</Link>
                <Link href=api::DEMO_PATH is_current=Memo::new(move |_| !is_live.get())>"Micro frontends"</Link>
            </nav>
            <ThemeButton />
        </header>
        <main class="logs-main">
            {move || if is_live.get() { view! { <LivePage /> }.into_any() } else { view! { <DemoPage /> }.into_any() }}
        </main>
    }
}
