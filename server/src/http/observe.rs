//! What the gateway says about itself.

use axum::{
    Json,
    extract::{Query, State},
    http::{StatusCode, header},
    response::IntoResponse,
};
use logs_shared::{ChannelPattern, overview::Channels};
use serde::Deserialize;

use super::{ApiError, history::looking_back};
use crate::{access::ReaderIdentity, gateway::Gateway};

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
    reader: ReaderIdentity,
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
    // Who may see no channel at all is told with a list that is empty: nothing was named.
    if pattern != ChannelPattern::everything() {
        reader.sees_all(std::slice::from_ref(&pattern))?;
    }
    let looking = gateway.clone();
    // As many at once as may be: while Redis does not answer, all the others are not to wait for these.
    let look = move || looking.channels(&pattern, &reader.scope);
    let mut channels = looking_back(&gateway, look).await??;
    gateway.count_readers(&mut channels).await;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(Channels { channels })))
}
