//! [`Ending`]: a stream that ends politely when the proxy stops.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use logs_shared::{ServerEvent, event::Drain};
use tokio::{
    sync::watch,
    time::{Sleep, sleep},
};

use crate::{quantity, random};

/// An event stream of the gateway, which ends politely when the proxy stops: the reader is told with `drain`, as the gateway
/// itself would, and then it ends at a random moment of its own, so that not all of them come back at once.
pub(super) struct Ending<B> {
    events: B,
    phase: Phase,
    within: Duration,
    /// The last two bytes that went through: an event of the proxy's own may stand only between two others.
    last: [u8; 2],
}

enum Phase {
    Open(Pin<Box<dyn Future<Output = ()> + Send>>),
    Ending { at: Pin<Box<Sleep>>, is_told: bool },
}

impl<B> Ending<B> {
    /// The same events, until `stopping` says true; from then on for at most nine tenths of `within`, so that the connections
    /// can end too.
    pub(super) fn new(events: B, mut stopping: watch::Receiver<bool>, within: Duration) -> Self {
        let stopped = async move {
            if stopping.wait_for(|stopping| *stopping).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        Self {
            events,
            phase: Phase::Open(Box::pin(stopped)),
            within: within * 9 / 10,
            last: *b"\n\n",
        }
    }

    fn drain(&self) -> Bytes {
        let mut event = Vec::new();
        let drain = Drain {
            within_ms: quantity::millis(self.within),
        };
        ServerEvent::Drain(drain).write_sse(None, &mut event);
        event.into()
    }
}

impl<B> Body for Ending<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if let Phase::Open(stopped) = &mut self.phase
            && stopped.as_mut().poll(cx).is_ready()
        {
            let most = quantity::millis(self.within).max(1);
            let at = Box::pin(sleep(Duration::from_millis(random::u64() % most)));
            self.phase = Phase::Ending { at, is_told: false };
        }
        let is_between = &self.last == b"\n\n";
        if let Phase::Ending { at, is_told } = &mut self.phase {
            if is_between && !std::mem::replace(is_told, true) {
                return Poll::Ready(Some(Ok(Frame::data(self.drain()))));
            }
            if at.as_mut().poll(cx).is_ready() {
                return Poll::Ready(None);
            }
        }
        let frame = ready!(Pin::new(&mut self.events).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(bytes) = frame.data_ref()
        {
            match **bytes {
                [.., one, other] => self.last = [one, other],
                [one] => self.last = [self.last[1], one],
                [] => {}
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.events.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        // A length that is known would have to be kept to.
        SizeHint::default()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body as Whole;
    use futures_util::{StreamExt, stream};
    use http_body_util::BodyExt;
    use tokio::time::Instant;

    use super::*;

    const WITHIN: Duration = Duration::from_secs(10);

    /// These chunks, and then nothing for ever.
    fn quiet(chunks: &'static [&'static str]) -> Whole {
        let chunks =
            stream::iter(chunks).map(|chunk| Ok::<_, std::io::Error>(Bytes::from_static(chunk.as_bytes())));
        Whole::from_stream(chunks.chain(stream::pending()))
    }

    async fn all(chunks: &'static [&'static str]) -> (String, Duration) {
        let (stop, stopping) = watch::channel(false);
        let mut body = Ending::new(quiet(chunks), stopping, WITHIN);
        let mut text = String::new();
        for _ in chunks {
            let frame = body.frame().await.unwrap().unwrap();
            text += str::from_utf8(frame.data_ref().unwrap()).unwrap();
        }
        stop.send(true).unwrap();
        let began = Instant::now();
        let rest = body.collect().await.unwrap().to_bytes();
        (text + str::from_utf8(&rest).unwrap(), began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_is_told_and_the_stream_ends_in_time() {
        let (text, took) = all(&["data: 1\n\n"]).await;
        let told = "data: 1\n\nevent: drain\ndata: {\"type\":\"drain\",\"within_ms\":9000}\n\n";
        assert_eq!(text, told);
        assert!(took < WITHIN, "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_that_is_under_way_is_not_broken() {
        let (text, _) = all(&["data: 1\n\n", "data: ha"]).await;
        assert_eq!(text, "data: 1\n\ndata: ha");
        let (text, _) = all(&["data: 1\n", "\n"]).await;
        assert!(text.starts_with("data: 1\n\nevent: drain\n"), "{text}");
    }

    #[tokio::test(start_paused = true)]
    async fn streams_end_at_different_moments() {
        let mut moments = std::collections::HashSet::new();
        for _ in 0..10 {
            moments.insert(all(&["data: 1\n\n"]).await.1);
        }
        assert!(moments.len() > 5, "{moments:?}");
    }
}
