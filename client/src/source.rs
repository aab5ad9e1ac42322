//! [`Source`]: one `EventSource`, closed when it is dropped.

use std::rc::Rc;

use logs_shared::event::EVENT_NAMES;
use wasm_bindgen::prelude::*;
use web_sys::{EventSource, MessageEvent};

/// What an `EventSource` says.
pub(crate) enum Heard {
    /// An event, named or not.
    Event {
        /// Its data.
        data: String,
        /// The last id that was sent up to it; empty where there was none.
        id: String,
    },
    /// The stream is lost, or could not be opened.
    Lost {
        /// The answer was no event stream. Only then is there something to find out: `EventSource`
        /// tells neither status nor body.
        refused: bool,
    },
}

/// One `EventSource`, closed and no longer listened to when it is dropped.
///
/// It never reconnects by itself: who owns it drops it when it is lost.
pub(crate) struct Source {
    source: EventSource,
    on_event: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut()>,
}

impl Source {
    /// Asks for the stream at `url`. What it says comes later, never during this call.
    ///
    /// # Errors
    /// The URL is none.
    pub(crate) fn open(url: &str, tell: impl Fn(Heard) + 'static) -> Result<Self, JsValue> {
        let source = EventSource::new(url)?;
        let tell = Rc::new(tell);
        let on_event = {
            let tell = tell.clone();
            Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                if let Some(data) = event.data().as_string() {
                    tell(Heard::Event {
                        data,
                        id: event.last_event_id(),
                    });
                }
            })
        };
        let on_error = {
            let source = source.clone();
            Closure::<dyn FnMut()>::new(move || {
                let refused = source.ready_state() == EventSource::CLOSED;
                // Otherwise it would reconnect by itself, with the URL's old cursor and at its own pace.
                source.close();
                tell(Heard::Lost { refused });
            })
        };
        source.set_onmessage(Some(on_event.as_ref().unchecked_ref()));
        source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        for name in EVENT_NAMES {
            source.add_event_listener_with_callback(name, on_event.as_ref().unchecked_ref())?;
        }
        Ok(Self {
            source,
            on_event,
            _on_error: on_error,
        })
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.source.set_onmessage(None);
        self.source.set_onerror(None);
        for name in EVENT_NAMES {
            let _ = self
                .source
                .remove_event_listener_with_callback(name, self.on_event.as_ref().unchecked_ref());
        }
        self.source.close();
    }
}
