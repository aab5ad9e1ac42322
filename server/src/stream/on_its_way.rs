//! [`OnItsWay`]: a stream between what opens it and its connection.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame};

use super::LogStream;

/// A stream between what opens it and its connection: the body of an answer, and what takes it out of that. A connection
/// that writes streams itself, as one of HTTP/1 does, finds it among the answer's extensions; for others it is a body like any.
/// Clones share it. An answer that is thrown away, or goes without its body, closes it.
#[derive(Clone)]
pub(crate) struct OnItsWay(Arc<Mutex<Option<LogStream>>>);

impl OnItsWay {
    pub(crate) fn new(stream: LogStream) -> Self {
        Self(Arc::new(Mutex::new(Some(stream))))
    }

    /// The stream, the first time. The body is at its end then.
    pub(crate) fn take(&self) -> Option<LogStream> {
        self.stream().take()
    }

    fn stream(&self) -> MutexGuard<'_, Option<LogStream>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Body for OnItsWay {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let mut stream = self.stream();
        let Some(stream) = stream.as_mut() else {
            return Poll::Ready(None);
        };
        let chunk = ready!(stream.poll_chunk(cx));
        Poll::Ready(chunk.map(|chunk| Ok(Frame::data(chunk.into_plain()))))
    }
}
