//! [`Connection`]: one connection, from its first byte to its end.

use std::{
    fmt::Display,
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
};

use bytes::Bytes;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::watch,
    task::unconstrained,
    time::timeout,
};

use super::{
    Each,
    activity::{Activity, Overdue, Watched},
    requests::{Answer, Opened, Requests},
    room::Place,
    streaming::Streaming,
    turned_away,
    version::{self, Version},
};
use crate::{rejections::reason, tls::NotEncrypted};

/// One connection, before it is served.
pub(super) struct Connection {
    pub(super) each: Arc<Each>,
    pub(super) peer: SocketAddr,
    pub(super) activity: Activity,
    pub(super) stopping: watch::Receiver<()>,
    pub(super) place: Place,
}

/// What comes next of an HTTP/1 connection.
enum Next {
    End,
    Stream(Answer),
}

impl Connection {
    pub(super) async fn serve(self, socket: TcpStream) {
        let socket = self.each.limited(socket, self.peer);
        self.answer(socket).await;
    }

    pub(super) async fn serve_encrypted(mut self, socket: TcpStream) {
        let (each, peer) = (self.each.clone(), self.peer);
        let Some(tls) = &each.tls else { return };
        let handshake = async {
            if is_plain(&socket).await? {
                turned_away::tell_to_encrypt(socket).await?;
                return Err(NotEncrypted::Plain);
            }
            tls.accept(each.limited(socket, peer)).await
        };
        let encrypted = tokio::select! {
            encrypted = timeout(each.patience.head, handshake) => encrypted,
            _ = self.stopping.changed() => return,
        };
        match encrypted.unwrap_or(Err(NotEncrypted::TooSlow)) {
            Ok(socket) => self.answer(socket).await,
            Err(why) => {
                each.rejections.count(reason::TLS_HANDSHAKE);
                tracing::debug!(%peer, %why, "a connection is not encrypted and is closed");
            }
        }
    }

    /// Answers requests until there are no more, or until somebody ends it.
    async fn answer<S>(mut self, mut socket: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let told = tokio::select! {
            biased;
            told = version::tell(&mut socket) => told,
            _ = self.stopping.changed() => return,
            _ = self.activity.overdue() => return self.is_too_slow(),
        };
        match told {
            Ok((Version::Http1, begin)) => self.answer_http1(socket, begin).await,
            // On the heap: a task is as large as what it may become, and few are this.
            Ok((Version::Http2, begin)) => Box::pin(self.answer_http2(socket, begin)).await,
            Err(error) => has_failed(self.peer, &error),
        }
    }

    async fn answer_http1<S>(mut self, socket: S, begin: Bytes)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (peer, opened) = (self.peer, Opened::default());
        let requests = self.requests(opened.clone());
        let socket = Watched::new(socket, begin, self.activity.clone());
        let mut connection = self.each.http1.serve_connection(TokioIo::new(socket), requests);
        let answer = {
            let activity = self.activity.clone();
            let mut overdue = pin!(activity.overdue());
            loop {
                let next = poll_fn(|cx| {
                    if let Poll::Ready(ended) = Pin::new(&mut connection).poll(cx) {
                        ended.unwrap_or_else(|error| has_failed(peer, &error));
                        return Poll::Ready(Next::End);
                    }
                    // What was asked before is answered first.
                    let answer = activity.is_flushed().then(|| opened.take()).flatten();
                    answer.map_or(Poll::Pending, |answer| Poll::Ready(Next::Stream(answer)))
                });
                tokio::select! {
                    // First, so that what it has just done counts.
                    biased;
                    next = next => match next {
                        Next::End => return,
                        Next::Stream(answer) => break answer,
                    },
                    // Also where the connection has used up its task's turn.
                    stop = unconstrained(self.stopping.changed()) => {
                        if stop.is_err() {
                            return;
                        }
                        Pin::new(&mut connection).graceful_shutdown();
                    }
                    overdue = &mut overdue => {
                        if overdue == Overdue::Head {
                            return self.is_too_slow();
                        }
                        Pin::new(&mut connection).graceful_shutdown();
                        let _ = timeout(self.each.patience.head, connection).await;
                        return;
                    }
                }
            }
        };
        // What has come behind the request is not answered: the head says that the connection ends with the stream.
        let socket = connection.into_parts().io.into_inner().into_inner();
        let streaming = Streaming::new(socket, self.peer, answer, self.place);
        // As a task of its own, which is as small as it can be for the hours that a stream lasts.
        tokio::spawn(streaming.run(self.stopping));
    }

    async fn answer_http2<S>(mut self, socket: S, begin: Bytes)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let requests = self.requests(Opened::default());
        let socket = Watched::new(socket, begin, self.activity.clone());
        let mut connection = pin!(self.each.http2.serve_connection(TokioIo::new(socket), requests));
        let activity = self.activity.clone();
        let mut overdue = pin!(activity.overdue());
        loop {
            tokio::select! {
                // First, so that what it has just done counts.
                biased;
                ended = connection.as_mut() => {
                    return ended.unwrap_or_else(|error| has_failed(self.peer, &error));
                }
                // Also where the connection has used up its task's turn, as one that replays the past does.
                stop = unconstrained(self.stopping.changed()) => {
                    if stop.is_err() {
                        return;
                    }
                    connection.as_mut().graceful_shutdown();
                }
                overdue = &mut overdue => {
                    if overdue == Overdue::Head {
                        return self.is_too_slow();
                    }
                    connection.as_mut().graceful_shutdown();
                    // The peer is told first, and must not wait with its end.
                    let _ = timeout(self.each.patience.head, connection).await;
                    return;
                }
            }
        }
    }

    fn requests(&self, opened: Opened) -> Requests {
        Requests::new(self.each.app.clone(), self.peer, self.activity.clone(), opened)
    }

    fn is_too_slow(&self) {
        self.each.rejections.count(reason::SLOW_HEADERS);
        tracing::debug!(peer = %self.peer, "a connection brought no request in time and is closed");
    }
}

fn has_failed(peer: SocketAddr, error: &dyn Display) {
    tracing::debug!(%peer, %error, "a connection has failed");
}

/// Whether what comes is not TLS, of which every connection begins with a handshake record (RFC 8446, section 5.1).
async fn is_plain(socket: &TcpStream) -> io::Result<bool> {
    const HANDSHAKE: u8 = 22;
    let mut first = [0];
    Ok(socket.peek(&mut first).await? > 0 && first != [HANDSHAKE])
}
