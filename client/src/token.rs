//! [`Token`]: what the page shows a gateway, so that it knows who reads.

use std::future::Future;

use js_sys::{Function, Promise};
use leptos::task::spawn_local;
use wasm_bindgen::prelude::*;

use crate::dom::at_end;

#[wasm_bindgen(module = "/js/wasm.js")]
extern "C" {
    /// Shows a gateway a token (a text, or a function that gives it), cookies or both, for all parts of the page, in place of
    /// what `owner` showed before. Without an address it shows nothing any more.
    #[wasm_bindgen(js_name = show)]
    pub fn show_access(owner: &JsValue, gateway_url: Option<&str>, token: &JsValue, with_credentials: bool);
}

/// Gives the reader's token, for [`LogsProvider`](crate::LogsProvider).
///
/// It is asked before each request, and once more when the gateway no longer takes the one it gave: so it can give a fresh one
/// each time. One that takes its time to get a token keeps it until it ends. An empty token is none.
///
/// ```no_run
/// use leptos::prelude::*;
/// use logs_client::{LogsProvider, Token};
///
/// # async fn fetch_token() -> String { String::new() }
/// #[component]
/// fn App(session: RwSignal<String>) -> impl IntoView {
///     view! {
///         <LogsProvider token=Token::new(move || session.get_untracked())>"…"</LogsProvider>
///         <LogsProvider token=Token::later(fetch_token) gateway_url="https://logs.example.com">"…"</LogsProvider>
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Token(Function);

impl Token {
    /// Gives what the callback returns.
    pub fn new(give: impl Fn() -> String + 'static) -> Self {
        Self::of(Box::new(move || give().into()))
    }

    /// Gives what the callback's future returns.
    pub fn later<F>(give: impl Fn() -> F + 'static) -> Self
    where
        F: Future<Output = String> + 'static,
    {
        Self::of(Box::new(move || {
            let mut given = Some(give());
            Promise::new(&mut |resolve, _| {
                let Some(given) = given.take() else { return };
                spawn_local(async move {
                    // A promise's own function does not throw.
                    let _ = resolve.call1(&JsValue::NULL, &given.await.into());
                });
            })
            .into()
        }))
    }

    fn of(give: Box<dyn Fn() -> JsValue>) -> Self {
        // The browser takes it back with the function: it may be asked after its owner has ended.
        Self(Closure::wrap(give).into_js_value().unchecked_into())
    }
}

/// A function of JavaScript that returns a token or a promise of one.
impl From<Function> for Token {
    fn from(function: Function) -> Self {
        Self(function)
    }
}

/// Shows the gateway what there is to show until the current owner ends.
pub(crate) fn provide_access(gateway_url: &str, token: Option<Token>, with_credentials: bool) {
    let owner = js_sys::Object::new();
    let token = token.map_or(JsValue::UNDEFINED, |Token(function)| function.into());
    show_access(&owner, Some(gateway_url), &token, with_credentials);
    at_end(Box::new(move || {
        show_access(&owner, None, &JsValue::UNDEFINED, false);
    }));
}
