//! HTTP: what each path does. Whatever can be refused is refused in an extractor, before a header is sent.

mod admin;
mod app;
mod error;
mod extract;
mod headers;
mod history;
mod identity;
mod limits;
mod observe;
mod openapi;
mod otlp;
mod publish;
mod reference;
mod routes;
mod stream;
mod streams;
mod test_logs;

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::{map_request, map_response, map_response_with_state},
    response::Response,
};
use logs_shared::api;
use tokio::task::spawn_blocking;
use tower_http::{
    cors::{AllowOrigin, CorsLayer},
    decompression::RequestDecompressionLayer,
    trace::TraceLayer,
};

pub use self::routes::{Access, Route};
pub(crate) use self::{
    app::App,
    error::{ApiError, method_not_allowed, not_found},
    extract::body,
    headers::protect,
    limits::within,
    routes::Routes,
};
use crate::{gateway::Gateway, origins::AllowedOrigins, page};

/// Every path of the gateway, with what it does. Who adds one here adds it to [`routes`], and with that to what the
/// tests of access and of `/openapi.json` go through.
fn all() -> Routes<Gateway> {
    use Access::{Admin, Development, Public, Publish, Read};
    let taking_bodies = Routes::new()
        .post(api::PUBLISH_PATH, Publish, publish::publish)
        .post(api::STREAM_ALIAS_PATH, Publish, publish::publish)
        .post(api::OTLP_LOGS_PATH, Publish, otlp::logs)
        .get(api::STREAM_ALIAS_PATH, Read, stream::stream)
        .post(api::TEST_LOGS_PATH, Development, test_logs::post)
        .get(api::TEST_LOGS_PATH, Development, test_logs::get)
        .patch(
            &format!("{}/{{stream_id}}", api::STREAMS_PATH),
            Read,
            streams::change,
        )
        .around(|router| {
            router
                .layer(RequestDecompressionLayer::new().pass_through_unaccepted(true))
                .layer(map_request(extract::plain_coding))
        });
    Routes::new()
        .get(api::STREAM_PATH, Read, stream::stream)
        .get(api::HISTORY_PATH, Read, history::history)
        .get(api::CHANNELS_PATH, Read, observe::channels)
        .get(api::HEALTH_PATH, Public, observe::health)
        .get(api::HEALTH_LIVE_PATH, Public, observe::live)
        .get(api::HEALTH_READY_PATH, Public, observe::health)
        .get(api::OPENAPI_PATH, Public, openapi::describe)
        .get(api::DOCS_PATH, Public, reference::show)
        .get(api::STATS_PATH, Admin, admin::stats)
        .get(api::METRICS_PATH, Admin, admin::metrics)
        .post(
            &format!("{}/{{stream_id}}/close", api::ADMIN_STREAMS_PATH),
            Admin,
            admin::close,
        )
        .post(api::REVOKE_PATH, Admin, admin::revoke)
        .merge(taking_bodies)
        .merge(page::routes())
}

/// Everything that can be asked of the gateway, and by whom.
#[must_use]
pub fn routes() -> Vec<Route> {
    all().into_list()
}

/// The gateway as a service of HTTP.
pub fn app(gateway: Gateway) -> Router {
    let app = all()
        .into_router()
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(map_request(within))
        .layer(map_response_with_state(gateway.clone(), error::count))
        .layer(cors(gateway.config().allowed_origins.clone()))
        // Around CORS, which answers questions of its own.
        .layer(map_response(protect));
    // A line a request in the gateway's own log. Paths only, as they are routed: a query may hold a credential, and the id
    // of a stream is one, also in a path that is nearly right.
    let trace = TraceLayer::new_for_http()
        .make_span_with(|request: &Request<Body>| {
            let matched = request.extensions().get::<MatchedPath>();
            let path = matched.map_or("(none)", MatchedPath::as_str);
            tracing::debug_span!("request", method = %request.method(), path)
        })
        .on_request(())
        .on_response(|response: &Response<Body>, took: Duration, _: &tracing::Span| {
            tracing::debug!(status = response.status().as_u16(), ?took, "answered");
        })
        .on_body_chunk(())
        .on_eos(())
        .on_failure(());
    app.layer(trace).with_state(gateway)
}

/// Does what may take long where nobody else waits for it.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    spawn_blocking(work).await.map_err(|_| ApiError::Internal)
}

/// What pages of other origins may do (Fetch Standard). Credentials only with a list of origins.
fn cors(origins: AllowedOrigins) -> CorsLayer {
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::CONTENT_TYPE,
            header::AUTHORIZATION,
            header::CACHE_CONTROL,
            HeaderName::from_static(api::SERVICE_TOKEN_HEADER),
            HeaderName::from_static(api::IDEMPOTENCY_KEY_HEADER),
            HeaderName::from_static(api::USER_ID_HEADER),
            HeaderName::from_static(api::LAST_EVENT_ID_HEADER),
        ])
        .expose_headers([header::RETRY_AFTER])
        .max_age(Duration::from_secs(600));
    match origins {
        AllowedOrigins::Any => layer.allow_origin(tower_http::cors::Any),
        list @ AllowedOrigins::List(_) => layer.allow_credentials(true).allow_origin(AllowOrigin::predicate(
            move |origin: &HeaderValue, _| origin.to_str().is_ok_and(|origin| list.allows(origin)),
        )),
    }
}
