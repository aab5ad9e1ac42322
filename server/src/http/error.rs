//! [`ApiError`]: every way a request can be refused.

use std::time::Duration;

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use logs_shared::{
    Problem,
    api::{JSON_TYPE, MAX_HEADER_BYTES, MAX_HEADERS, MAX_URI_BYTES, PROBLEM_TYPE},
    change::ChangeError,
    otlp::{Answer, Encoding, PROTOBUF_TYPE},
    problem::{Rejection, code, legible},
    publish::BodyError,
    query::QueryError,
};

use super::extract::MAX_KEY_CHARS;
use crate::{
    access::{Forbidden, IdentityError, JwtError, NoMore, TooManyPatterns},
    engine::{AppendError, StoreAway},
    gateway::{Gateway, NoHistory, NotOpened, NotRevoked},
    nodes::NoAnswer,
    streams::{NotChanged, Refused, UnknownStream},
};

/// Every way a request can be refused. What it says goes to the caller; it never holds a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// 400: what the reader asks for cannot be read.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// 400: a channel in the query that is none.
    #[error("{0}")]
    InvalidQuery(String),
    /// 400: of the body nothing can be told. 413 where it has too many records.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// 400: of a change of a stream nothing can be told.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// 400: the body ended early or is not what its content encoding says.
    #[error("the body cannot be read: {0}")]
    UnreadableBody(String),
    /// 400, 403 where all were forbidden, or 429 where all were of channels too many: not one record was accepted.
    #[error("no record was accepted: {}", .0.first().map_or("", |rejection| rejection.detail.as_str()))]
    AllRejected(Vec<Rejection>),
    /// 401: no token where one is needed.
    #[error("a token is needed: {0}")]
    MissingToken(&'static str),
    /// 401: a token the gateway does not know.
    #[error("the token is not one that this gateway knows")]
    InvalidToken,
    /// 401: a token that does not hold.
    #[error(transparent)]
    Jwt(#[from] JwtError),
    /// 401: what a proxy says of who reads is not enough.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// 401: what the caller holds was revoked. 503 where that is not known yet.
    #[error(transparent)]
    NoMore(#[from] NoMore),
    /// 403: a known caller that may not read this.
    #[error(transparent)]
    ForbiddenChannel(#[from] Forbidden),
    /// 400: what is asked for comes to too much.
    #[error(transparent)]
    TooManyPatterns(#[from] TooManyPatterns),
    /// 400: a body of a revocation that is none.
    #[error("{0}: it is {{\"user\":\"…\"}} or {{\"token\":\"…\"}}, and may have \"for_s\"")]
    InvalidRevocation(String),
    /// 503: a revocation that the disk does not take.
    #[error(
        "it holds from now on, but cannot be kept, so a restart would forget it: repeat it when the disk takes it"
    )]
    NotKept,
    /// 503: a revocation that Redis does not take.
    #[error(
        "Redis does not take it now: it holds on the gateway that you reached, which tells the others when Redis is back; \
         repeat it then to be sure"
    )]
    NotTold,
    /// 503: another gateway has the stream, and cannot be asked.
    #[error("{0}")]
    NotReached(NoAnswer),
    /// 503: the store is away.
    #[error(transparent)]
    StoreAway(#[from] StoreAway),
    /// 429: streams are opened too fast.
    #[error("you open streams faster than you may")]
    StreamRate(Duration),
    /// 429: records are published too fast.
    #[error("the token publishes faster than it may: {per_second} records a second, and no more at once")]
    PublishRate {
        /// What it may.
        per_second: u32,
        /// When it may again.
        retry_after: Duration,
    },
    /// 429: so many records at once never keep to the rate, and to send them again as they are is of no use.
    #[error("the token may publish {0} records a second, and no more at once: send fewer together")]
    BatchOverRate(u32),
    /// 401: nobody may read.
    #[error("reading is not configured on this gateway: its operator sets AUTH")]
    AuthNotConfigured,
    /// 401: nobody may publish.
    #[error("publishing is not configured on this gateway: its operator sets SERVICE_TOKENS")]
    PublishingNotConfigured,
    /// 401: nobody may administer.
    #[error("administration is not configured on this gateway: its operator sets ADMIN_TOKEN")]
    AdminNotConfigured,
    /// 404: no stream of the caller's is open under this id.
    #[error(transparent)]
    UnknownStream(#[from] UnknownStream),
    /// 404: nothing is here.
    #[error("nothing is at {0}")]
    NotFound(String),
    /// 405: not with this method.
    #[error("{path} does not take {method}")]
    MethodNotAllowed { path: String, method: String },
    /// 408: the body came too slowly.
    #[error("the body came too slowly, and what has come of it is dropped")]
    BodyTooSlow,
    /// 413: the body is too large.
    #[error("the body is larger than {0} bytes, the most this gateway takes at once")]
    BodyTooLarge(usize),
    /// 414: the address is too long.
    #[error("the path and query have {0} bytes; at most {MAX_URI_BYTES} are taken")]
    UriTooLong(usize),
    /// 431: the headers are too large, or too many.
    #[error("{count} headers with {bytes} bytes; at most {MAX_HEADERS} with {MAX_HEADER_BYTES} are taken")]
    HeadersTooLarge {
        /// How many there are.
        count: usize,
        /// The bytes of their names and values.
        bytes: usize,
    },
    /// 415: the body is of a kind that is not taken.
    #[error("{kind:?} is not taken here: send {taken}, plain or gzip")]
    UnsupportedMediaType {
        /// What was sent.
        kind: String,
        /// What may be.
        taken: &'static str,
    },
    /// 429, or 503 where it is the gateway's limit or it is stopping: too many streams.
    #[error(transparent)]
    Streams(#[from] Refused),
    /// 500: a mistake in the gateway itself; its log says more.
    #[error("the gateway failed to answer; this is a mistake in the gateway")]
    Internal,
    /// 400: an idempotency key that cannot be one.
    #[error("one Idempotency-Key of 1 to {MAX_KEY_CHARS} visible ASCII characters is taken")]
    InvalidIdempotencyKey,
    /// 422, 503 where the gateway is stopping or its store fails, 507 where the disk or Redis is full: nothing was acknowledged.
    #[error(transparent)]
    Append(#[from] AppendError),
}

/// When to come back after a refusal that will pass, where nothing better is known.
const RETRY_AFTER: Duration = Duration::from_secs(2);

impl From<NotOpened> for ApiError {
    fn from(error: NotOpened) -> Self {
        match error {
            NotOpened::Refused(refused) => refused.into(),
            NotOpened::TooManyPatterns(error) => error.into(),
            NotOpened::NoMore(error) => error.into(),
            NotOpened::Away(error) => error.into(),
        }
    }
}

impl From<NotChanged> for ApiError {
    fn from(error: NotChanged) -> Self {
        match error {
            NotChanged::Unknown(error) => error.into(),
            NotChanged::TooManyPatterns(error) => error.into(),
            NotChanged::NotReached(error) => Self::NotReached(error),
            NotChanged::Ended => Self::Internal,
        }
    }
}

impl From<NotRevoked> for ApiError {
    fn from(error: NotRevoked) -> Self {
        match error {
            NotRevoked::NotKept(error) => {
                tracing::error!(%error, "what an operator revoked cannot be kept: a restart forgets it");
                Self::NotKept
            }
            NotRevoked::NotTold => Self::NotTold,
            NotRevoked::Ended => Self::Internal,
        }
    }
}

impl From<NoHistory> for ApiError {
    fn from(error: NoHistory) -> Self {
        match error {
            NoHistory::Query(error) => error.into(),
            NoHistory::TooManyPatterns(error) => error.into(),
            NoHistory::Away(error) => error.into(),
        }
    }
}

impl ApiError {
    /// When to come back, where that helps.
    fn retry_after(&self, status: StatusCode) -> Option<Duration> {
        match self {
            Self::StreamRate(wait) => Some(*wait),
            Self::PublishRate { retry_after, .. } => Some(*retry_after),
            // The channels that a token has used make room after a day, not sooner.
            Self::AllRejected(_) => None,
            Self::BatchOverRate(_) => None,
            _ => match status {
                StatusCode::TOO_MANY_REQUESTS
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::INSUFFICIENT_STORAGE => Some(RETRY_AFTER),
                _ => None,
            },
        }
    }

    pub(crate) fn status_and_code(&self) -> (StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::Query(error) => (S::BAD_REQUEST, error.code()),
            Self::InvalidQuery(_) => (S::BAD_REQUEST, code::INVALID_QUERY),
            Self::Body(error @ (BodyError::TooManyRecords | BodyError::TooMuch)) => {
                (S::PAYLOAD_TOO_LARGE, error.code())
            }
            Self::Body(error) => (S::BAD_REQUEST, error.code()),
            Self::Change(error) => (S::BAD_REQUEST, error.code()),
            Self::UnreadableBody(_) => (S::BAD_REQUEST, code::INVALID_BODY),
            Self::AllRejected(rejected) => all_rejected(rejected),
            Self::MissingToken(_) => (S::UNAUTHORIZED, code::MISSING_TOKEN),
            Self::InvalidToken => (S::UNAUTHORIZED, code::INVALID_TOKEN),
            Self::Jwt(JwtError::Expired) => (S::UNAUTHORIZED, code::EXPIRED_TOKEN),
            Self::Jwt(JwtError::Unknown | JwtError::Invalid(_)) => (S::UNAUTHORIZED, code::INVALID_TOKEN),
            Self::Identity(IdentityError::Missing) => (S::UNAUTHORIZED, code::MISSING_IDENTITY),
            Self::Identity(IdentityError::Invalid(_)) => (S::UNAUTHORIZED, code::INVALID_IDENTITY),
            Self::NoMore(NoMore::Revoked) => (S::UNAUTHORIZED, code::REVOKED),
            Self::NoMore(NoMore::Unknown) => (S::SERVICE_UNAVAILABLE, code::STORAGE_FAILED),
            Self::ForbiddenChannel(_) => (S::FORBIDDEN, code::FORBIDDEN_CHANNEL),
            Self::TooManyPatterns(_) => (S::BAD_REQUEST, code::TOO_MANY_CHANNELS),
            Self::InvalidRevocation(_) => (S::BAD_REQUEST, code::INVALID_BODY),
            Self::StreamRate(_) => (S::TOO_MANY_REQUESTS, code::STREAM_RATE_EXCEEDED),
            Self::PublishRate { .. } => (S::TOO_MANY_REQUESTS, code::PUBLISH_RATE_EXCEEDED),
            Self::BatchOverRate(_) => (S::TOO_MANY_REQUESTS, code::BATCH_OVER_RATE),
            Self::AuthNotConfigured => (S::UNAUTHORIZED, code::AUTH_NOT_CONFIGURED),
            Self::PublishingNotConfigured => (S::UNAUTHORIZED, code::PUBLISHING_NOT_CONFIGURED),
            Self::AdminNotConfigured => (S::UNAUTHORIZED, code::ADMIN_NOT_CONFIGURED),
            Self::UnknownStream(_) => (S::NOT_FOUND, code::UNKNOWN_STREAM),
            Self::NotFound(_) => (S::NOT_FOUND, code::NOT_FOUND),
            Self::MethodNotAllowed { .. } => (S::METHOD_NOT_ALLOWED, code::METHOD_NOT_ALLOWED),
            Self::BodyTooSlow => (S::REQUEST_TIMEOUT, code::BODY_TOO_SLOW),
            Self::UriTooLong(_) => (S::URI_TOO_LONG, code::URI_TOO_LONG),
            Self::HeadersTooLarge { .. } => (S::REQUEST_HEADER_FIELDS_TOO_LARGE, code::HEADERS_TOO_LARGE),
            Self::BodyTooLarge(_) => (S::PAYLOAD_TOO_LARGE, code::BODY_TOO_LARGE),
            Self::UnsupportedMediaType { .. } => (S::UNSUPPORTED_MEDIA_TYPE, code::UNSUPPORTED_MEDIA_TYPE),
            Self::Internal => (S::INTERNAL_SERVER_ERROR, code::INTERNAL),
            Self::Streams(Refused::PerOwner(_)) => (S::TOO_MANY_REQUESTS, code::TOO_MANY_STREAMS_PER_USER),
            Self::Streams(Refused::PerAddress(_)) => {
                (S::TOO_MANY_REQUESTS, code::TOO_MANY_STREAMS_PER_ADDRESS)
            }
            Self::Streams(Refused::Total(_)) => (S::SERVICE_UNAVAILABLE, code::TOO_MANY_STREAMS),
            Self::InvalidIdempotencyKey => (S::BAD_REQUEST, code::INVALID_IDEMPOTENCY_KEY),
            Self::Append(AppendError::KeyReused) => (S::UNPROCESSABLE_ENTITY, code::IDEMPOTENCY_KEY_REUSED),
            Self::Append(AppendError::Full) => (S::INSUFFICIENT_STORAGE, code::STORAGE_FULL),
            Self::NotReached(NoAnswer::Gone) => (S::NOT_FOUND, code::UNKNOWN_STREAM),
            Self::NotReached(NoAnswer::Silent) => (S::SERVICE_UNAVAILABLE, code::GATEWAY_SILENT),
            Self::NotReached(NoAnswer::Away)
            | Self::NotTold
            | Self::NotKept
            | Self::StoreAway(_)
            | Self::Append(AppendError::Failed | AppendError::Away) => {
                (S::SERVICE_UNAVAILABLE, code::STORAGE_FAILED)
            }
            Self::Streams(Refused::Stopping) | Self::Append(AppendError::Closed) => {
                (S::SERVICE_UNAVAILABLE, code::SHUTTING_DOWN)
            }
        }
    }
}

/// The code of the first; forbidden, or too many, only where all were.
fn all_rejected(rejected: &[Rejection]) -> (StatusCode, &'static str) {
    let all_are = |code| rejected.iter().all(|rejection| rejection.code == code);
    if all_are(code::FORBIDDEN_CHANNEL) {
        return (StatusCode::FORBIDDEN, code::FORBIDDEN_CHANNEL);
    }
    if all_are(code::TOO_MANY_TOKEN_CHANNELS) {
        return (StatusCode::TOO_MANY_REQUESTS, code::TOO_MANY_TOKEN_CHANNELS);
    }
    let first = rejected.iter().find_map(|rejection| code::known(&rejection.code));
    (StatusCode::BAD_REQUEST, first.unwrap_or(code::INVALID_BODY))
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = self.status_and_code();
        self.answer_with(status, code, |detail, error| {
            let rejected = match error {
                Self::AllRejected(rejected) => rejected,
                _ => Vec::new(),
            };
            let problem = Problem {
                status: status.as_u16(),
                title: status.canonical_reason().unwrap_or_default().to_owned(),
                success: false,
                code: code.to_owned(),
                detail,
                rejected,
            };
            (
                [(header::CONTENT_TYPE, PROBLEM_TYPE)],
                Json(problem).into_response(),
            )
                .into_response()
        })
    }
}

impl ApiError {
    /// The answer with this status, whose body `write` makes of the sentence.
    fn answer_with(
        self,
        status: StatusCode,
        code: &'static str,
        write: impl FnOnce(String, Self) -> Response,
    ) -> Response {
        let (detail, retry_after) = (legible(&self.to_string()), self.retry_after(status));
        // What names a path that nobody routed has in it whatever was sent, the id of a stream too.
        let names_path = matches!(self, Self::NotFound(_) | Self::MethodNotAllowed { .. });
        let told = if names_path { "" } else { detail.as_str() };
        tracing::debug!(status = status.as_u16(), code, detail = told, "refused");
        let mut response = write(detail, self);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110, section 15.5.2: a 401 says how to authenticate.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(wait) = retry_after {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, seconds.max(1).into());
        }
        response.extensions_mut().insert(RefusedWith(code));
        response
    }

    /// The answer to who speaks OTLP, who tries again with 429, 502, 503 and 504 and with nothing else, and does so with the
    /// same records.
    pub(super) fn into_otlp(self, encoding: Encoding) -> Response {
        use StatusCode as S;
        let (status, code) = self.status_and_code();
        let status = match (&self, status) {
            (Self::BatchOverRate(_), _) => S::PAYLOAD_TOO_LARGE,
            (Self::AllRejected(_), S::TOO_MANY_REQUESTS) => S::FORBIDDEN,
            (_, S::INSUFFICIENT_STORAGE | S::REQUEST_TIMEOUT) => S::SERVICE_UNAVAILABLE,
            (_, status) => status,
        };
        self.answer_with(status, code, |detail, _| {
            let refused = Answer::Refused {
                code: grpc_code(status),
                message: format!("{detail} ({code})"),
            };
            otlp(&refused, encoding)
        })
    }
}

/// An answer of OTLP's, as its sender encodes.
pub(super) fn otlp(answer: &Answer, encoding: Encoding) -> Response {
    let content_type = match encoding {
        Encoding::Protobuf => PROTOBUF_TYPE,
        Encoding::Json => JSON_TYPE,
    };
    ([(header::CONTENT_TYPE, content_type)], answer.encode(encoding)).into_response()
}

/// The code of `google.rpc.Code` that says about the same.
fn grpc_code(status: StatusCode) -> u8 {
    match status {
        StatusCode::UNAUTHORIZED => 16,
        StatusCode::FORBIDDEN => 7,
        StatusCode::TOO_MANY_REQUESTS => 8,
        StatusCode::SERVICE_UNAVAILABLE => 14,
        status if status.is_server_error() => 13,
        _ => 3,
    }
}

/// Which refusal a response is, for who counts them.
#[derive(Clone, Copy)]
struct RefusedWith(&'static str);

/// Counts a response that is a refusal.
pub(super) async fn count(State(gateway): State<Gateway>, response: Response) -> Response {
    count_refusal(&gateway, &response);
    response
}

/// Counts a response, where it is a refusal.
pub(super) fn count_refusal(gateway: &Gateway, response: &Response) {
    if let Some(RefusedWith(code)) = response.extensions().get() {
        gateway.rejections().count(code);
    }
}

pub(crate) async fn not_found(request: Request) -> ApiError {
    ApiError::NotFound(request.uri().path().to_owned())
}

pub(crate) async fn method_not_allowed(request: Request) -> ApiError {
    ApiError::MethodNotAllowed {
        path: request.uri().path().to_owned(),
        method: request.method().to_string(),
    }
}
