//! What a request may take: its address, its headers, and the time for its body.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{body::Body, extract::Request};
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use logs_shared::api::{MAX_HEADER_BYTES, MAX_HEADERS, MAX_URI_BYTES};
use tokio::time::{Instant, Sleep, sleep_until};

use super::ApiError;

/// Lets a request through whose address and headers are within their limits, and gives its body a pace to keep.
///
/// # Errors
/// [`ApiError::UriTooLong`], [`ApiError::HeadersTooLarge`].
pub(crate) async fn within(request: Request) -> Result<Request, ApiError> {
    check(&request)?;
    if request.body().is_end_stream() {
        return Ok(request);
    }
    Ok(request.map(|body| Body::new(PacedBody::new(body))))
}

/// Whether a request's address and headers are within their limits.
///
/// # Errors
/// As [`within`].
pub(super) fn check<B>(request: &axum::http::Request<B>) -> Result<(), ApiError> {
    let uri = request.uri();
    let length = uri.path_and_query().map_or(0, |uri| uri.as_str().len());
    if length > MAX_URI_BYTES {
        return Err(ApiError::UriTooLong(length));
    }
    let headers = request.headers();
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if headers.len() > MAX_HEADERS || bytes > MAX_HEADER_BYTES {
        let count = headers.len();
        return Err(ApiError::HeadersTooLarge { count, bytes });
    }
    Ok(())
}

/// A body that fails with [`TooSlow`] where it comes too slowly: where nothing of it comes for a while, or where it
/// stays behind a rate that every line keeps. Who holds it open byte by byte would keep its connection, and what has
/// come so far, for as long as it likes.
///
/// Counted as it comes over the connection, before it is unpacked.
pub(super) struct PacedBody<B> {
    body: B,
    began: Instant,
    received: u64,
    /// Runs while the body is waited for; nothing is set up for one that is there.
    waiting: Option<Pin<Box<Sleep>>>,
}

/// A body came too slowly.
#[derive(Debug, thiserror::Error)]
#[error("the body came too slowly")]
pub(super) struct TooSlow;

/// The longest silence, and the start that a body has before its rate counts.
const GRACE: Duration = Duration::from_secs(20);
/// Bytes a second that are enough for ever.
const LEAST_RATE: u64 = 8 * 1024;

impl<B> PacedBody<B> {
    pub(super) fn new(body: B) -> Self {
        Self {
            body,
            began: Instant::now(),
            received: 0,
            waiting: None,
        }
    }

    /// When something more must have come, if what came last came now.
    fn deadline(&self) -> Instant {
        let earned = Duration::from_millis(self.received.saturating_mul(1_000) / LEAST_RATE);
        (self.began + GRACE + earned).min(Instant::now() + GRACE)
    }
}

impl<B> http_body::Body for PacedBody<B>
where
    B: http_body::Body<Data = Bytes, Error: Into<axum::BoxError>> + Unpin,
{
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            this.waiting = None;
            if let Some(Ok(data)) = frame.as_ref().map(|frame| frame.as_ref().map(Frame::data_ref)) {
                this.received += data.map_or(0, |data| data.len() as u64);
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let deadline = this.deadline();
        let waiting = this
            .waiting
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        match waiting.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Some(Err(TooSlow.into()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};
    use http_body_util::BodyExt;
    use tokio::time::sleep;

    use super::*;

    /// Reads a body of `pieces` pieces of `size` bytes, one each `pause`: how much came, and how long it took.
    async fn read(pieces: usize, size: usize, pause: Duration) -> (Result<usize, String>, Duration) {
        let pieces = stream::iter(0..pieces).then(move |_| async move {
            sleep(pause).await;
            Ok::<_, std::convert::Infallible>(Bytes::from(vec![b'.'; size]))
        });
        let began = Instant::now();
        let read = PacedBody::new(Body::from_stream(Box::pin(pieces)))
            .collect()
            .await;
        let read = read.map(|body| body.to_bytes().len());
        (read.map_err(|error| error.to_string()), began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_comes_at_the_rate_may_take_as_long_as_it_needs() {
        let (read, took) = read(1_000, 10_000, Duration::from_secs(1)).await;
        assert_eq!(read, Ok(10_000_000));
        assert!(took >= Duration::from_secs(1_000), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_comes_byte_by_byte_is_cut_after_the_grace() {
        let (read, took) = read(100_000, 1, Duration::from_millis(100)).await;
        assert_eq!(read, Err(TooSlow.to_string()));
        assert!(took >= GRACE && took < GRACE + Duration::from_secs(1), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_came_quickly_does_not_pay_for_a_long_silence() {
        // A megabyte at once would be time enough for two minutes.
        let quick = stream::iter([Ok::<_, std::convert::Infallible>(Bytes::from(vec![
            0;
            1024 * 1024
        ]))]);
        let body = Body::from_stream(quick.chain(stream::pending()));
        let began = Instant::now();
        assert!(PacedBody::new(body).collect().await.is_err());
        let took = began.elapsed();
        assert!(took >= GRACE && took < GRACE + Duration::from_secs(1), "{took:?}");
    }
}
