//! `GET /api/logs/stream`.

use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{HeaderName, header},
    response::{IntoResponse, Response},
};
use logs_shared::api::EVENT_STREAM_TYPE;

use super::{
    ApiError, blocking,
    extract::{Peer, Selection},
};
use crate::{
    access::ReaderIdentity,
    gateway::{self, Gateway, NotOpened},
    stream::OnItsWay,
};

/// Opens a stream of Server-Sent Events.
pub(super) async fn stream(
    State(gateway): State<Gateway>,
    reader: ReaderIdentity,
    Selection(query): Selection,
    Peer(peer): Peer,
) -> Result<Response, ApiError> {
    tracing::debug!(
        user_id = reader.user_id,
        ?peer,
        channels = gateway::shown(&query.channels),
        start = ?query.start,
        "stream opens"
    );
    reader.sees_all(&query.channels)?;
    gateway
        .quotas()
        .open(&reader)
        .map_err(|over| ApiError::StreamRate(over.retry_after().unwrap_or_default()))?;
    let place = gateway.place(&reader).await?;
    let stream = if gateway.is_shared() {
        let opening = gateway.clone();
        let begun = blocking(move || opening.begin_stream(query, reader, place)).await??;
        gateway.fresh().await?;
        blocking(move || gateway.open_stream(begun)).await??
    } else {
        blocking(move || {
            let begun = gateway.begin_stream(query, reader, place)?;
            Ok::<_, NotOpened>(gateway.open_stream(begun)?)
        })
        .await??
    };
    let headers = [
        (header::CONTENT_TYPE, EVENT_STREAM_TYPE),
        (header::CACHE_CONTROL, "no-store"),
        // Tells nginx not to gather the stream before passing it on.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    // The body, which the connection may take out of its answer.
    let stream = OnItsWay::new(stream);
    Ok((headers, Extension(stream.clone()), Body::new(stream)).into_response())
}
