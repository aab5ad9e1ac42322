//! [`Publications`]: the requests of an HTTP/1.1 connection, as long as they are publications.

use std::{
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    task::Poll,
    time::{Duration, SystemTime},
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::watch,
    task::unconstrained,
    time::{Instant, Sleep, sleep_until},
};

use super::{Each, activity::Activity, publication_head::Head};
use crate::http::Publication;

/// The requests of an HTTP/1.1 connection, as long as they are publications and nothing about them is unusual. A publisher sends
/// the same head again and again, so that is read once; and what takes requests apart for everybody costs as much as to store a
/// record. Whatever is not plainly a publication is given on, with all that has come of it.
pub(super) struct Publications<'a, S> {
    socket: S,
    each: &'a Each,
    activity: &'a Activity,
    /// What was read and is not answered.
    read: BytesMut,
    /// What the last head was, and what it said.
    known: Option<Head>,
    answer: Vec<u8>,
    date: Date,
    /// When the last answer was on its way.
    quiet_since: Instant,
}

/// What became of a connection.
pub(super) enum Left<S> {
    /// It is at its end.
    Ended,
    /// Something else comes on it, which begins with these bytes.
    Other(S, Bytes),
}

/// What there is to do.
enum Next {
    /// To answer what the head says that is known now.
    Answer,
    /// To read on, until there is so much.
    Read(usize),
    /// To let somebody else do it.
    GiveOn,
}

