//! [`StallLimited`]: a listener whose connections end when they stall.

use std::{
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::serve::Listener;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// A listener whose connections end when they stall: when a write has waited for a while and the socket
/// has taken nothing. A reader whose page is frozen would otherwise keep its place among the streams for
/// ever, one that went away without a word for as long as the system's own patience lasts.
///
/// Progress is room in the system's send buffer, so a reader counts as stalled also where it reads less
/// in all that time than makes room there.
pub(crate) struct StallLimited<L> {
    listener: L,
    limit: Duration,
    stalled: StalledCount,
}

/// How many connections have stalled. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct StalledCount(Arc<AtomicU64>);

/// A connection that fails with [`io::ErrorKind::TimedOut`] when it stalls.
pub(crate) struct Connection<S> {
    socket: S,
    peer: SocketAddr,
    limit: Duration,
    stalled: StalledCount,
    /// Runs while a write waits; nothing is set up for one that does not.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl StalledCount {
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl<L> StallLimited<L> {
    pub(crate) fn new(listener: L, limit: Duration, stalled: StalledCount) -> Self {
        Self {
            listener,
            limit,
            stalled,
        }
    }
}

impl<L: Listener<Addr = SocketAddr>> Listener for StallLimited<L> {
    type Io = Connection<L::Io>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        let (socket, peer) = self.listener.accept().await;
        let connection = Connection {
            socket,
            peer,
            limit: self.limit,
            stalled: self.stalled.clone(),
            waiting: None,
        };
        (connection, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl<S> Connection<S> {
    pub(crate) fn socket(&self) -> &S {
        &self.socket
    }

    /// What a write gave, or its failure where none has got on for too long.
    fn limited(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            if self.waiting.is_some() {
                self.waiting = None;
            }
            return written;
        }
        let limit = self.limit;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(limit)));
        if waiting.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.waiting = None;
        self.stalled.0.fetch_add(1, Ordering::Relaxed);
        tracing::info!(peer = %self.peer, ?limit, "a connection took nothing for too long and is closed");
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.limited(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, bytes);
        self.limited(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    // A socket is flushed at once, whatever waits: that is no progress, and nothing to wait for.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, into)
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, routing::get, serve::ListenerExt};
    use bytes::Bytes;
    use futures_util::stream;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        net::{TcpListener, TcpStream},
        time::{Instant, advance, timeout},
    };

    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    fn connection(buffer: usize) -> (Connection<DuplexStream>, DuplexStream) {
        let (socket, peer) = duplex(buffer);
        let connection = Connection {
            socket,
            peer: SocketAddr::from(([127, 0, 0, 1], 1)),
            limit: LIMIT,
            stalled: StalledCount::default(),
            waiting: None,
        };
        (connection, peer)
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_gets_nowhere_fails_after_the_limit_and_is_counted_once() {
        let (mut connection, _peer) = connection(10);
        let began = Instant::now();
        let error = connection.write_all(&[0; 11]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(
            began.elapsed() >= LIMIT && began.elapsed() < LIMIT * 2,
            "{:?}",
            began.elapsed()
        );
        assert_eq!(connection.stalled.get(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn any_progress_starts_the_time_anew() {
        let (mut connection, mut peer) = connection(10);
        let count = connection.stalled.clone();
        let writing = tokio::spawn(async move { connection.write_all(&[0; 15]).await });
        for _ in 0..5 {
            advance(LIMIT / 2).await;
            peer.read_u8().await.unwrap();
        }
        writing.await.unwrap().unwrap();
        assert_eq!(count.get(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_has_nothing_to_write_is_not_stalled() {
        let (mut connection, mut peer) = connection(10);
        connection.write_all(&[0; 10]).await.unwrap();
        assert!(connection.waiting.is_none());
        advance(LIMIT * 10).await;
        connection.flush().await.unwrap();
        peer.read_exact(&mut [0; 10]).await.unwrap();
        connection.write_all(&[0; 10]).await.unwrap();
        assert_eq!(connection.stalled.get(), 0);
    }

    /// A server whose only path answers without end, with a limit that a test can wait for.
    async fn endless(limit: Duration) -> (SocketAddr, StalledCount) {
        let endless = || async {
            Body::from_stream(stream::repeat_with(|| {
                Ok::<_, io::Error>(Bytes::from_static(&[b'.'; 64 * 1024]))
            }))
        };
        let count = StalledCount::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let listener = StallLimited::new(listener, limit, count.clone()).tap_io(|_| {});
        let app = Router::new()
            .route("/", get(endless))
            .into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, app).await });
        (address, count)
    }

    async fn ask(address: SocketAddr) -> TcpStream {
        let mut reader = TcpStream::connect(address).await.unwrap();
        reader
            .write_all(b"GET / HTTP/1.1\r\nhost: test\r\n\r\n")
            .await
            .unwrap();
        reader
    }

    #[tokio::test]
    async fn a_reader_that_stops_reading_is_cut_and_one_that_reads_is_not() {
        let (address, count) = endless(Duration::from_millis(500)).await;
        let mut stalled = ask(address).await;
        let mut reading = ask(address).await;
        let began = Instant::now();
        let mut buffer = vec![0; 64 * 1024];
        while count.get() == 0 {
            reading.read_exact(&mut buffer).await.unwrap();
            assert!(began.elapsed() < Duration::from_secs(30), "nothing was cut");
        }
        for _ in 0..100 {
            reading.read_exact(&mut buffer).await.unwrap();
        }
        assert_eq!(count.get(), 1);
        // What the system still holds can be read, and then the connection is at its end.
        let rest = async { while stalled.read(&mut buffer).await.is_ok_and(|read| read > 0) {} };
        timeout(Duration::from_secs(30), rest).await.unwrap();
    }
}
