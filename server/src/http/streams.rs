//! `PATCH /api/logs/streams/{stream_id}`.

use axum::{Json, extract::State, http::header, response::IntoResponse};

use super::{
    ApiError,
    extract::{Change, StreamId},
};
use crate::{access::ReaderIdentity, gateway::Gateway};

/// Changes what an open stream follows, without a new connection.
pub(super) async fn change(
    State(gateway): State<Gateway>,
    reader: ReaderIdentity,
    StreamId(stream_id): StreamId,
    change: Change,
) -> Result<impl IntoResponse, ApiError> {
    let Change { change, body } = change;
    let changed = gateway.change_stream(stream_id, change, body, reader).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(changed)))
}
