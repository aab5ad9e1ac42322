//! [`Frame`]: work that is done once per animation frame.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/js/frame.js")]
extern "C" {
    #[wasm_bindgen(js_name = Frame)]
    type JsFrame;

    #[wasm_bindgen(constructor, js_class = "Frame")]
    fn new(work: &Closure<dyn FnMut()>) -> JsFrame;
    #[wasm_bindgen(method)]
    fn ask(this: &JsFrame);
    #[wasm_bindgen(method)]
    fn cancel(this: &JsFrame);
}

/// Work that is done once in the next animation frame, however often it is asked for, or soon where there are no frames.
/// It is forgotten when this is dropped.
pub(crate) struct Frame {
    frame: JsFrame,
    // Called until it is cancelled, which is before it is dropped.
    _work: Closure<dyn FnMut()>,
}

impl Frame {
    /// A frame that does `work`.
    pub(crate) fn new(work: impl Fn() + 'static) -> Self {
        let work = Closure::<dyn FnMut()>::new(work);
        Self {
            frame: JsFrame::new(&work),
            _work: work,
        }
    }

    /// Has the work done in the next frame.
    pub(crate) fn ask(&self) {
        self.frame.ask();
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.frame.cancel();
    }
}
