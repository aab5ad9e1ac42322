//! [`Frame`]: work that is done once per animation frame.

use std::{
    cell::Cell,
    rc::{Rc, Weak},
};

use leptos::prelude::window;
use wasm_bindgen::prelude::*;

/// A hidden tab has no animation frames; its lines come this often, in milliseconds.
const HIDDEN_MS: i32 = 250;

/// Work that is done once in the next animation frame, however often it is asked for.
///
/// In a hidden tab, where there are no frames, a timer takes their place.
pub(crate) struct Frame {
    call: Closure<dyn FnMut()>,
    /// The animation frame and the timer, whichever comes first.
    asked: Cell<Option<(i32, i32)>>,
}

impl Frame {
    /// A frame that does `work`.
    pub(crate) fn new(work: impl Fn() + 'static) -> Rc<Self> {
        Rc::new_cyclic(|frame: &Weak<Self>| {
            let frame = frame.clone();
            let call = Closure::new(move || {
                if let Some(frame) = frame.upgrade() {
                    frame.cancel();
                    work();
                }
            });
            Self {
                call,
                asked: Cell::default(),
            }
        })
    }

    /// Has the work done in the next frame.
    pub(crate) fn ask(&self) {
        if self.asked.get().is_some() {
            return;
        }
        let (window, call) = (window(), self.call.as_ref().unchecked_ref());
        let frame = window.request_animation_frame(call).unwrap_or_default();
        let timer = window
            .set_timeout_with_callback_and_timeout_and_arguments_0(call, HIDDEN_MS)
            .unwrap_or_default();
        self.asked.set(Some((frame, timer)));
    }

    fn cancel(&self) {
        if let Some((frame, timer)) = self.asked.take() {
            // Fails for no handle.
            let _ = window().cancel_animation_frame(frame);
            window().clear_timeout_with_handle(timer);
        }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.cancel();
    }
}
