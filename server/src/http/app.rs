//! [`App`]: what answers the requests that come over connections.

use std::{sync::Arc, time::Instant};

use axum::{
    Json, Router,
    body::Body,
    http::{HeaderMap, Method, Request, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::FutureExt;
use http_body::Body as HttpBody;
use http_body_util::{BodyExt, Collected};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use logs_shared::{api, publish::BodyKind};
use tracing::Instrument as _;

use super::{
    ApiError, app, cors, error,
    extract::{PublishBody, Publisher},
    headers::protect,
    limits, publish,
};
use crate::gateway::Gateway;

/// What answers the requests that come over connections. A cheap handle: clones share it.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

struct Inner {
    router: TowerToHyperService<Router>,
    publishing: Option<Publishing>,
}

/// Publications by the shortest way. They are most of what a gateway is asked, and what is around the router costs more than
/// to store a record: it is done here in a few calls, and says the same.
struct Publishing {
    gateway: Gateway,
    /// What every answer has that nobody asked for from another origin.
    headers: HeaderMap,
    /// The head of an answer to what was stored.
    stored: Bytes,
}

impl App {
    /// The gateway.
    pub(crate) fn new(gateway: Gateway) -> Self {
        Self(Arc::new(Inner {
            router: TowerToHyperService::new(app(gateway.clone())),
            publishing: Publishing::new(gateway),
        }))
    }

    /// Another service.
    pub(crate) fn of(router: Router) -> Self {
        Self(Arc::new(Inner {
            router: TowerToHyperService::new(router),
            publishing: None,
        }))
    }

    pub(crate) async fn answer<B>(&self, request: Request<B>) -> Response
    where
        B: HttpBody<Data = Bytes, Error: Into<axum::BoxError>> + Send + Unpin + 'static,
    {
        if let Some(publishing) = &self.0.publishing
            && Publishing::takes(&request)
        {
            return publishing.answer(request).await;
        }
        match self.0.router.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// Somebody who may publish, and how what is sent is to be read.
pub(crate) struct Sender {
    publisher: Publisher,
    kind: BodyKind,
}

/// The answer to a publication: the lines of its head but for those that the connection writes, and its body.
pub(crate) struct Publication {
    pub(crate) head: Bytes,
    pub(crate) body: Bytes,
}

impl App {
    /// Who sends a body of this length with these headers; `None` where there is something to refuse, or nobody to ask.
    pub(crate) fn sender(&self, headers: &HeaderMap, body_len: usize) -> Option<Sender> {
        let gateway = &self.0.publishing.as_ref()?.gateway;
        let publisher = Publisher::of(headers, gateway).ok()?;
        let kind = PublishBody::kind(headers).ok()?;
        (body_len <= gateway.config().max_body_bytes).then_some(Sender { publisher, kind })
    }

    /// Stores what this sender has sent to this path, and says what became of it.
    pub(crate) async fn publication(&self, path: &'static str, sender: Sender, body: &[u8]) -> Publication {
        match &self.0.publishing {
            Some(publishing) => publishing.publication(path, sender, body).await,
            None => written(ApiError::Internal.into_response()),
        }
    }
}

impl Publishing {
    fn new(gateway: Gateway) -> Option<Self> {
        // What CORS says to who has no origin is always the same, so it is asked once.
        let nothing = Router::new().fallback(async || {});
        let around = nothing.layer(cors(gateway.config().allowed_origins.clone()));
        let request = Request::post(api::PUBLISH_PATH).body(Body::empty()).ok()?;
        let Ok(mut response) = TowerToHyperService::new(around).call(request).now_or_never()?;
        response.headers_mut().remove(header::CONTENT_LENGTH);
        let headers = protect(response).now_or_never()?.headers().clone();
        let stored = Json(()).into_response();
        let stored = written(with_all(stored, &headers)).head;
        Some(Self {
            gateway,
            headers,
            stored,
        })
    }

    /// Whether a request is one that needs nothing but to be published.
    fn takes<B>(request: &Request<B>) -> bool {
        let (path, headers) = (request.uri().path(), request.headers());
        request.method() == Method::POST
            && (path == api::PUBLISH_PATH || path == api::STREAM_ALIAS_PATH)
            && !headers.contains_key(header::ORIGIN)
            && !headers.contains_key(header::CONTENT_ENCODING)
    }

    async fn answer<B>(&self, request: Request<B>) -> Response
    where
        B: HttpBody<Data = Bytes, Error: Into<axum::BoxError>> + Send + Unpin + 'static,
    {
        let path = request.uri().path().to_owned();
        let publishing = async {
            let response = self.publish(request).await;
            (response.status().as_u16(), response)
        };
        traced(&path, publishing).await
    }

    async fn publish<B>(&self, request: Request<B>) -> Response
    where
        B: HttpBody<Data = Bytes, Error: Into<axum::BoxError>> + Send + Unpin + 'static,
    {
        let published = match limits::check(&request) {
            Ok(()) => publish::directly(&self.gateway, request).await,
            Err(error) => Err(error),
        };
        published.map_or_else(
            |error| self.refusal(error),
            |told| with_all(told.into_response(), &self.headers),
        )
    }

    fn refusal(&self, error: ApiError) -> Response {
        let response = error.into_response();
        error::count_refusal(&self.gateway, &response);
        with_all(response, &self.headers)
    }

    async fn publication(&self, path: &'static str, sender: Sender, body: &[u8]) -> Publication {
        let Sender { publisher, kind } = sender;
        let publishing = async {
            match publish::take(&self.gateway, publisher, body, kind).await {
                Ok(told) => {
                    let (head, body) = (self.stored.clone(), told.to_json().into());
                    (200, Publication { head, body })
                }
                Err(error) => {
                    let response = self.refusal(error);
                    (response.status().as_u16(), written(response))
                }
            }
        };
        traced(path, publishing).await
    }
}

/// Publishes with the line in the gateway's own log that the router's trace has for others; `publishing` gives the status too.
async fn traced<T>(path: &str, publishing: impl Future<Output = (u16, T)>) -> T {
    let span = tracing::debug_span!(target: "logs_gateway::http", "request", method = "POST", path);
    if span.is_disabled() {
        return publishing.await.1;
    }
    let began = Instant::now();
    let (status, published) = publishing.instrument(span.clone()).await;
    let took = began.elapsed();
    span.in_scope(|| tracing::debug!(target: "logs_gateway::http", status, ?took, "answered"));
    published
}

fn with_all(mut response: Response, more: &HeaderMap) -> Response {
    let headers = response.headers_mut();
    headers.reserve(more.len());
    for (name, value) in more {
        headers.append(name, value.clone());
    }
    response
}

/// An answer whose body is there, as HTTP/1.1 writes it (RFC 9112).
fn written(response: Response) -> Publication {
    let (parts, body) = response.into_parts();
    let status = parts.status;
    let mut head = Vec::with_capacity(512);
    let reason = status.canonical_reason().unwrap_or_default();
    head.extend_from_slice(format!("HTTP/1.1 {} {reason}\r\n", status.as_str()).as_bytes());
    for (name, value) in parts
        .headers
        .iter()
        .filter(|(name, _)| *name != header::CONTENT_LENGTH)
    {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    let body = body.collect().now_or_never().and_then(Result::ok);
    Publication {
        head: head.into(),
        body: body.map(Collected::to_bytes).unwrap_or_default(),
    }
}
