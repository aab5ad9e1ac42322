//! [`LogStream`]: one reader's response body.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use logs_shared::{
    RecordId, ServerEvent,
    api::RETRY_MS,
    event::{self, CaughtUp, Close, Expiring, Heartbeat, Subscription},
};
use tokio::time::Instant;

use crate::{
    engine::Batch,
    gateway::now,
    quantity, random,
    reader::{Progress, Reader},
    streams::{Drain, Ending, OpenStream},
};

mod moments;
mod on_its_way;

use self::moments::Moments;
pub(crate) use self::on_its_way::OnItsWay;

/// One reader's response body: the opening events, then whatever its [`Reader`] finds, and a
/// heartbeat. It holds nothing while its connection takes nothing.
pub(crate) struct LogStream {
    reader: Reader,
    open: OpenStream,
    opening: Option<Bytes>,
    moments: Moments,
    caught_up: bool,
    /// Whether the last heartbeat said that the store is away.
    told_delay: bool,
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
        Self {
            reader: reader.sharing(),
            open,
            opening: Some(opening),
            moments: Moments::new(heartbeat, ends_after),
            caught_up: false,
            told_delay: false,
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
        let due = self.moments.poll(cx);
        // Who may no more gets nothing more, and what was asked for later is seen below.
        if self.is_ended_early(due, &mut out) {
            return Some(Chunk::Owned(out));
        }
        let progress = self.reader.read(cx.waker(), CHUNK_BYTES, &mut out);
        let batch = self.reader.take_batch();
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
        if !self.is_ended_early(due, &mut out) {
            self.drain(due, &mut out);
        }
        let delayed_ms = self.reader.delayed_ms();
        // Whoever waits for a record is to know at once why none comes.
        if std::mem::replace(&mut self.told_delay, delayed_ms.is_some()) != delayed_ms.is_some() {
            write_heartbeat(delayed_ms, cursor, &mut out);
        }
        if let Some(batch) = batch {
            return Some(if out.is_empty() {
                Chunk::Shared(batch)
            } else {
                Chunk::Owned([&batch.plain(), &*out].concat())
            });
        }
        // It can wait for what is there: it is due until it is written.
        if out.is_empty() && due.is_some_and(|now| self.moments.is_to_beat(now)) {
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
    fn is_ended_early(&mut self, due: Option<Instant>, out: &mut Vec<u8>) -> bool {
        match (self.open.ending(), due) {
            (Some(Ending::Closed), _) => self.close("closed", out),
            (Some(Ending::Revoked), _) => self.close_for_good("revoked", out),
            (None, Some(now)) => {
                if let Some(left) = self.moments.is_expiring(now) {
                    let within_ms = quantity::millis(left);
                    ServerEvent::Expiring(Expiring { within_ms }).write_sse(None, out);
                }
                if self.moments.is_expired(now) {
                    // With another credential it may come back.
                    self.close("expired", out);
                }
            }
            (None, None) => {}
        }
        self.ended
    }

    /// Says once that the stream will end, and ends it when its moment has come. To be called after
    /// the reader has registered the waker, so that the request to end is not missed.
    fn drain(&mut self, due: Option<Instant>, out: &mut Vec<u8>) {
        if self.moments.is_ending() {
            if due.is_some_and(|now| self.moments.is_over(now)) {
                self.close("shutdown", out);
            }
        } else if let Some(Drain { window, end_at }) = self.open.drain() {
            self.moments.end_at(end_at);
            let within_ms = quantity::millis(window);
            ServerEvent::Drain(event::Drain { within_ms }).write_sse(None, out);
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
