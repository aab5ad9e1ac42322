//! What the gateway says about itself.

use axum::{
    Json,
    extract::{Query, State},
    http::{StatusCode, header},
    response::IntoResponse,
};
use logs_shared::{ChannelPattern, overview::Channels};
use serde::Deserialize;

use super::{ApiError, blocking, extract::Admin};
use crate::{
    gateway::{Gateway, ReaderIdentity},
    metrics::OPEN_METRICS_TYPE,
};

/// `GET /health` and `/health/ready`: 503 where the gateway cannot do its work.
pub(super) async fn health(State(gateway): State<Gateway>) -> impl IntoResponse {
    let health = gateway.health();
    let status = match health.reason {
        None => StatusCode::OK,
        Some(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(health))
}

/// `GET /health/live`: whether the process answers at all. What restarting does not mend does not count.
pub(super) async fn live(State(gateway): State<Gateway>) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-store")], Json(gateway.health()))
}

#[derive(Deserialize)]
pub(super) struct ChannelsQuery {
    workspace_id: Option<String>,
}

/// `GET /api/logs/channels`: the channels the caller may see, of one workspace or of all.
pub(super) async fn channels(
    State(gateway): State<Gateway>,
    _: ReaderIdentity,
    query: Result<Query<ChannelsQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<impl IntoResponse, ApiError> {
    let Query(ChannelsQuery { workspace_id }) =
        query.map_err(|rejection| ApiError::InvalidQuery(rejection.body_text()))?;
    let pattern = match workspace_id.filter(|workspace_id| !workspace_id.is_empty()) {
        None => ChannelPattern::everything(),
        Some(workspace_id) => match ChannelPattern::new("*", &workspace_id, Some("*")) {
            Ok(pattern) => pattern,
            Err(error) => {
                return Err(ApiError::InvalidQuery(format!(
                    "workspace_id={workspace_id:?}: {error}"
                )));
            }
        },
    };
    let channels = blocking(move || gateway.channels(&pattern)).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(Channels { channels })))
}

/// `GET /admin/logs/stats`.
pub(super) async fn stats(State(gateway): State<Gateway>, _: Admin) -> Result<impl IntoResponse, ApiError> {
    let stats = blocking(move || gateway.stats()).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(stats)))
}

/// `GET /metrics`.
pub(super) async fn metrics(State(gateway): State<Gateway>, _: Admin) -> Result<impl IntoResponse, ApiError> {
    let text = gateway.figures().to_text().map_err(|_| ApiError::Internal)?;
    let headers = [
        (header::CONTENT_TYPE, OPEN_METRICS_TYPE),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, text))
}
