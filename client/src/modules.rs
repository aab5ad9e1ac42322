//! The JavaScript files behind [`Feed`](crate::feed::Feed).
//!
//! wasm-bindgen takes a file along when something is imported from it, not when another file imports it. So
//! each file has an import here, which nothing calls.

use wasm_bindgen::prelude::*;

macro_rules! taken_along {
    ($($file:literal $name:ident),+ $(,)?) => {
        $(
            #[wasm_bindgen(module = $file)]
            extern "C" {
                #[allow(dead_code)]
                fn $name();
            }
        )+
    };
}

taken_along!(
    "/js/access.js" access,
    "/js/archive.js" archive,
    "/js/backoff.js" backoff,
    "/js/change.js" change,
    "/js/connection.js" connection,
    "/js/endpoint.js" endpoint,
    "/js/entry.js" entry,
    "/js/expiry.js" expiry,
    "/js/feed.js" feed,
    "/js/hub.js" hub,
    "/js/id.js" id,
    "/js/item.js" item,
    "/js/past.js" past,
    "/js/refusal.js" refusal,
    "/js/source.js" source,
    "/js/stream.js" stream,
    "/js/subscription.js" subscription,
    "/js/tabs.js" tabs,
);
