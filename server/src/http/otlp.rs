//! `POST /v1/logs`: publishing by OTLP/HTTP (OpenTelemetry protocol 1.x).

use axum::{
    extract::{FromRequestParts, Request, State},
    response::{IntoResponse, Response},
};
use logs_shared::{
    otlp::{self, Answer, Encoding},
    problem::{Rejection, legible},
};

use super::{
    ApiError,
    error::otlp as answer,
    extract::{Publisher, body, otlp_encoding},
    publish::append,
};
use crate::gateway::{Gateway, now};

/// Stores what is accepted of an `ExportLogsServiceRequest`. Told is what OTLP has words for, in the encoding of the request.
pub(super) async fn logs(State(gateway): State<Gateway>, request: Request) -> Response {
    let encoding = otlp_encoding(request.headers());
    match (export(&gateway, encoding.clone(), request).await, encoding) {
        (Ok(rejected), Ok(encoding)) => answer(&stored(&rejected), encoding),
        (Err(error), Ok(encoding)) => error.into_otlp(encoding),
        // There is no encoding to answer in.
        (Err(error), Err(_)) => error.into_response(),
        (Ok(_), Err(_)) => ApiError::Internal.into_response(),
    }
}

/// What is not stored of it.
///
/// # Errors
/// Nothing is stored.
async fn export(
    gateway: &Gateway,
    encoding: Result<Encoding, String>,
    request: Request,
) -> Result<Vec<Rejection>, ApiError> {
    let (mut parts, sent) = request.into_parts();
    // A key would be the same with every request of a sender: OTLP has no header that changes.
    let Publisher { grant, token, .. } = Publisher::from_request_parts(&mut parts, gateway).await?;
    let encoding = encoding.map_err(|kind| ApiError::UnsupportedMediaType {
        kind,
        taken: "application/x-protobuf or application/json",
    })?;
    let request = Request::from_parts(parts, sent);
    let bytes = body(request, gateway.config().max_body_bytes).await?;
    // A body may take its time, and this token have ended meanwhile.
    if let Some(token) = &token {
        gateway.revoked().admits_token(token)?;
    }
    let entries = otlp::parse(&bytes, encoding, &gateway.config().otlp, now())?;
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let stored = append(gateway, &grant, token.as_ref(), entries, None).await?;
    Ok(stored.rejected)
}

/// How many reasons are told: they go into one sentence of somebody's log.
const REASONS: usize = 3;

fn stored(rejected: &[Rejection]) -> Answer {
    let mut told: Vec<&Rejection> = Vec::new();
    for rejection in rejected {
        if told.len() < REASONS && told.iter().all(|known| known.detail != rejection.detail) {
            told.push(rejection);
        }
    }
    let reasons: Vec<_> = told
        .iter()
        .map(|rejection| {
            format!(
                "record {}: {} ({})",
                rejection.index, rejection.detail, rejection.code
            )
        })
        .collect();
    Answer::Stored {
        rejected: rejected.len(),
        message: legible(&reasons.join("; ")),
    }
}
