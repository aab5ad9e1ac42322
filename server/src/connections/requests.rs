//! [`Requests`]: the requests of one connection, on their way to what answers them.

use std::{
    convert::Infallible,
    future::pending,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use axum::{
    body::Body,
    extract::{ConnectInfo, Request},
    http::{Method, Version},
    response::Response,
};
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::{body::Incoming, service::Service};

use super::{
    activity::{Activity, OpenRequest},
    head,
    pace::Pace,
};
use crate::{
    http::App,
    stream::{LogStream, OnItsWay},
};

/// The requests of one connection, on their way to what answers them.
pub(super) struct Requests {
    app: App,
    peer: SocketAddr,
    activity: Activity,
    opened: Opened,
}

/// What is left to say to an HTTP/1 connection whose request has opened a stream.
pub(super) struct Answer {
    /// Everything before the body.
    pub(super) head: Vec<u8>,
    /// Whether the body is in chunks; otherwise it ends with the connection.
    pub(super) is_chunked: bool,
    pub(super) stream: LogStream,
}

/// Where the answer is put whose body is a stream, to be taken out of the hands of what reads the requests. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Opened(Arc<Mutex<Option<Answer>>>);

impl Opened {
    fn put(&self, answer: Answer) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }

    pub(super) fn take(&self) -> Option<Answer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Requests {
    /// An HTTP/1 request that opens a stream is never answered here: its answer is in `opened`.
    pub(super) fn new(app: App, peer: SocketAddr, activity: Activity, opened: Opened) -> Self {
        Self {
            app,
            peer,
            activity,
            opened,
        }
    }
}

impl Service<Request<Incoming>> for Requests {
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<AnswerBody>, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let version = request.version();
        let open = self.activity.request(version < Version::HTTP_2);
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let has_body = request.method() != Method::HEAD;
        let opened = (version < Version::HTTP_2 && has_body).then(|| self.opened.clone());
        let app = self.app.clone();
        Box::pin(async move {
            let mut answer = app.answer(request).await;
            if let Some(opened) = opened
                && let Some(stream) = answer.extensions_mut().remove::<OnItsWay>()
                && let Some(stream) = stream.take()
            {
                opened.put(Answer {
                    head: head::of_stream(&answer, version),
                    is_chunked: version >= Version::HTTP_11,
                    stream,
                });
                drop(answer);
                return pending().await;
            }
            Ok(answer.map(|body| AnswerBody::new(body, open)))
        })
    }
}

/// An answer's body. Its request is open as long as it.
pub(super) struct AnswerBody {
    body: Body,
    /// What was too large to be given at once.
    rest: Bytes,
    pace: Option<Pace>,
    _open: OpenRequest,
}

/// The most that is given to the connection at once. What an HTTP/2 stream has been given waits in memory where the
/// peer does not take it, even after the body is at its end.
const MOST_AT_ONCE: usize = 128 * 1024;

impl AnswerBody {
    fn new(body: Body, open: OpenRequest) -> Self {
        Self {
            body,
            rest: Bytes::new(),
            pace: Pace::current(),
            _open: open,
        }
    }

    fn next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                end => return Poll::Ready(end),
            }
        }
        let most = self.rest.len().min(MOST_AT_ONCE);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(most)))))
    }
}

impl http_body::Body for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Some(pace) = &self.pace {
            pace.asked();
        }
        let next = self.next(cx);
        if let (Some(pace), Poll::Ready(Some(Ok(_)))) = (&self.pace, &next) {
            pace.gave();
        }
        next
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let of_body = self.body.size_hint();
        let mut hint = SizeHint::new();
        if let Some(upper) = of_body.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(of_body.lower() + rest);
        hint
    }
}
