//! `POST /api/logs/publish`.

use std::{collections::HashSet, num::NonZeroU32};

use axum::{
    Json,
    extract::State,
    http::Request,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http_body::Body;
use logs_shared::{
    Channel, LogEntry,
    problem::{Rejection, code},
    publish::{BatchAnswer, BodyKind, EntryError, Publication, PublishAnswer},
};
use serde::Serialize;

use super::{
    ApiError,
    extract::{PublishBody, Publisher, whole},
    limits::PacedBody,
};
use crate::{
    access::{Grant, HashedToken, hash},
    engine::{Appended, Named},
    gateway::{Gateway, now},
};

/// Stores what is accepted of a publication, and tells what is not.
pub(super) async fn publish(
    State(gateway): State<Gateway>,
    publisher: Publisher,
    body: PublishBody,
) -> Result<Told, ApiError> {
    take(&gateway, publisher, &body.bytes, body.kind).await
}

/// The same, of a request that has come through nothing else.
pub(super) async fn directly<B>(gateway: &Gateway, request: Request<B>) -> Result<Told, ApiError>
where
    B: Body<Data = Bytes, Error: Into<axum::BoxError>> + Unpin,
{
    let publisher = Publisher::of(request.headers(), gateway)?;
    let kind = PublishBody::kind(request.headers())?;
    let bytes = whole(
        PacedBody::new(request.into_body()),
        gateway.config().max_body_bytes,
    )
    .await?;
    take(gateway, publisher, &bytes, kind).await
}

/// Stores what is accepted of a whole body.
pub(super) async fn take(
    gateway: &Gateway,
    publisher: Publisher,
    body: &[u8],
    kind: BodyKind,
) -> Result<Told, ApiError> {
    let Publisher { grant, token, key } = publisher;
    // A body may take its time, and this token have ended meanwhile.
    if let Some(token) = &token {
        gateway.revoked().admits_token(token)?;
    }
    let publication = Publication::parse(body, kind, now())?;
    let named = key.map(|key| Named {
        key,
        content: hash(body),
    });
    store(gateway, &grant, token.as_ref(), publication, named).await
}

/// What became of a publication of which at least one record is stored.
pub(super) struct Stored {
    /// Where the first of them went.
    channel: Channel,
    /// How many of them there are.
    accepted: usize,
    /// The others, in the order they were sent.
    pub(super) rejected: Vec<Rejection>,
    appended: Appended,
}

/// What is told to who published, as JSON.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Told {
    One(PublishAnswer),
    Batch(BatchAnswer),
}

impl Told {
    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut json = Vec::with_capacity(192);
        // Of texts and numbers there is nothing that JSON has no words for.
        let _ = serde_json::to_writer(&mut json, self);
        json
    }
}

impl IntoResponse for Told {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

/// Stores a publication, and tells it as the gateway does to its own publishers.
pub(super) async fn store(
    gateway: &Gateway,
    grant: &Grant,
    token: Option<&HashedToken>,
    publication: Publication,
    named: Option<Named>,
) -> Result<Told, ApiError> {
    let Publication { entries, is_batch } = publication;
    let stored = append(gateway, grant, token, entries, named).await?;
    let Appended {
        first_id,
        last_id,
        subscribers,
        ..
    } = stored.appended;
    Ok(if is_batch {
        Told::Batch(BatchAnswer {
            success: true,
            accepted: stored.accepted,
            rejected: stored.rejected,
            first_id,
            last_id,
        })
    } else {
        Told::One(PublishAnswer {
            success: true,
            id: first_id,
            channel: stored.channel,
            subscribers,
        })
    })
}

/// Stores the entries that can be read, that the grant covers and that the token has a quota for.
///
/// # Errors
/// None of them is stored.
pub(super) async fn append(
    gateway: &Gateway,
    grant: &Grant,
    token: Option<&HashedToken>,
    entries: Vec<Result<LogEntry, EntryError>>,
    named: Option<Named>,
) -> Result<Stored, ApiError> {
    let mut accepted: Vec<(usize, LogEntry)> = Vec::with_capacity(entries.len());
    let mut rejected = Vec::new();
    for (index, entry) in entries.into_iter().enumerate() {
        match entry {
            Ok(entry) if grant.covers(&entry.channel) => accepted.push((index, entry)),
            Ok(entry) => {
                gateway.services().reject(Some(entry.channel.service()));
                let detail = format!("the token may not publish to {}", entry.channel);
                rejected.push(Rejection::new(index, code::FORBIDDEN_CHANNEL, &detail));
            }
            Err(error) => {
                gateway.services().reject(None);
                rejected.push(Rejection::new(index, error.code(), &error.to_string()));
            }
        }
    }
    if let Some(token) = token {
        refuse_channels(gateway, token, &mut accepted, &mut rejected);
    }
    let Some(channel) = accepted.first().map(|(_, entry)| entry.channel.clone()) else {
        return Err(ApiError::AllRejected(rejected));
    };
    let count = accepted.len();
    if let Some(token) = token {
        let per_second = gateway.config().publish_rate.map_or(0, NonZeroU32::get);
        if let Err(over) = gateway.quotas().publish(token, count) {
            for (_, entry) in &accepted {
                gateway.services().reject(Some(entry.channel.service()));
            }
            return Err(match over.retry_after() {
                Some(retry_after) => ApiError::PublishRate {
                    per_second,
                    retry_after,
                },
                None => ApiError::BatchOverRate(per_second),
            });
        }
    }
    let entries = accepted.into_iter().map(|(_, entry)| entry);
    let appended = gateway.publish(entries, named).await?;
    // Where all are refused the answer is a refusal, and counted as such.
    let codes = rejected
        .iter()
        .filter_map(|rejection| code::known(&rejection.code));
    gateway.rejections().count_each(codes);
    Ok(Stored {
        channel,
        accepted: count,
        rejected,
        appended,
    })
}

/// Moves the records of channels that the token may not use besides those it uses to what is rejected.
fn refuse_channels(
    gateway: &Gateway,
    token: &HashedToken,
    accepted: &mut Vec<(usize, LogEntry)>,
    rejected: &mut Vec<Rejection>,
) {
    let channels = accepted.iter().map(|(_, entry)| &entry.channel);
    let (refused, most) = gateway.quotas().refused_channels(token, channels);
    if refused.is_empty() {
        return;
    }
    let refused: HashSet<Channel> = refused.into_iter().cloned().collect();
    accepted.retain(|(index, entry)| {
        let is_refused = refused.contains(&entry.channel);
        if is_refused {
            let channel = &entry.channel;
            gateway.services().reject(Some(channel.service()));
            let detail = format!("{channel} would be one channel more than the {most} that a token may use");
            rejected.push(Rejection::new(*index, code::TOO_MANY_TOKEN_CHANNELS, &detail));
        }
        !is_refused
    });
    rejected.sort_by_key(|rejection| rejection.index);
}
