//! [`Timer`]: a call that will come, unless it is dropped before.

use leptos::prelude::window;
use wasm_bindgen::prelude::*;

/// A call that will come once, unless the timer is dropped before.
pub(crate) struct Timer {
    handle: i32,
    _call: Closure<dyn FnMut()>,
}

impl Timer {
    /// Calls in `delay_ms` milliseconds at the earliest; a hidden tab's calls may come a minute late.
    pub(crate) fn after(delay_ms: u64, call: impl FnOnce() + 'static) -> Self {
        let call = Closure::once(call);
        // A longer delay than the browser can count would be taken as none.
        let delay = i32::try_from(delay_ms).unwrap_or(i32::MAX);
        let handle = window()
            .set_timeout_with_callback_and_timeout_and_arguments_0(call.as_ref().unchecked_ref(), delay)
            .unwrap_or_default();
        Self { handle, _call: call }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        window().clear_timeout_with_handle(self.handle);
    }
}
