//! `GET /api/logs/history`.

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Uri, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use logs_shared::{
    HistoryQuery,
    api::{JSON_TYPE, NDJSON_TYPE},
};
use serde_json::json;

use super::{ApiError, blocking};
use crate::{access::ReaderIdentity, engine::StoreAway, gateway::Gateway, history::History};

/// Gives a page of the past: JSON, or one record a line where the caller accepts NDJSON.
pub(super) async fn history(
    State(gateway): State<Gateway>,
    reader: ReaderIdentity,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let query = HistoryQuery::parse(uri.query().unwrap_or_default())?;
    reader.sees_all(&query.channels)?;
    let looking = gateway.clone();
    let history = if gateway.is_shared() {
        let begun = blocking(move || looking.begin_history(query, &reader.scope)).await??;
        gateway.fresh().await?;
        let looking = gateway.clone();
        looking_back(&gateway, move || looking.history(begun)).await??
    } else {
        let look = move || looking.history(looking.begin_history(query, &reader.scope)?);
        looking_back(&gateway, look).await??
    };
    let no_store = (header::CACHE_CONTROL, "no-store");
    Ok(if accepts_ndjson(&headers) {
        (
            [(header::CONTENT_TYPE, NDJSON_TYPE), no_store],
            lines(gateway, history),
        )
            .into_response()
    } else {
        (
            [(header::CONTENT_TYPE, JSON_TYPE), no_store],
            looking_back(&gateway, move || page(history)).await??,
        )
            .into_response()
    })
}

/// Looks through the past where nobody else waits for it, few at a time: a search is not cut short when nobody waits
/// for it any more, and all together must leave room for readers that catch up.
pub(super) async fn looking_back<T: Send + 'static>(
    gateway: &Gateway,
    look: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    let permit = gateway.look_back().await;
    blocking(move || {
        let _permit = permit;
        look()
    })
    .await
}

fn accepts_ndjson(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case(NDJSON_TYPE)
    })
}

/// A page as one JSON object.
fn page(mut history: History) -> Result<String, StoreAway> {
    let mut json = String::from("{\"records\":[");
    let (mut first_id, mut last_id) = (None, None);
    while let Some(portion) = history.next_portion() {
        for record in portion {
            if first_id.is_some() {
                json.push(',');
            }
            first_id = first_id.or(Some(record.id));
            last_id = Some(record.id);
            json.push_str(&record.json);
        }
    }
    if history.is_cut() {
        return Err(StoreAway);
    }
    let rest =
        json!({ "has_more": history.has_more(), "first_id": first_id, "last_id": last_id }).to_string();
    json.push_str("],\"gaps\":[");
    json.push_str(&history.gaps().join(","));
    json.push_str("],");
    json.push_str(&rest[1..]);
    Ok(json)
}

/// A record a line, made as the connection takes them: however many there are, few are in memory.
fn lines(gateway: Gateway, history: History) -> Body {
    Body::from_stream(stream::unfold(
        (gateway, history),
        |(gateway, mut history)| async {
            let looking = gateway.clone();
            let portion = looking_back(&looking, move || {
                // A search may look at much before it finds something.
                loop {
                    let Some(portion) = history.next_portion() else {
                        // What is cut short is not to look like the end.
                        return history.is_cut().then(|| (Err(StoreAway), (gateway, history)));
                    };
                    if !portion.is_empty() {
                        let lines: String = portion.into_iter().map(|record| record.json + "\n").collect();
                        return Some((Ok(Bytes::from(lines)), (gateway, history)));
                    }
                }
            });
            portion.await.ok().flatten()
        },
    ))
}
