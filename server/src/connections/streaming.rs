//! [`Streaming`]: an HTTP/1 connection that has become a stream.

use std::{
    future::poll_fn,
    io::{self, IoSlice},
    net::SocketAddr,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::watch,
    task::unconstrained,
};

use super::{requests::Answer, room::Place};
use crate::stream::{Chunk, LogStream};

/// An HTTP/1 connection that has become a stream: what its reader is given is written straight to the socket, and nothing
/// is kept for it while there is nothing to write. It ends with its stream or its peer, whichever is first.
pub(super) struct Streaming<S> {
    socket: S,
    stream: LogStream,
    unwritten: Unwritten,
    is_chunked: bool,
    is_unflushed: bool,
    /// Whether the stream is at its end.
    is_over: bool,
    /// How much of what the peer says is still read.
    to_read: usize,
    peer: SocketAddr,
    _place: Place,
}

/// What the peer may say while it has a stream, which nobody answers. It is read because otherwise the peer's end would not be
/// seen behind it; who says more is not listened to any longer.
const READ_BYTES: usize = 64 * 1024;
const READ_AT_ONCE: usize = 1024;
/// A chunk up to this is copied to have its frame around it.
const SMALL: usize = 4 * 1024;
/// How many chunks are written before others have their turn.
const CHUNKS_A_TURN: usize = 16;

const END_OF_CHUNK: &[u8] = b"\r\n";
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

impl<S: AsyncRead + AsyncWrite + Unpin> Streaming<S> {
    pub(super) fn new(socket: S, peer: SocketAddr, answer: Answer, place: Place) -> Self {
        let Answer {
            head,
            is_chunked,
            stream,
        } = answer;
        Self {
            socket,
            stream,
            unwritten: Unwritten::whole(head.into()),
            is_chunked,
            is_unflushed: false,
            is_over: false,
            to_read: READ_BYTES,
            peer,
            _place: place,
        }
    }

    /// Writes until the stream ends, the peer goes away, or what `stopping` listens to is dropped.
    //
    // No `async fn`: that would have room for what it is given twice.
    pub(super) fn run(mut self, mut stopping: watch::Receiver<()>) -> impl Future<Output = ()> {
        async move {
            let sender = stopping.clone();
            let mut is_listening = false;
            let mut cut = pin!(unconstrained(async { while stopping.changed().await.is_ok() {} }));
            let ended = poll_fn(|cx| {
                // It wakes this task when there is something; to look whether there is costs less than to listen again.
                let is_still = is_listening && matches!(sender.has_changed(), Ok(false));
                is_listening = true;
                if !is_still && cut.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Ok(()));
                }
                self.poll(cx)
            })
            .await;
            if let Err(error) = ended {
                tracing::debug!(peer = %self.peer, %error, "a connection has failed");
            }
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_left(cx)? {
            return Poll::Ready(Ok(()));
        }
        for _ in 0..CHUNKS_A_TURN {
            self.is_unflushed |= !self.unwritten.is_empty();
            ready!(self.unwritten.poll_write(&mut self.socket, cx))?;
            if self.is_over {
                return Pin::new(&mut self.socket).poll_shutdown(cx);
            }
            match self.stream.poll_chunk(cx) {
                Poll::Ready(chunk) => self.take(chunk),
                Poll::Pending => {
                    if self.is_unflushed {
                        ready!(Pin::new(&mut self.socket).poll_flush(cx))?;
                        self.is_unflushed = false;
                    }
                    return Poll::Pending;
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Takes what is to be written next; `None` is the end.
    fn take(&mut self, chunk: Option<Chunk>) {
        self.is_over = chunk.is_none();
        self.unwritten = match chunk {
            None if self.is_chunked => Unwritten::whole(Bytes::from_static(LAST_CHUNK)),
            None => return,
            Some(chunk) if !self.is_chunked => Unwritten::whole(chunk.into_plain()),
            Some(Chunk::Shared(batch)) => Unwritten::whole(batch.into_chunked()),
            Some(Chunk::Owned(events)) => Unwritten::chunk(events),
        };
    }

    /// Whether the peer has gone away. What it says is read and dropped.
    fn is_left(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let mut bytes = [std::mem::MaybeUninit::uninit(); READ_AT_ONCE];
        while self.to_read > 0 {
            let mut read = ReadBuf::uninit(&mut bytes);
            if Pin::new(&mut self.socket).poll_read(cx, &mut read)?.is_pending() {
                return Ok(false);
            }
            if read.filled().is_empty() {
                return Ok(true);
            }
            self.to_read = self.to_read.saturating_sub(read.filled().len());
        }
        Ok(false)
    }
}

/// Bytes on their way to a socket.
#[derive(Default)]
struct Unwritten {
    begin: Bytes,
    /// What is behind those, where it is much; then with this end.
    events: Bytes,
    end: &'static [u8],
}

impl Unwritten {
    /// These bytes as they are.
    fn whole(bytes: Bytes) -> Self {
        Self {
            begin: bytes,
            ..Self::default()
        }
    }

    /// As a chunk of HTTP/1.1 (RFC 9112, section 7.1).
    fn chunk(events: Vec<u8>) -> Self {
        let mut begin = format!("{:x}\r\n", events.len()).into_bytes();
        if events.len() <= SMALL {
            begin.reserve_exact(events.len() + END_OF_CHUNK.len());
            begin.extend_from_slice(&events);
            begin.extend_from_slice(END_OF_CHUNK);
            return Self::whole(begin.into());
        }
        Self {
            begin: begin.into(),
            events: events.into(),
            end: END_OF_CHUNK,
        }
    }

    fn is_empty(&self) -> bool {
        self.begin.is_empty() && self.events.is_empty() && self.end.is_empty()
    }

    /// Writes all of it. Nothing is kept then.
    fn poll_write(
        &mut self,
        socket: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.is_empty() {
            let socket = Pin::new(&mut *socket);
            let written = if self.events.is_empty() && self.end.is_empty() {
                socket.poll_write(cx, &self.begin)
            } else {
                let parts = [&self.begin, &self.events, self.end].map(IoSlice::new);
                socket.poll_write_vectored(cx, &parts)
            };
            match ready!(written)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.advance(written),
            }
        }
        *self = Self::default();
        Poll::Ready(Ok(()))
    }

    fn advance(&mut self, mut written: usize) {
        for part in [&mut self.begin, &mut self.events] {
            let some = written.min(part.len());
            part.advance(some);
            written -= some;
        }
        self.end = self.end.get(written..).unwrap_or_default();
    }
}
