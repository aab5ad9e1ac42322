//! What the viewer asks of the browser through `js/browser.js`, where that is shorter than the bindings for it.

use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

#[wasm_bindgen(module = "/js/browser.js")]
extern "C" {
    #[wasm_bindgen(js_name = fetchText)]
    fn fetch_text_js(url: &str, accept: &str, signal: Option<&AbortSignal>, done: JsValue);

    #[wasm_bindgen(js_name = copyText)]
    fn copy_text_js(text: &str, done: JsValue);

    /// Hands a text to the browser as a file.
    ///
    /// # Errors
    /// The browser does not let this page.
    #[wasm_bindgen(catch, js_name = saveFile)]
    pub(crate) fn save_file(text: &str, name: &str, media_type: &str) -> Result<(), JsValue>;
}

/// Asks for a text. `done` is called once, with the status and the text; with status 0 where nothing came, also because
/// it was given up.
pub(crate) fn fetch_text(
    url: &str,
    accept: &str,
    signal: Option<&AbortSignal>,
    done: Box<dyn FnOnce(u16, String)>,
) {
    fetch_text_js(url, accept, signal, Closure::once_into_js(done));
}

/// Copies a text; `done` is told whether the browser let it.
pub(crate) fn copy_text(text: &str, done: Box<dyn FnOnce(bool)>) {
    copy_text_js(text, Closure::once_into_js(done));
}
