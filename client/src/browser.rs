//! What the viewer asks of the browser through `js/browser.js`, where that is shorter than the bindings for it.

use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

#[wasm_bindgen(module = "/js/browser.js")]
extern "C" {
    #[wasm_bindgen(js_name = history)]
    fn history_js(gateway_url: &str, query: &str, signal: Option<&AbortSignal>, done: JsValue);

    #[wasm_bindgen(js_name = copyText)]
    fn copy_text_js(text: &str, done: JsValue);

    /// Hands a text to the browser as a file.
    ///
    /// # Errors
    /// The browser does not let this page.
    #[wasm_bindgen(catch, js_name = saveFile)]
    pub(crate) fn save_file(text: &str, name: &str, media_type: &str) -> Result<(), JsValue>;
}

/// Asks for a page of history. `done` is called once: with its lines, or with why there are none, in a sentence; also where
/// it was given up.
pub(crate) fn history(
    gateway_url: &str,
    query: &str,
    signal: Option<&AbortSignal>,
    done: Box<dyn FnOnce(String, Option<String>)>,
) {
    history_js(gateway_url, query, signal, Closure::once_into_js(done));
}

/// Copies a text; `done` is told whether the browser let it.
pub(crate) fn copy_text(text: &str, done: Box<dyn FnOnce(bool)>) {
    copy_text_js(text, Closure::once_into_js(done));
}
