//! [`LogStream`]: one reader's response body.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use logs_shared::{
    RecordId, ServerEvent,
    api::RETRY_MS,
    event::{self, CaughtUp, Close, Heartbeat, Subscription},
};
use tokio::time::{Instant, Interval, MissedTickBehavior, Sleep, interval_at, sleep_until};

use crate::{
    engine::Batch,
    gateway::now,
    quantity, random,
    reader::{Progress, Reader},
    streams::{Drain, Ending, OpenStream},
};

mod expiry;
mod on_its_way;

use self::expiry::Expiry;
pub(crate) use self::on_its_way::OnItsWay;

/// One reader's response body: the opening events, then whatever its [`Reader`] finds, and a
/// heartbeat. It holds nothing while its connection takes nothing.
pub(crate) struct LogStream {
    reader: Reader,
    open: OpenStream,
    opening: Option<Bytes>,
    heartbeat: Interval,
    caught_up: bool,
    /// Whether the last heartbeat said that the store is away.
    told_delay: bool,
    /// The end of its reader's credential, where it has one.
    expiry: Option<Box<Expiry>>,
    /// The moment at which it ends, once it was asked to.
    end: Option<Pin<Box<Sleep>>>,
    ended: bool,
}

/// What a stream gives to its connection at once.
pub(crate) enum Chunk {
    /// Made for this stream alone. Never empty.
    Owned(Vec<u8>),
    /// The same bytes as others get, with the framing of HTTP/1.1 around them.
    Shared(Batch),
}

/// About how much is given to the connection at once: everything pending, within reason.
const CHUNK_BYTES: usize = 64 * 1024;

impl LogStream {
    /// `opening` is sent at once, before anything is read. After `ends_after` its reader's credential counts no more.
    pub(crate) fn new(
        reader: Reader,
        open: OpenStream,
        opening: Bytes,
        heartbeat: Duration,
        ends_after: Option<Duration>,
    ) -> Self {
        open.delivered(0, None, reader.cursor());
        let mut heartbeat = interval_at(Instant::now() + heartbeat, heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            reader,
            open,
            opening: Some(opening),
            heartbeat,
            caught_up: false,
            told_delay: false,
            expiry: ends_after.map(|after| Box::new(Expiry::new(after))),
            end: None,
            ended: false,
        }
    }

    /// The next bytes for the connection; `None` at the end. It holds nothing while it is not asked.
    pub(crate) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Chunk>> {
        if let Some(opening) = self.opening.take() {
            self.open.sent(opening.len());
            return Poll::Ready(Some(Chunk::Owned(opening.into())));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        match self.next_chunk(cx) {
            Some(chunk) => {
                self.open.sent(chunk.len());
                Poll::Ready(Some(chunk))
            }
            None => Poll::Pending,
        }
    }

    /// The next bytes for the connection; `None` where there are none yet.
    fn next_chunk(&mut self, cx: &mut Context<'_>) -> Option<Chunk> {
        let mut out = Vec::new();
        // Who may no more gets nothing more, and what was asked for later is seen below.
        if self.is_ended_early(cx, &mut out) {
            return Some(Chunk::Owned(out));
        }
        let progress = self.reader.read(cx.waker(), CHUNK_BYTES, &mut out);
        let cursor = self.reader.cursor();
        match progress {
            Ok(Progress::Records(records)) => {
                // What a stream catches up on was not to be delivered before it asked.
                let age = if self.caught_up { self.reader.age() } else { None };
                self.open.delivered(records, age, cursor);
            }
            Ok(Progress::Fetching) => {}
            Err(_) => self.close("internal", &mut out),
            Ok(Progress::CaughtUp) => {
                self.open.caught_up(cursor);
                if !std::mem::replace(&mut self.caught_up, true) {
                    ServerEvent::CaughtUp(CaughtUp { timestamp: now() }).write_sse(Some(cursor), &mut out);
                }
            }
        }
        self.reader.gaps().iter().for_each(|gap| self.open.missed(*gap));
        if let Some(channels) = self.open.take_change() {
            ServerEvent::Subscription(Subscription { channels }).write_sse(None, &mut out);
        }
        if !self.is_ended_early(cx, &mut out) {
            self.drain(cx, &mut out);
        }
        let delayed_ms = self.reader.delayed_ms();
        // Whoever waits for a record is to know at once why none comes.
        if std::mem::replace(&mut self.told_delay, delayed_ms.is_some()) != delayed_ms.is_some() {
            write_heartbeat(delayed_ms, cursor, &mut out);
        }
        while out.is_empty() && self.heartbeat.poll_tick(cx).is_ready() {
            write_heartbeat(delayed_ms, cursor, &mut out);
        }
        (!out.is_empty()).then_some(Chunk::Owned(out))
    }
}

fn write_heartbeat(delayed_ms: Option<u64>, cursor: RecordId, out: &mut Vec<u8>) {
    let heartbeat = Heartbeat {
        timestamp: now(),
        delayed_ms,
    };
    ServerEvent::Heartbeat(heartbeat).write_sse(Some(cursor), out);
}

impl LogStream {
    /// Ends it where an operator or the credential does, and says beforehand when the credential will. To be called after the
    /// reader has registered the waker too.
    fn is_ended_early(&mut self, cx: &mut Context<'_>, out: &mut Vec<u8>) -> bool {
        if let Some(ending) = self.open.ending() {
            match ending {
                Ending::Closed => self.close("closed", out),
                Ending::Revoked => self.close_for_good("revoked", out),
            }
        } else if let Some(expiry) = &mut self.expiry
            && expiry.is_over(cx, out)
        {
            // With another credential it may come back.
            self.close("expired", out);
        }
        self.ended
    }

    /// Says once that the stream will end, and ends it when its moment has come. To be called after
    /// the reader has registered the waker, so that the request to end is not missed.
    fn drain(&mut self, cx: &mut Context<'_>, out: &mut Vec<u8>) {
        if self.end.is_none() {
            let Some(Drain { window, end_at }) = self.open.drain() else {
                return;
            };
            self.end = Some(Box::pin(sleep_until(end_at)));
            let within_ms = quantity::millis(window);
            ServerEvent::Drain(event::Drain { within_ms }).write_sse(None, out);
        }
        if self
            .end
            .as_mut()
            .is_some_and(|end| end.as_mut().poll(cx).is_ready())
        {
            self.close("shutdown", out);
        }
    }

    /// Says why the stream ends, and when to come back.
    fn close(&mut self, reason: &str, out: &mut Vec<u8>) {
        self.end_with(reason, Some(random::jittered(RETRY_MS)), out);
    }

    /// Says why the stream ends, and that there is no use in coming back.
    fn close_for_good(&mut self, reason: &str, out: &mut Vec<u8>) {
        self.end_with(reason, None, out);
    }

    fn end_with(&mut self, reason: &str, retry_ms: Option<u64>, out: &mut Vec<u8>) {
        self.ended = true;
        let reason = reason.to_owned();
        ServerEvent::Close(Close { reason, retry_ms }).write_sse(None, out);
    }
}

impl Chunk {
    /// How many bytes of events it has.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Owned(events) => events.len(),
            Self::Shared(batch) => batch.len(),
        }
    }

    /// Its events, without the framing of any connection.
    pub(crate) fn into_plain(self) -> Bytes {
        match self {
            Self::Owned(events) => events.into(),
            Self::Shared(batch) => batch.plain(),
        }
    }
}
