//! [`Listener`]: an event listener that is removed when it is dropped.

use wasm_bindgen::prelude::*;
use web_sys::EventTarget;

/// An event listener that is removed when it is dropped.
pub(crate) struct Listener {
    target: EventTarget,
    name: &'static str,
    call: Closure<dyn FnMut(web_sys::Event)>,
}

impl Listener {
    /// Listens to `name` on `target`.
    pub(crate) fn on(
        target: &EventTarget,
        name: &'static str,
        call: impl FnMut(web_sys::Event) + 'static,
    ) -> Self {
        Self::boxed(target, name, Box::new(call))
    }

    /// Listens to `name` on `target`.
    pub(crate) fn boxed(
        target: &EventTarget,
        name: &'static str,
        call: Box<dyn FnMut(web_sys::Event)>,
    ) -> Self {
        let call = Closure::wrap(call);
        // Fails for no event name and no function.
        let _ = target.add_event_listener_with_callback(name, call.as_ref().unchecked_ref());
        Self {
            target: target.clone(),
            name,
            call,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self
            .target
            .remove_event_listener_with_callback(self.name, self.call.as_ref().unchecked_ref());
    }
}
