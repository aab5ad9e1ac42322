//! `logs-gateway proxy`: the gateway on a page's own origin, for pages whose content policy knows no other.
//!
//! In the order a request meets them:
//!
//! - [`serve()`]: a socket, and how it stops; the routes are here
//! - `identity`: who is behind the request, never what the browser says of itself
//! - `selection`: what a page asks for becomes what the gateway is asked for
//! - `headers`: what goes on, and what comes back
//! - `upstream`: the gateway, and whoever knows the callers
//! - `ending`: an answer that is a stream ends politely when the proxy stops; all others, and all bodies until then, come
//!   as they are, no faster than they are taken
//! - `refusal`: what the proxy answers itself

mod config;
mod ending;
mod headers;
mod identity;
mod refusal;
mod selection;
mod serve;
mod settings;
mod summary;
mod upstream;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    body::Body,
    extract::{ConnectInfo, MatchedPath, Path, Request, State},
    http::{StatusCode, header, request::Parts},
    middleware::{map_request, map_response},
    response::{IntoResponse, Response},
    routing::{get, patch},
};
use bytes::Bytes;
use logs_shared::api;
use serde_json::json;
use tokio::sync::watch;

pub use self::{
    config::ProxyConfig,
    identity::{Identity, IdentityHeaders, IdentitySource},
    serve::serve,
    settings::ProxySettings,
    summary::ProxySummary,
    upstream::BaseUrl,
};
use self::{
    ending::Ending,
    identity::SOME_WORKSPACE,
    refusal::Refusal,
    selection::{MadeUp, SOME_WORKFLOW},
    upstream::{Hook, Onward, Upstream},
};
use crate::{
    gateway::VERSION,
    http::{self, ApiError},
    streams::UnknownStream,
};

/// The path below which what a page loads is, each file under a name that changes with it.
const ASSETS_PATH: &str = "/assets/";

/// Everything the proxy can do. A clone is the same proxy.
#[derive(Clone)]
pub struct Proxy(Arc<Shared>);

struct Shared {
    config: ProxyConfig,
    upstream: Upstream,
    hook: Hook,
    stopping: watch::Sender<bool>,
}

impl Proxy {
    /// A proxy that is set up like this.
    #[must_use]
    pub fn new(config: ProxyConfig) -> Self {
        let upstream = Upstream::new(
            config.upstream.clone(),
            config.token.clone(),
            config.answer_within,
        );
        Self(Arc::new(Shared {
            config,
            upstream,
            hook: Hook::new(),
            stopping: watch::Sender::new(false),
        }))
    }

    /// How it was set up.
    #[must_use]
    pub fn config(&self) -> &ProxyConfig {
        &self.0.config
    }

    /// Tells every stream that it ends soon.
    fn drain(&self) {
        self.0.stopping.send_replace(true);
    }

    /// Who is behind a request.
    async fn identity(&self, request: &Parts) -> Result<Identity, Refusal> {
        let ProxyConfig {
            identity, production, ..
        } = self.config();
        match identity {
            IdentitySource::Header(names) => names.identity(&request.headers, *production),
            IdentitySource::Fixed(identity) => Ok(identity.clone()),
            IdentitySource::Hook { url, headers } => {
                self.0
                    .hook
                    .identity(url, headers, &request.headers, *production)
                    .await
            }
        }
    }

    /// The gateway's answer to a request of this identity, at this path and with this query.
    async fn forward(
        &self,
        request: &Parts,
        identity: Option<Identity>,
        path: &str,
        query: &str,
        body: Bytes,
    ) -> Result<Response, Refusal> {
        let peer = request.extensions.get::<ConnectInfo<SocketAddr>>();
        let scheme = if self.config().tls.is_some() {
            "https"
        } else {
            "http"
        };
        let mark = if query.is_empty() { "" } else { "?" };
        let onward = Onward {
            method: request.method.clone(),
            path: format!("{path}{mark}{query}"),
            headers: headers::onward(&request.headers, peer.map(|ConnectInfo(peer)| *peer), scheme),
            body,
            identity,
        };
        let (head, body) = self.0.upstream.ask(onward).await?.into_parts();
        // The path as it is routed: a stream's id is a key to it.
        let route = request.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
        tracing::debug!(method = %request.method, route, status = head.status.as_u16(), "forwarded");
        let is_stream = head
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(api::EVENT_STREAM_TYPE.as_bytes()));
        // In what is packed nothing can be put in between.
        let body = if is_stream && !head.headers.contains_key(header::CONTENT_ENCODING) {
            Body::new(Ending::new(
                body,
                self.0.stopping.subscribe(),
                self.config().drain,
            ))
        } else {
            Body::new(body)
        };
        Ok(Response::from_parts(head, body))
    }
}

