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
    publish::{BatchAnswer, EntryError, Publication, PublishAnswer},
};

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
) -> Result<Response, ApiError> {
    take(&gateway, publisher, body).await
}

/// The same, of a request that has come through nothing else.
pub(super) async fn directly<B>(gateway: &Gateway, request: Request<B>) -> Result<Response, ApiError>
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
    take(gateway, publisher, PublishBody { bytes, kind }).await
}

async fn take(gateway: &Gateway, publisher: Publisher, body: PublishBody) -> Result<Response, ApiError> {
    let Publisher { grant, token, key } = publisher;
    // A body may take its time, and this token have ended meanwhile.
    if let Some(token) = &token {
        gateway.revoked().admits_token(token)?;
    }
    let publication = Publication::parse(&body.bytes, body.kind, now())?;
    let named = key.map(|key| Named {
        key,
        content: hash(&body.bytes),
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

/// Stores a publication, and tells it as the gateway does to its own publishers.
pub(super) async fn store(
    gateway: &Gateway,
    grant: &Grant,
    token: Option<&HashedToken>,
    publication: Publication,
    named: Option<Named>,
) -> Result<Response, ApiError> {
    let Publication { entries, is_batch } = publication;
    let stored = append(gateway, grant, token, entries, named).await?;
    let Appended {
        first_id,
        last_id,
        subscribers,
        ..
    } = stored.appended;
    Ok(if is_batch {
        Json(BatchAnswer {
            success: true,
            accepted: stored.accepted,
            rejected: stored.rejected,
            first_id,
            last_id,
        })
        .into_response()
    } else {
        Json(PublishAnswer {
            success: true,
            id: first_id,
            channel: stored.channel,
            subscribers,
        })
        .into_response()
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
