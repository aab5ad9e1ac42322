//! `/admin/logs` and `/metrics`: what the gateway is doing, and ends that an operator makes.

use axum::{
    Json,
    extract::{FromRequest, Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, header},
    response::IntoResponse,
};
use serde::Deserialize;
use serde_json::json;

use super::{
    ApiError, blocking,
    extract::{Admin, StreamId, json_body, text},
};
use crate::{access::Revocation, engine::now_ms, gateway::Gateway, metrics::Format};

const NO_STORE: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

#[derive(Deserialize)]
pub(super) struct StatsQuery {
    /// How many rows there are at most, of channels and of streams each.
    rows: Option<usize>,
}

/// Rows of channels and of streams, where it is not said how many: who watches asks every few seconds, and 20,000 streams and
/// 200,000 channels are 50 MB.
const ROWS: usize = 1_000;

/// `GET /admin/logs/stats`.
pub(super) async fn stats(
    State(gateway): State<Gateway>,
    _: Admin,
    query: Result<Query<StatsQuery>, QueryRejection>,
) -> Result<impl IntoResponse, ApiError> {
    let Query(StatsQuery { rows }) =
        query.map_err(|rejection| ApiError::InvalidQuery(rejection.body_text()))?;
    let stats = gateway.stats_everywhere(rows.unwrap_or(ROWS)).await;
    let stats = stats.ok_or(ApiError::Internal)?;
    Ok((NO_STORE, Json(stats)))
}

/// `GET /metrics`, in the format that is asked for.
pub(super) async fn metrics(
    State(gateway): State<Gateway>,
    _: Admin,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    let format = Format::accepted(text(&headers, header::ACCEPT));
    let figures = blocking(move || gateway.figures().to_text(format)).await?;
    let figures = figures.map_err(|_| ApiError::Internal)?;
    Ok((
        NO_STORE,
        [
            (header::CONTENT_TYPE, format.media_type()),
            (header::VARY, "accept"),
        ],
        figures,
    ))
}

/// `POST /admin/logs/streams/{id}/close`: ends a stream, whose reader may come back.
pub(super) async fn close(
    State(gateway): State<Gateway>,
    admin: Admin,
    StreamId(name): StreamId,
) -> Result<impl IntoResponse, ApiError> {
    gateway.close_stream(name).await?;
    tracing::info!(
        right = admin.right,
        from = admin.place(),
        "an operator closed a stream"
    );
    Ok((NO_STORE, Json(json!({ "success": true, "closed": 1 }))))
}

/// Whose rights end.
pub(super) struct Revoke {
    pub(super) what: Revocation,
    /// For how many seconds; `None` for as long as it takes.
    pub(super) for_s: Option<u64>,
}

/// The largest body of a revocation, in bytes.
const MAX_REVOKE_BYTES: usize = 64 * 1024;

impl FromRequest<Gateway> for Revoke {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &Gateway) -> Result<Self, ApiError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Body {
            user: Option<String>,
            token: Option<String>,
            for_s: Option<u64>,
        }
        let bytes = json_body(request, MAX_REVOKE_BYTES).await?;
        // What is wrong is not quoted: a token may be in it.
        let body: Body = serde_json::from_slice(&bytes).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            ApiError::InvalidRevocation(format!("the body is wrong at line {line}, column {column}"))
        })?;
        let what = match (body.user, body.token) {
            (Some(user), None) if !user.is_empty() => Revocation::User(user),
            (None, Some(token)) if !token.is_empty() => Revocation::token(&token),
            _ => {
                let error = "name either a user or a token, and one of them only";
                return Err(ApiError::InvalidRevocation(error.to_owned()));
            }
        };
        Ok(Self {
            what,
            for_s: body.for_s,
        })
    }
}

/// What a user holds counts no more for so long, unless said otherwise: longer than logins usually do.
const USER_FOR_S: u64 = 7 * 24 * 3600;
/// Until nobody counts any more: a token does not say when a service would end to use it.
const TOKEN_FOR_S: u64 = 100 * 365 * 24 * 3600;

/// `POST /admin/logs/revoke`: ends what a user or a token may, now and until some time.
pub(super) async fn revoke(
    State(gateway): State<Gateway>,
    admin: Admin,
    Revoke { what, for_s }: Revoke,
) -> Result<impl IntoResponse, ApiError> {
    let usual = match what {
        Revocation::User(_) => USER_FOR_S,
        Revocation::Token(_) => TOKEN_FOR_S,
    };
    let for_ms = for_s.unwrap_or(usual).min(TOKEN_FOR_S) * 1_000;
    let closed = gateway.revoke(what, now_ms() + for_ms).await?;
    let (right, from) = (admin.right, admin.place());
    tracing::info!(
        closed,
        for_ms,
        right,
        from,
        "an operator revoked what a user or a token may"
    );
    Ok((
        NO_STORE,
        Json(json!({ "success": true, "closed": closed, "for_s": for_ms / 1_000 })),
    ))
}
