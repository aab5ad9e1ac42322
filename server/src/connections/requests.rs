//! [`Requests`]: the requests of one connection, on their way to what answers them.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{
    body::Body,
    extract::{ConnectInfo, Request},
    http::Version,
    response::Response,
};
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::{body::Incoming, service::Service};

use super::{
    activity::{Activity, OpenRequest},
    pace::Pace,
};
use crate::http::App;

/// The requests of one connection, on their way to what answers them.
pub(super) struct Requests {
    app: App,
    peer: SocketAddr,
    activity: Activity,
}

impl Requests {
    pub(super) fn new(app: App, peer: SocketAddr, activity: Activity) -> Self {
        Self { app, peer, activity }
    }
}

impl Service<Request<Incoming>> for Requests {
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<AnswerBody>, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let open = self.activity.request(request.version() < Version::HTTP_2);
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let app = self.app.clone();
        Box::pin(async move { Ok(app.answer(request).await.map(|body| AnswerBody::new(body, open))) })
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
