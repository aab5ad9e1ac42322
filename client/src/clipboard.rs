//! [`copy()`]: text that leaves the page.

use leptos::prelude::{document, window};
use leptos::wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Element;

/// Copies a text; whether the browser let it.
pub(crate) async fn copy(text: &str) -> bool {
    let clipboard = window().navigator().clipboard();
    // There is none on a page that was not loaded securely.
    let is_there = !AsRef::<JsValue>::as_ref(&clipboard).is_undefined();
    (is_there && JsFuture::from(clipboard.write_text(text)).await.is_ok()) || copy_selected(text).is_some()
}

/// As pages copied before there was a clipboard: what is selected in a field that nobody sees.
fn copy_selected(text: &str) -> Option<()> {
    let document = document().dyn_into::<web_sys::HtmlDocument>().ok()?;
    let focused = focused(document.active_element());
    let field: web_sys::HtmlTextAreaElement = document.create_element("textarea").ok()?.dyn_into().ok()?;
    field.set_value(text);
    // Out of sight, with properties: the page's policy may forbid a style attribute.
    for (name, value) in [("position", "fixed"), ("opacity", "0")] {
        let style = web_sys::HtmlElement::style(&field);
        style.set_property(name, value).ok()?;
    }
    document.body()?.append_child(&field).ok()?;
    field.select();
    let is_copied = document.exec_command("copy").unwrap_or(false);
    field.remove();
    if let Some(focused) = focused.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = focused.focus();
    }
    is_copied.then_some(())
}

/// What has the focus, also within shadow roots.
fn focused(element: Option<Element>) -> Option<Element> {
    let within = |element: &Element| element.shadow_root()?.active_element();
    std::iter::successors(element, within).last()
}
