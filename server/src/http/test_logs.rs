//! `/test/logs`: publishing for trying out. No token, everything optional, off in production.

use axum::{
    extract::{FromRequestParts, State},
    http::{Uri, request::Parts},
    response::{IntoResponse, Response},
};
use logs_shared::{
    api::TEST_LOGS_PATH,
    publish::{BodyError, BodyKind, Publication},
};
use serde_json::{Map, Value, json};

use super::{
    ApiError,
    extract::PublishBody,
    publish::{Told, store},
};
use crate::{
    access::Grant,
    gateway::{Gateway, now},
};

/// There is such a path only where this is no production gateway.
pub(super) struct InDevelopment;

impl FromRequestParts<Gateway> for InDevelopment {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, ApiError> {
        if gateway.config().production {
            return Err(ApiError::NotFound(format!(
                "{} (it is off in production)",
                parts.uri.path()
            )));
        }
        Ok(Self)
    }
}

/// `POST /test/logs`, with a publication's body, part of one, or none.
pub(super) async fn post(
    _: InDevelopment,
    State(gateway): State<Gateway>,
    uri: Uri,
    body: PublishBody,
) -> Result<Response, ApiError> {
    let text = std::str::from_utf8(&body.bytes).unwrap_or_default();
    if text.trim().is_empty() {
        return made_up(&gateway, uri.query().unwrap_or_default()).await;
    }
    // What is whole needs nothing added, and is taken as publishing takes it.
    let mut publication = Publication::parse(&body.bytes, body.kind, now());
    let is_incomplete = match &publication {
        Ok(publication) => publication.entries.iter().any(Result::is_err),
        Err(error) => matches!(error, BodyError::Empty),
    };
    if is_incomplete
        && body.kind == BodyKind::Json
        && let Ok(mut value) = serde_json::from_str::<Value>(text)
    {
        match &mut value {
            Value::Array(items) => items.iter_mut().for_each(complete),
            item => complete(item),
        }
        publication = Publication::parse(value.to_string().as_bytes(), BodyKind::Json, now());
    }
    store(&gateway, &Grant::everything(), None, publication?, None)
        .await
        .map(Told::into_response)
}

/// `GET /test/logs`, with a publication's parts in the query, or none.
pub(super) async fn get(
    _: InDevelopment,
    State(gateway): State<Gateway>,
    uri: Uri,
) -> Result<Response, ApiError> {
    made_up(&gateway, uri.query().unwrap_or_default()).await
}

async fn made_up(gateway: &Gateway, query: &str) -> Result<Response, ApiError> {
    let mut item = Map::new();
    let mut log_data = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let target = match &*name {
            "service" | "workspace_id" | "workflow_id" | "resource_id" | "function_id" | "channel" => {
                &mut item
            }
            _ => &mut log_data,
        };
        target.insert(name.into_owned(), value.into_owned().into());
    }
    if !log_data.is_empty() {
        item.insert("logData".to_owned(), log_data.into());
    }
    let mut item = Value::Object(item);
    complete(&mut item);
    let publication = Publication::parse(item.to_string().as_bytes(), BodyKind::Json, now())?;
    store(gateway, &Grant::everything(), None, publication, None)
        .await
        .map(Told::into_response)
}

/// Adds what a publication lacks.
fn complete(item: &mut Value) {
    let Value::Object(item) = item else { return };
    if !item.contains_key("channel") {
        let is_bare = !item.contains_key("service") && !item.contains_key("workspace_id");
        item.entry("service").or_insert_with(|| "etl".into());
        item.entry("workspace_id")
            .or_insert_with(|| "workspace123".into());
        if is_bare
            && !["resource_id", "function_id"]
                .iter()
                .any(|name| item.contains_key(*name))
        {
            item.entry("workflow_id").or_insert_with(|| "workflow456".into());
        }
    }
    let log_data = item.entry("logData").or_insert_with(|| json!({}));
    if let Value::Object(log_data) = log_data {
        log_data
            .entry("message")
            .or_insert_with(|| "Test log from the gateway".into());
        log_data.entry("source").or_insert_with(|| TEST_LOGS_PATH.into());
    }
}
