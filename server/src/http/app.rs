//! [`App`]: what answers the requests that come over connections.

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::FutureExt;
use http_body::Body as HttpBody;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use logs_shared::api;
use tracing::Instrument as _;

use super::{ApiError, app, cors, error, headers::protect, limits, publish};
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

impl Publishing {
    fn new(gateway: Gateway) -> Option<Self> {
        // What CORS says to who has no origin is always the same, so it is asked once.
        let nothing = Router::new().fallback(async || {});
        let around = nothing.layer(cors(gateway.config().allowed_origins.clone()));
        let request = Request::post(api::PUBLISH_PATH).body(Body::empty()).ok()?;
        let Ok(mut response) = TowerToHyperService::new(around).call(request).now_or_never()?;
        response.headers_mut().remove(header::CONTENT_LENGTH);
        let headers = protect(response).now_or_never()?.headers().clone();
        Some(Self { gateway, headers })
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
        // As the router's own trace.
        let path = request.uri().path();
        let span =
            tracing::debug_span!(target: "logs_gateway::http", "request", method = %request.method(), path);
        if span.is_disabled() {
            return self.publish(request).await;
        }
        let began = Instant::now();
        let response = self.publish(request).instrument(span.clone()).await;
        let (status, took) = (response.status().as_u16(), began.elapsed());
        span.in_scope(|| tracing::debug!(target: "logs_gateway::http", status, ?took, "answered"));
        response
    }

    async fn publish<B>(&self, request: Request<B>) -> Response
    where
        B: HttpBody<Data = Bytes, Error: Into<axum::BoxError>> + Send + Unpin + 'static,
    {
        let published = match limits::check(&request) {
            Ok(()) => publish::directly(&self.gateway, request).await,
            Err(error) => Err(error),
        };
        let mut response = published.unwrap_or_else(ApiError::into_response);
        error::count_refusal(&self.gateway, &response);
        let headers = response.headers_mut();
        headers.reserve(self.headers.len());
        for (name, value) in &self.headers {
            headers.append(name, value.clone());
        }
        response
    }
}
