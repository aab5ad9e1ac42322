//! The page the gateway serves.

use leptos::prelude::*;

fn main() {
    #[cfg(feature = "panic-messages")]
    console_error_panic_hook::set_once();
    // The text that says the page is loading.
    document()
        .body()
        .expect("a page has a body")
        .set_text_content(None);
    mount_to_body(logs_client::LogsPage);
}
