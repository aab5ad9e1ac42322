//! `POST /api/logs/publish`.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use logs_shared::{
    LogEntry,
    problem::{Rejection, code},
    publish::{BatchAnswer, Publication, PublishAnswer},
};

use super::{
    ApiError,
    extract::{PublishBody, Publisher},
};
use crate::{
    access::{self, Grant},
    engine::Named,
    gateway::{Gateway, now},
};

/// Stores what is accepted of a publication, and tells what is not.
pub(super) async fn publish(
    State(gateway): State<Gateway>,
    Publisher { grant, key }: Publisher,
    body: PublishBody,
) -> Result<Response, ApiError> {
    let publication = Publication::parse(&body.bytes, body.kind, now())?;
    let named = key.map(|key| Named {
        key,
        content: access::hash(&body.bytes),
    });
    store(&gateway, &grant, publication, named).await
}

/// Stores the entries that can be read and that the grant covers.
pub(super) async fn store(
    gateway: &Gateway,
    grant: &Grant,
    publication: Publication,
    named: Option<Named>,
) -> Result<Response, ApiError> {
    let Publication { entries, is_batch } = publication;
    let mut accepted: Vec<LogEntry> = Vec::with_capacity(entries.len());
    let mut rejected = Vec::new();
    for (index, entry) in entries.into_iter().enumerate() {
        match entry {
            Ok(entry) if grant.covers(&entry.channel) => accepted.push(entry),
            Ok(entry) => {
                let detail = format!("the token may not publish to {}", entry.channel);
                rejected.push(Rejection::new(index, code::FORBIDDEN_CHANNEL, &detail));
            }
            Err(error) => rejected.push(Rejection::new(index, error.code(), &error.to_string())),
        }
    }
    let Some(channel) = accepted.first().map(|entry| entry.channel.clone()) else {
        return Err(ApiError::AllRejected(rejected));
    };
    let count = accepted.len();
    let appended = gateway.publish(accepted, named).await?;
    // Where all are refused the answer is a refusal, and counted as such.
    let codes = rejected
        .iter()
        .filter_map(|rejection| code::known(&rejection.code));
    gateway.rejections().count_each(codes);
    Ok(if is_batch {
        let (first_id, last_id) = (appended.first_id, appended.last_id);
        Json(BatchAnswer {
            success: true,
            accepted: count,
            rejected,
            first_id,
            last_id,
        })
        .into_response()
    } else {
        let (id, subscribers) = (appended.first_id, appended.subscribers);
        Json(PublishAnswer {
            success: true,
            id,
            channel,
            subscribers,
        })
        .into_response()
    })
}
