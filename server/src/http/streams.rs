//! `PATCH /api/logs/streams/{stream_id}`.

use axum::{Json, extract::State, http::header, response::IntoResponse};

use super::{
    ApiError, blocking,
    extract::{Change, StreamId},
};
use crate::{access::ReaderIdentity, gateway::Gateway};

/// Changes what an open stream follows, without a new connection.
pub(super) async fn change(
    State(gateway): State<Gateway>,
    reader: ReaderIdentity,
    StreamId(stream_id): StreamId,
    Change(change): Change,
) -> Result<impl IntoResponse, ApiError> {
    let changed = blocking(move || gateway.change_stream(stream_id, &change, &reader)).await??;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(changed)))
}
