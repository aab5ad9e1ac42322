//! [`LogStream`]: one reader's response body.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame};
use logs_shared::{
    ServerEvent,
    event::{CaughtUp, Close, Heartbeat},
};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::{
    gateway::now,
    reader::{Progress, Reader},
    streams::OpenStream,
};

/// One reader's response body: the opening events, then whatever its [`Reader`] finds, and a
/// heartbeat. It holds nothing while its connection takes nothing.
pub(crate) struct LogStream {
    reader: Reader,
    open: OpenStream,
    opening: Option<Bytes>,
    heartbeat: Interval,
    caught_up: bool,
    ended: bool,
}

/// About how much is given to the connection at once: everything pending, within reason.
const CHUNK_BYTES: usize = 64 * 1024;

impl LogStream {
    /// `opening` is sent at once, before anything is read.
    pub(crate) fn new(reader: Reader, open: OpenStream, opening: Bytes, heartbeat: Duration) -> Self {
        open.delivered(0, reader.cursor());
        let mut heartbeat = interval_at(Instant::now() + heartbeat, heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            reader,
            open,
            opening: Some(opening),
            heartbeat,
            caught_up: false,
            ended: false,
        }
    }

    /// The next bytes for the connection; `None` where there are none yet.
    fn next_chunk(&mut self, cx: &mut Context<'_>) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let progress = self.reader.read(cx.waker(), CHUNK_BYTES, &mut out);
        let cursor = self.reader.cursor();
        match progress {
            Progress::Records(records) => self.open.delivered(records, cursor),
            Progress::CaughtUp => {
                self.open.delivered(0, cursor);
                if !std::mem::replace(&mut self.caught_up, true) {
                    ServerEvent::CaughtUp(CaughtUp { timestamp: now() }).write_sse(Some(cursor), &mut out);
                }
            }
        }
        // After the reader registered the waker, so that a request to close is not missed.
        if self.open.is_closing() {
            self.ended = true;
            let close = Close {
                reason: "shutdown".to_owned(),
                retry_ms: Some(logs_shared::api::RETRY_MS),
            };
            ServerEvent::Close(close).write_sse(None, &mut out);
        }
        while out.is_empty() && self.heartbeat.poll_tick(cx).is_ready() {
            ServerEvent::Heartbeat(Heartbeat { timestamp: now() }).write_sse(Some(cursor), &mut out);
        }
        (!out.is_empty()).then_some(out)
    }
}

impl Body for LogStream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(opening) = self.opening.take() {
            return Poll::Ready(Some(Ok(Frame::data(opening))));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        match self.next_chunk(cx) {
            Some(chunk) => Poll::Ready(Some(Ok(Frame::data(chunk.into())))),
            None => Poll::Pending,
        }
    }
}
