//! What is taken from a request, or refused.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
};

use axum::{
    body::Bytes,
    extract::{ConnectInfo, FromRequest, FromRequestParts, Path, Request},
    http::{
        HeaderMap, HeaderValue,
        header::{self, AsHeaderName},
        request::Parts,
    },
};
use http_body_util::BodyExt;
use logs_shared::{
    StreamChange, StreamQuery,
    api::{
        IDEMPOTENCY_KEY_HEADER, JSON_TYPE, LAST_EVENT_ID_HEADER, MAX_CHANGE_BYTES, NDJSON_TYPE,
        SERVICE_TOKEN_HEADER,
    },
    otlp::{Encoding, PROTOBUF_TYPE},
    publish::BodyKind,
};

use super::{ApiError, identity::origin, limits::TooSlow};
use crate::{
    access::{Grant, HashedToken},
    cause,
    engine::IdempotencyKey,
    gateway::Gateway,
    streams::UnknownStream,
};

/// A caller that may publish.
pub(super) struct Publisher {
    /// Where.
    pub(super) grant: Arc<Grant>,
    /// With what; `None` where none is needed.
    pub(super) token: Option<HashedToken>,
    /// The caller's name for this publication, where it may be repeated.
    pub(super) key: Option<IdempotencyKey>,
}

impl FromRequestParts<Gateway> for Publisher {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, ApiError> {
        Self::of(&parts.headers, gateway)
    }
}

impl Publisher {
    /// Who says so in these headers.
    pub(super) fn of(headers: &HeaderMap, gateway: &Gateway) -> Result<Self, ApiError> {
        let tokens = &gateway.config().service_tokens;
        if tokens.is_empty() {
            return Err(ApiError::PublishingNotConfigured);
        }
        let token = text(headers, SERVICE_TOKEN_HEADER).or_else(|| bearer(headers));
        let token = token.ok_or(ApiError::MissingToken(
            "send X-Service-Token or Authorization: Bearer",
        ))?;
        let token = HashedToken::new(token);
        let grant = tokens.grant_of(&token).ok_or(ApiError::InvalidToken)?;
        gateway.revoked().admits_token(&token)?;
        let key = idempotency_key(headers, &token)?;
        Ok(Self {
            grant,
            token: Some(token),
            key,
        })
    }
}

/// The longest idempotency key, in characters.
pub(super) const MAX_KEY_CHARS: usize = 255;

fn idempotency_key(headers: &HeaderMap, token: &HashedToken) -> Result<Option<IdempotencyKey>, ApiError> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY_HEADER).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let name = value
        .to_str()
        .map_err(|_| ApiError::InvalidIdempotencyKey)?
        .trim();
    // Of two keys neither can be meant, and who passes the request on may take the other one.
    let is_one = values.next().is_none() && !name.contains(|c: char| c.is_ascii_control());
    if !is_one || name.is_empty() || name.len() > MAX_KEY_CHARS {
        return Err(ApiError::InvalidIdempotencyKey);
    }
    Ok(Some(IdempotencyKey {
        owner: token.bytes(),
        name: name.to_owned(),
    }))
}

/// A caller that may see statistics and end streams.
pub(super) struct Admin {
    /// By what right: `token`, or `open` where nobody needs one.
    pub(super) right: &'static str,
    /// Where it is, as far as is known.
    pub(super) from: Option<IpAddr>,
}

impl Admin {
    /// Where it is, for the gateway's own log.
    pub(super) fn place(&self) -> String {
        self.from
            .map_or_else(|| "unknown".to_owned(), |from| from.to_string())
    }
}

impl FromRequestParts<Gateway> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, ApiError> {
        let admin = &gateway.config().admin;
        let token = bearer(&parts.headers);
        match token {
            _ if admin.allows(token) => Ok(Self {
                right: if admin.needs_token() { "token" } else { "open" },
                from: origin(parts, gateway),
            }),
            _ if !admin.is_configured() => Err(ApiError::AdminNotConfigured),
            None => Err(ApiError::MissingToken(
                "send Authorization: Bearer with the admin token",
            )),
            Some(_) => Err(ApiError::InvalidToken),
        }
    }
}

pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = text(headers, header::AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

pub(super) fn peer(parts: &Parts) -> Option<SocketAddr> {
    parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(peer)| *peer)
}

/// A header's value, where it is there and a text.
pub(super) fn text(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// What a reader asks for.
pub(super) struct Selection(pub(super) StreamQuery);

impl FromRequestParts<Gateway> for Selection {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Gateway) -> Result<Self, ApiError> {
        // A header that is no text is a cursor that cannot be read.
        let header = parts
            .headers
            .get(LAST_EVENT_ID_HEADER)
            .map(|value| value.to_str().unwrap_or("unreadable"));
        Ok(Self(StreamQuery::parse(
            parts.uri.query().unwrap_or_default(),
            header,
        )?))
    }
}

/// A whole body, unpacked, and how it is to be read.
pub(super) struct PublishBody {
    pub(super) bytes: Bytes,
    pub(super) kind: BodyKind,
}

impl FromRequest<Gateway> for PublishBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, gateway: &Gateway) -> Result<Self, ApiError> {
        let kind = Self::kind(request.headers())?;
        let bytes = body(request, gateway.config().max_body_bytes).await?;
        Ok(Self { bytes, kind })
    }
}

impl PublishBody {
    /// How a body with these headers is to be read.
    pub(super) fn kind(headers: &HeaderMap) -> Result<BodyKind, ApiError> {
        body_kind(headers).map_err(|kind| ApiError::UnsupportedMediaType {
            kind,
            taken: "application/json or application/x-ndjson",
        })
    }
}

