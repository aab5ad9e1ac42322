//! [`Router`]: which page a path is, and going from one to another without loading it.

use leptos::{ev::MouseEvent, prelude::*};
use logs_shared::api;
use wasm_bindgen::JsValue;

use crate::listener::Listener;

/// Which page is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// The live logs page. Also what an unknown path is.
    Live,
    /// The page with micro frontends, and which of them.
    Demo(usize),
    /// How the gateway does.
    Admin,
}

impl Route {
    fn of(path: &str) -> Self {
        let path = path.trim_end_matches('/');
        match api::DEMO_VIEW_PATHS.iter().position(|view| *view == path) {
            Some(view) => Self::Demo(view),
            None if path == api::DEMO_PATH => Self::Demo(0),
            None if path == api::ADMIN_PATH => Self::Admin,
            None => Self::Live,
        }
    }

    /// What the browser calls the page.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Live => "Live logs",
            Self::Demo(_) => "Micro frontends",
            Self::Admin => "Gateway",
        }
    }

    fn here() -> Self {
        Self::of(&location().pathname().unwrap_or_default())
    }
}

/// Which page is shown, as a context.
#[derive(Clone, Copy)]
pub(super) struct Router {
    pub(super) route: ReadSignal<Route>,
    set_route: WriteSignal<Route>,
    /// What the live page's address said when it was left, for going back to the same channels.
    live_search: StoredValue<String>,
}

impl Router {
    /// Starts with the page of the address, and goes along with back and forward.
    pub(super) fn provide() -> Self {
        let (route, set_route) = signal(Route::here());
        let listener = Listener::on(&window(), "popstate", move |_| set_route.set(Route::here()));
        let listener = StoredValue::new_local(Some(listener));
        on_cleanup(move || listener.set_value(None));
        let router = Self {
            route,
            set_route,
            live_search: StoredValue::default(),
        };
        provide_context(router);
        router
    }

    fn go(self, href: &str) {
        if self.route.get_untracked() == Route::Live {
            self.live_search
                .set_value(location().search().unwrap_or_default());
        }
        let search = if href == api::PAGE_PATH {
            self.live_search.get_value()
        } else {
            String::new()
        };
        let href = &format!("{href}{search}");
        let pushed = window()
            .history()
            .and_then(|it| it.push_state_with_url(&JsValue::NULL, "", Some(href)));
        match pushed {
            Ok(()) => self.set_route.set(Route::here()),
            // Browsers refuse when a page pushes too often.
            Err(_) => drop(location().set_href(href)),
        }
    }
}

/// A link to another page of this application.
#[component]
pub(super) fn Link(
    /// The path.
    href: &'static str,
    /// Whether this is the page that is shown.
    is_current: Memo<bool>,
    /// What it says.
    children: Children,
) -> impl IntoView {
    let router: Router = expect_context();
    let on_click = move |event: MouseEvent| {
        let is_plain = event.button() == 0
            && !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key());
        if is_plain {
            event.prevent_default();
            router.go(href);
        }
    };
    view! {
        <a class="logs-link" href=href aria-current=move || is_current.get().then_some("page") on:click=on_click>
            {children()}
        </a>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_a_page() {
        assert_eq!(Route::of("/"), Route::Live);
        assert_eq!(Route::of("/demo"), Route::Demo(0));
        assert_eq!(Route::of("/faas/logs/"), Route::Demo(1));
        assert_eq!(Route::of("/admin"), Route::Admin);
        assert_eq!(Route::of("/unknown"), Route::Live);
    }
}
