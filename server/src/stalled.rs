//! [`StallLimited`]: a socket that fails when it stalls.

use std::{
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use crate::rejections::{Rejections, reason};

/// A socket that fails with [`io::ErrorKind::TimedOut`] when it stalls: when a write has waited for a while and it has
/// taken nothing. A reader whose page is frozen would otherwise keep its place among the streams for ever, one that
/// went away without a word for as long as the system's own patience lasts.
///
/// Progress is room in the system's send buffer, so a reader counts as stalled also where it reads less
/// in all that time than makes room there.
pub(crate) struct StallLimited<S> {
    socket: S,
    peer: SocketAddr,
    limit: Duration,
    rejections: Rejections,
    /// Runs while a write waits; nothing is set up for one that does not.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<S> StallLimited<S> {
    pub(crate) fn new(socket: S, peer: SocketAddr, limit: Duration, rejections: Rejections) -> Self {
        Self {
            socket,
            peer,
            limit,
            rejections,
            waiting: None,
        }
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
        self.rejections.count(reason::STALLED);
        tracing::info!(peer = %self.peer, ?limit, "a connection took nothing for too long and is closed");
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for StallLimited<S> {
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

impl<S: AsyncRead + Unpin> AsyncRead for StallLimited<S> {
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
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        time::{Instant, advance},
    };

    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    fn connection(buffer: usize) -> (StallLimited<DuplexStream>, DuplexStream) {
        let (socket, peer) = duplex(buffer);
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let connection = StallLimited::new(socket, address, LIMIT, Rejections::default());
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
        assert_eq!(connection.rejections.snapshot(), [("stalled", 1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn any_progress_starts_the_time_anew() {
        let (mut connection, mut peer) = connection(10);
        let rejections = connection.rejections.clone();
        let writing = tokio::spawn(async move { connection.write_all(&[0; 15]).await });
        for _ in 0..5 {
            advance(LIMIT / 2).await;
            peer.read_u8().await.unwrap();
        }
        writing.await.unwrap().unwrap();
        assert_eq!(rejections.snapshot(), []);
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
        assert_eq!(connection.rejections.snapshot(), []);
    }
}