/// What is read at once, at least; and what stays allocated for who rests.
const ROOM: usize = 4 * 1024;
/// A request that does not come whole in this time is given on, to who knows how long it may take.
const WHOLE_WITHIN: Duration = Duration::from_secs(1);

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Publications<'a, S> {
    /// Of a connection of which so much was read.
    pub(super) fn new(socket: S, begin: &[u8], each: &'a Each, activity: &'a Activity) -> Self {
        Self {
            socket,
            each,
            activity,
            read: BytesMut::from(begin),
            known: None,
            answer: Vec::new(),
            date: Date::default(),
            quiet_since: Instant::now(),
        }
    }

    /// Answers publications until something else comes, or nothing more, or `stopping` is sent to or dropped.
    ///
    /// # Errors
    /// The connection fails.
    pub(super) async fn answer(mut self, stopping: &watch::Receiver<()>) -> io::Result<Left<S>> {
        let mut heard = stopping.clone();
        let mut cut = pin!(unconstrained(async { while heard.changed().await.is_ok() {} }));
        let mut stop = Stop {
            stopping,
            cut: cut.as_mut(),
            is_listening: false,
        };
        let mut overdue = pin!(sleep_until(self.quiet_since + self.each.patience.idle));
        loop {
            match self.next() {
                Next::Answer => {
                    let Some(answered) = stop.unless_cut(self.answer_one(stopping)).await else {
                        return Ok(Left::Ended);
                    };
                    if !answered? {
                        return Ok(self.give_on());
                    }
                    if stop.is_told() {
                        return self.end().await;
                    }
                }
                Next::Read(to) => match self.read(to, &mut stop, overdue.as_mut()).await? {
                    Some(true) => {}
                    Some(false) => return self.end().await,
                    None => return Ok(self.give_on()),
                },
                Next::GiveOn => return Ok(self.give_on()),
            }
        }
    }

    async fn end(mut self) -> io::Result<Left<S>> {
        self.socket.shutdown().await?;
        Ok(Left::Ended)
    }

    fn give_on(self) -> Left<S> {
        if !self.read.is_empty() {
            self.activity.read();
        }
        Left::Other(self.socket, self.read.freeze())
    }

    fn next(&mut self) -> Next {
        let is_known = self.known.as_ref().is_some_and(|head| head.is_again(&self.read));
        if !is_known {
            match Head::read(&self.read) {
                Some(Some(head)) => self.known = Some(head),
                Some(None) => return Next::Read(0),
                None => return Next::GiveOn,
            }
        }
        match &self.known {
            Some(head) if self.read.len() < head.request_len() => Next::Read(head.request_len()),
            _ => Next::Answer,
        }
    }

    /// Answers the request whose head is known. Returns whether it did.
    async fn answer_one(&mut self, stopping: &watch::Receiver<()>) -> io::Result<bool> {
        let Some(head) = &self.known else { return Ok(false) };
        // Who may not publish, or only less than this, is told so where everybody is.
        let Some(sender) = self.each.app.sender(head.headers(), head.body_len()) else {
            return Ok(false);
        };
        let _open = self.activity.request(true);
        let Publication { head: said, body } = {
            let body = &self.read[head.len()..head.request_len()];
            self.each.app.publication(head.path(), sender, body).await
        };
        self.read.advance(head.request_len());
        let is_last = !matches!(stopping.has_changed(), Ok(false));
        self.answer.clear();
        self.answer.extend_from_slice(&said);
        self.answer.extend_from_slice(b"content-length: ");
        self.answer.extend_from_slice(body.len().to_string().as_bytes());
        if is_last {
            self.answer.extend_from_slice(b"\r\nconnection: close");
        }
        self.answer.extend_from_slice(b"\r\ndate: ");
        self.answer.extend_from_slice(self.date.now());
        self.answer.extend_from_slice(b"\r\n\r\n");
        self.answer.extend_from_slice(&body);
        self.socket.write_all(&self.answer).await?;
        self.socket.flush().await?;
        self.quiet_since = Instant::now();
        Ok(true)
    }

    /// Reads on. Returns whether something came; `false` is the end of the connection, `None` that it takes too long.
    async fn read(
        &mut self,
        to: usize,
        stop: &mut Stop<'_>,
        mut overdue: Pin<&mut Sleep>,
    ) -> io::Result<Option<bool>> {
        let wanted = ROOM.max(to.saturating_sub(self.read.len()));
        if self.read.is_empty() && self.read.capacity() > 16 * ROOM {
            self.read = BytesMut::new();
        }
        self.read.reserve(wanted);
        let mut due = (!self.read.is_empty()).then(|| Instant::now() + WHOLE_WITHIN);
        poll_fn(|cx| {
            if let Poll::Ready(read) = pin!(self.socket.read_buf(&mut self.read)).poll(cx) {
                return Poll::Ready(read.map(|read| Some(read > 0)));
            }
            let rests = self.read.is_empty();
            if stop.is_cut(cx) || (rests && stop.is_told()) {
                return Poll::Ready(Ok(Some(false)));
            }
            let due = *due.get_or_insert(self.quiet_since + self.each.patience.idle);
            // Most often something comes long before: then the timer stays as it is, and is looked at when it is over.
            loop {
                if overdue.deadline() > due {
                    overdue.as_mut().reset(due);
                }
                if overdue.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                if Instant::now() >= due {
                    return Poll::Ready(Ok(if rests { Some(false) } else { None }));
                }
                overdue.as_mut().reset(due);
            }
        })
        .await
    }
}

/// What ends connections.
struct Stop<'a> {
    stopping: &'a watch::Receiver<()>,
    /// Resolves when it is dropped that is listened to.
    cut: Pin<&'a mut (dyn Future<Output = ()> + Send)>,
    is_listening: bool,
}

impl Stop<'_> {
    /// Whether the connection is to end when what was asked is answered.
    fn is_told(&self) -> bool {
        !matches!(self.stopping.has_changed(), Ok(false))
    }

    /// Whether it is to end at once. The task is woken when that changes.
    fn is_cut(&mut self, cx: &mut std::task::Context<'_>) -> bool {
        // To look whether there is something costs less than to listen again.
        let listens = std::mem::replace(&mut self.is_listening, true);
        (!listens || self.is_told()) && self.cut.as_mut().poll(cx).is_ready()
    }

    async fn unless_cut<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if self.is_cut(cx) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }
}

/// The time as answers have it, written once a second.
#[derive(Default)]
struct Date {
    second: u64,
    text: String,
}

impl Date {
    fn now(&mut self) -> &[u8] {
        let now = SystemTime::now();
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        if self.second != since.as_secs() {
            self.second = since.as_secs();
            self.text = httpdate::fmt_http_date(now);
        }
        self.text.as_bytes()
    }
}

#[cfg(test)]
mod tests;
