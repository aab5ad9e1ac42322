//! [`Activity`]: what a connection is doing, so that one that does nothing ends.

use std::{
    future::poll_fn,
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

use super::{Patience, room::Counted};

/// What a connection is doing: which requests it has open, and for how long it has none. A cheap handle: clones share
/// it, its socket, its requests and the task that ends it.
#[derive(Clone)]
pub(super) struct Activity(Arc<Shared>);

struct Shared {
    patience: Patience,
    state: Mutex<State>,
    changed: AtomicWaker,
    /// Whether something was written of which a part may wait. Used by the task alone that has the connection.
    is_unflushed: AtomicBool,
}

struct State {
    /// Requests whose answers are not complete.
    open: usize,
    /// Held until the first request.
    unheard: Option<Counted>,
    /// Requests are told apart by their heads (HTTP/1), so that what comes between them is a head.
    has_heads: bool,
    /// When the last answer was complete, or had got further on its way.
    quiet_since: Instant,
    /// When the head that comes now began.
    head_since: Option<Instant>,
}

/// Why a connection is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    /// It has not brought a whole head of a request in time.
    Head,
    /// It has had no request for long.
    Idle,
}

/// What comes so soon after an answer may belong to the request that was answered: the rest of a body nobody read.
const REST_OF_A_BODY: Duration = Duration::from_secs(1);

impl Activity {
    /// Of a connection that begins now.
    pub(super) fn new(patience: Patience, unheard: Counted) -> Self {
        let state = State {
            open: 0,
            unheard: Some(unheard),
            has_heads: true,
            quiet_since: Instant::now(),
            head_since: None,
        };
        Self(Arc::new(Shared {
            patience,
            state: Mutex::new(state),
            changed: AtomicWaker::new(),
            is_unflushed: AtomicBool::new(false),
        }))
    }

    /// A request has come. It is open as long as the value it gives.
    pub(super) fn request(&self, has_head: bool) -> OpenRequest {
        let mut state = self.state();
        state.open += 1;
        state.unheard = None;
        state.has_heads = has_head;
        state.head_since = None;
        OpenRequest(self.clone())
    }

    /// Waits until the connection has done nothing for too long. To be polled by the task that polls its socket, after
    /// that.
    pub(super) async fn overdue(&self) -> Overdue {
        // Nothing is set up where a request is open, which is what a stream is for hours.
        let mut sleep: Option<Pin<Box<Sleep>>> = None;
        poll_fn(|cx| {
            self.0.changed.register(cx.waker());
            loop {
                let Some((at, overdue)) = self.due() else {
                    sleep = None;
                    return Poll::Pending;
                };
                let sleep = sleep.get_or_insert_with(|| Box::pin(sleep_until(at)));
                if sleep.deadline() != at {
                    sleep.as_mut().reset(at);
                }
                ready!(sleep.as_mut().poll(cx));
                if self.due() == Some((at, overdue)) {
                    return Poll::Ready(overdue);
                }
            }
        })
        .await
    }

    /// When it is to end unless something happens before; `None` where a request is open.
    fn due(&self) -> Option<(Instant, Overdue)> {
        let patience = self.0.patience;
        let state = self.state();
        match state.head_since {
            _ if state.open > 0 => None,
            _ if state.unheard.is_some() => Some((state.quiet_since + patience.head, Overdue::Head)),
            Some(since) => Some((since + patience.head, Overdue::Head)),
            None => Some((state.quiet_since + patience.idle, Overdue::Idle)),
        }
    }

    /// The socket has given something.
    fn read(&self) {
        let mut state = self.state();
        if state.open == 0 && state.has_heads && state.unheard.is_none() && state.head_since.is_none() {
            let now = Instant::now();
            if now.duration_since(state.quiet_since) > REST_OF_A_BODY {
                state.head_since = Some(now);
            }
        }
    }

    /// Whether all that was answered so far is on its way to the peer.
    pub(super) fn is_flushed(&self) -> bool {
        !self.0.is_unflushed.load(Ordering::Relaxed)
    }

    fn set_flushed(&self, is_flushed: bool) {
        self.0.is_unflushed.store(!is_flushed, Ordering::Relaxed);
    }

    /// The socket has taken something: of an answer, as HTTP/1 writes nothing else. HTTP/2 also answers pings.
    fn wrote(&self) {
        let mut state = self.state();
        if state.open == 0 && state.has_heads && state.unheard.is_none() {
            state.quiet_since = Instant::now();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request whose answer is not complete. It is when this is dropped.
pub(super) struct OpenRequest(Activity);

impl Drop for OpenRequest {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.open -= 1;
        state.quiet_since = Instant::now();
        drop(state);
        self.0.0.changed.wake();
    }
}

/// A socket whose reads and writes are activity.
pub(super) struct Watched<S> {
    socket: S,
    /// What was read of it before, and is read again first.
    begin: Bytes,
    activity: Activity,
}

impl<S> Watched<S> {
    pub(super) fn new(socket: S, begin: Bytes, activity: Activity) -> Self {
        Self {
            socket,
            begin,
            activity,
        }
    }

    /// The socket alone.
    pub(super) fn into_inner(self) -> S {
        self.socket
    }

    fn wrote(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(written, Poll::Ready(Ok(_))) {
            self.activity.wrote();
        }
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.begin.is_empty() {
            let some = self.begin.len().min(into.remaining());
            into.put_slice(&self.begin.split_to(some));
            return Poll::Ready(Ok(()));
        }
        let before = into.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(cx, into);
        if into.filled().len() > before {
            self.activity.read();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.activity.set_flushed(false);
        let written = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.activity.set_flushed(false);
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, bytes);
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    // hyper flushes what it writes to when it has written all it had.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.socket).poll_flush(cx);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            self.activity.set_flushed(true);
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
