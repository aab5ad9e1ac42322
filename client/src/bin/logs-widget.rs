//! The program behind `<logs-widget>`: what the element's class in `js/element.js` calls.

use std::sync::Arc;

use js_sys::Function;
use logs_client::element::{ElementListener, ElementStatus, LogsElement, show_access};
use logs_shared::LogRecord;
use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;

fn main() {
    #[cfg(feature = "panic-messages")]
    console_error_panic_hook::set_once();
}

/// Shows a gateway the token and the cookies of an element; nothing any more where there is no address.
#[wasm_bindgen]
pub fn show(element: &JsValue, gateway_url: Option<String>, token: &JsValue, with_credentials: bool) {
    show_access(element, gateway_url.as_deref(), token, with_credentials);
}

/// A viewer in an element. `free()` takes it out.
#[wasm_bindgen]
pub struct Viewer(LogsElement);

#[wasm_bindgen]
impl Viewer {
    /// Mounts it into `root`. `attributes` is name, value, name, value, …
    #[wasm_bindgen(constructor)]
    pub fn new(
        root: HtmlElement,
        attributes: Vec<String>,
        on_status: Function,
        on_records: Function,
    ) -> Self {
        let mut rest = attributes.into_iter();
        let pairs = std::iter::from_fn(move || rest.next().zip(rest.next()));
        Self(LogsElement::mount(
            root,
            pairs,
            Listener {
                on_status,
                on_records,
            },
        ))
    }

    /// An attribute was set, or removed.
    pub fn set(&self, name: &str, value: Option<String>) {
        self.0.set(name, value);
    }

    /// Connects, or tries again at once after an error.
    pub fn connect(&self) {
        self.0.connect();
    }

    /// Closes the stream.
    pub fn disconnect(&self) {
        self.0.disconnect();
    }

    /// The records as a JSON array.
    pub fn logs(&self) -> String {
        json(&self.0.records())
    }
}

/// Records that came in together. Written as JSON only for those who ask.
#[wasm_bindgen]
pub struct Batch(Vec<Arc<LogRecord>>);

#[wasm_bindgen]
impl Batch {
    /// How many.
    #[wasm_bindgen(getter)]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The records as a JSON array.
    pub fn json(&self) -> String {
        json(&self.0)
    }
}

fn json(records: &[Arc<LogRecord>]) -> String {
    let mut json = String::from("[");
    for record in records {
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str(&record.to_json());
    }
    json.push(']');
    json
}

struct Listener {
    on_status: Function,
    on_records: Function,
}

impl ElementListener for Listener {
    fn on_status(&self, status: &ElementStatus) {
        let (error, stream_id) = (status.error.as_deref(), status.stream_id.as_deref());
        // What the page does with it is the page's.
        let _ = self.on_status.call4(
            &JsValue::NULL,
            &status.connection.as_str().into(),
            &error.map_or(JsValue::NULL, Into::into),
            &stream_id.map_or(JsValue::NULL, Into::into),
            &status.is_unauthorized.into(),
        );
    }

    fn on_records(&self, records: Vec<Arc<LogRecord>>) {
        let _ = self.on_records.call1(&JsValue::NULL, &Batch(records).into());
    }
}