/// The stream that a path names.
pub(super) struct StreamId(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for StreamId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        // What is no text is no id either.
        let path = Path::from_request_parts(parts, state).await;
        path.map(|Path(id)| Self(id)).map_err(|_| UnknownStream.into())
    }
}

/// A change of what a stream follows, and how it was written.
pub(super) struct Change {
    pub(super) change: StreamChange,
    pub(super) body: Bytes,
}

impl FromRequest<Gateway> for Change {
    type Rejection = ApiError;

    async fn from_request(request: Request, gateway: &Gateway) -> Result<Self, ApiError> {
        let limit = gateway.config().max_body_bytes.min(MAX_CHANGE_BYTES);
        let body = json_body(request, limit).await?;
        let change = StreamChange::parse(&body)?;
        Ok(Self { change, body })
    }
}

/// Names how a body is packed in small letters, as who unpacks it knows it: to senders both are the same (RFC 9110, section 8.4.1).
pub(super) async fn plain_coding(mut request: Request) -> Request {
    if let Some(coding) = request.headers_mut().get_mut(header::CONTENT_ENCODING)
        && let Ok(small) = HeaderValue::from_bytes(&coding.as_bytes().to_ascii_lowercase())
    {
        *coding = small;
    }
    request
}

/// A whole body of at most `limit` bytes, which says that it is JSON or nothing.
pub(super) async fn json_body(request: Request, limit: usize) -> Result<Bytes, ApiError> {
    let not_taken = |kind| ApiError::UnsupportedMediaType {
        kind,
        taken: JSON_TYPE,
    };
    if body_kind(request.headers()).map_err(not_taken)? != BodyKind::Json {
        return Err(not_taken(NDJSON_TYPE.to_owned()));
    }
    body(request, limit).await
}

/// A whole body of at most `limit` bytes.
pub(crate) async fn body(request: Request, limit: usize) -> Result<Bytes, ApiError> {
    whole(request.into_body(), limit).await
}

/// A whole body of at most `limit` bytes, as it comes.
pub(super) async fn whole<B>(body: B, limit: usize) -> Result<Bytes, ApiError>
where
    B: http_body::Body<Data = Bytes, Error: Into<axum::BoxError>>,
{
    // Who announces too much is told before it is sent, and before it is waited for.
    let announced = body.size_hint().lower();
    if usize::try_from(announced).map_or(true, |announced| announced > limit) {
        return Err(ApiError::BodyTooLarge(limit));
    }
    let mut body = pin!(body);
    let (mut first, mut more) = (Bytes::new(), Vec::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| unreadable(&*error.into()))?;
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > limit - first.len() - more.len() {
            return Err(ApiError::BodyTooLarge(limit));
        }
        // What comes at once, as most do, is not copied.
        if first.is_empty() {
            first = data;
        } else {
            more.extend_from_slice(&data);
        }
    }
    if more.is_empty() {
        return Ok(first);
    }
    Ok([&first[..], &more[..]].concat().into())
}

fn unreadable(error: &(dyn std::error::Error + 'static)) -> ApiError {
    if cause::chain(error).any(|cause| cause.is::<TooSlow>()) {
        ApiError::BodyTooSlow
    } else {
        ApiError::UnreadableBody(cause::innermost(error))
    }
}

/// How a body is to be read, or the kind that it is and that is not taken. Nothing said is JSON: what
/// `curl --data` would otherwise need a second flag for.
fn body_kind(headers: &HeaderMap) -> Result<BodyKind, String> {
    kind(headers, BodyKind::Json, |essence| match essence {
        JSON_TYPE => Some(BodyKind::Json),
        NDJSON_TYPE | "application/ndjson" | "application/jsonl" | "application/x-jsonlines" => {
            Some(BodyKind::Ndjson)
        }
        other if other.starts_with("application/") && other.ends_with("+json") => Some(BodyKind::Json),
        _ => None,
    })
}

/// How OTLP is written, or the kind that it is and that is not taken.
pub(super) fn otlp_encoding(headers: &HeaderMap) -> Result<Encoding, String> {
    kind(headers, Encoding::Json, |essence| match essence {
        JSON_TYPE => Some(Encoding::Json),
        PROTOBUF_TYPE => Some(Encoding::Protobuf),
        _ => None,
    })
}

/// What a body is by its media type, in small letters and without parameters; or what it says that it is, and that is not
/// taken. Where it says nothing it is `unsaid`.
fn kind<T>(headers: &HeaderMap, unsaid: T, known: impl FnOnce(&str) -> Option<T>) -> Result<T, String> {
    // What could be unpacked has lost this header on the way here.
    if let Some(encoding) = headers
        .get(header::CONTENT_ENCODING)
        .filter(|encoding| *encoding != "identity")
    {
        return Err(String::from_utf8_lossy(encoding.as_bytes()).into_owned());
    }
    let Some(content_type) = headers.get(header::CONTENT_TYPE) else {
        return Ok(unsaid);
    };
    let content_type = String::from_utf8_lossy(content_type.as_bytes());
    let essence = content_type.split(';').next().unwrap_or_default();
    known(&essence.trim().to_ascii_lowercase()).ok_or_else(|| content_type.into_owned())
}

/// The address that a request came from, where it came over a connection.
pub(super) struct Peer(pub(super) Option<SocketAddr>);

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(peer(parts)))
    }
}