/// Every path of the proxy.
pub fn app(proxy: Proxy) -> Router {
    let prefix = &proxy.config().prefix;
    Router::new()
        .route(&format!("{prefix}/stream"), get(stream))
        .route(&format!("{prefix}/history"), get(history))
        .route(&format!("{prefix}/channels"), get(channels))
        .route(&format!("{prefix}/streams/{{stream_id}}"), patch(change))
        .route(api::WIDGET_PATH, get(widget))
        .route(&format!("{ASSETS_PATH}{{*path}}"), get(asset))
        .route(api::HEALTH_PATH, get(health))
        .route(api::HEALTH_READY_PATH, get(health))
        .route(api::HEALTH_LIVE_PATH, get(live))
        .fallback(http::not_found)
        .method_not_allowed_fallback(http::method_not_allowed)
        .layer(map_request(http::within))
        .layer(map_response(http::protect))
        .with_state(proxy)
}

async fn stream(proxy: State<Proxy>, request: Request) -> Result<Response, Refusal> {
    read(&proxy, request, api::STREAM_PATH).await
}

async fn history(proxy: State<Proxy>, request: Request) -> Result<Response, Refusal> {
    read(&proxy, request, api::HISTORY_PATH).await
}

/// What is of channels that the query names.
async fn read(proxy: &Proxy, request: Request, path: &str) -> Result<Response, Refusal> {
    let (request, _) = request.into_parts();
    let identity = proxy.identity(&request).await?;
    let made_up = MadeUp {
        workspace: identity.workspace().unwrap_or(SOME_WORKSPACE),
        workflow: SOME_WORKFLOW,
    };
    let ProxyConfig {
        production, service, ..
    } = proxy.config();
    let query = request.uri.query().unwrap_or_default();
    let query = selection::upstream_query(query, service, (!production).then_some(made_up))?;
    proxy
        .forward(&request, Some(identity), path, &query, Bytes::new())
        .await
}

/// Which channels there are.
async fn channels(State(proxy): State<Proxy>, request: Request) -> Result<Response, Refusal> {
    let (request, _) = request.into_parts();
    let identity = proxy.identity(&request).await?;
    let query = selection::without_token(request.uri.query().unwrap_or_default());
    proxy
        .forward(&request, Some(identity), api::CHANNELS_PATH, &query, Bytes::new())
        .await
}

/// Changes what an open stream follows.
async fn change(
    State(proxy): State<Proxy>,
    Path(stream_id): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    // An id of any other form would be another path.
    if !is_plain(&stream_id) {
        return Err(ApiError::from(UnknownStream).into());
    }
    let (request, body) = request.into_parts();
    let identity = proxy.identity(&request).await?;
    let body = http::body(Request::new(body), api::MAX_CHANGE_BYTES).await?;
    let path = format!("{}/{stream_id}", api::STREAMS_PATH);
    let query = selection::without_token(request.uri.query().unwrap_or_default());
    proxy.forward(&request, Some(identity), &path, &query, body).await
}

/// The script of the widget: the same for everybody.
async fn widget(State(proxy): State<Proxy>, request: Request) -> Result<Response, Refusal> {
    let (request, _) = request.into_parts();
    proxy
        .forward(&request, None, api::WIDGET_PATH, "", Bytes::new())
        .await
}

/// What the script loads: the same for everybody.
async fn asset(
    State(proxy): State<Proxy>,
    Path(path): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let (request, _) = request.into_parts();
    // Nothing that could be read as a way to another path.
    if !path.split('/').all(is_plain) {
        return Err(ApiError::NotFound(request.uri.path().to_owned()).into());
    }
    let path = format!("{ASSETS_PATH}{path}");
    proxy.forward(&request, None, &path, "", Bytes::new()).await
}

/// Whether it is one segment of a path that stands for nothing but itself.
fn is_plain(segment: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    !segment.is_empty() && segment.bytes().all(plain) && !matches!(segment, "." | "..")
}

/// Whether the proxy is well, which it is where the gateway answers.
async fn health(State(proxy): State<Proxy>) -> Response {
    let (status, word, upstream) = if proxy.0.upstream.answers().await {
        (StatusCode::OK, "healthy", "answers")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unhealthy", "does not answer")
    };
    let body = json!({ "status": word, "version": VERSION, "gateway": upstream });
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

async fn live() -> Response {
    let body = json!({ "status": "healthy", "version": VERSION });
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
