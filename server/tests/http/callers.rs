//! Every path, asked by everybody: who gets what.

use axum::{
    body::Body,
    http::{Method, Request},
};
use jsonwebtoken::{EncodingKey, Header, encode};
use logs_gateway::{
    config::Settings,
    http::{Access, Route, routes},
};
use logs_shared::api;
use serde_json::{Value, json};

use crate::{
    app::{TestApp, TestStream},
    otlp,
};

pub(crate) const SECRET: &str = "a secret that the login and the gateway share";
pub(crate) const ADMIN: &str = "admin-token";
pub(crate) const PUBLISHER: &str = "etl-token";

/// A signed token of this user, for these workspaces.
pub(crate) fn jwt(user: &str, workspaces: &[&str], seconds_left: i64) -> String {
    let now = i64::try_from(jsonwebtoken::get_current_timestamp()).expect("a time of today");
    let claims = json!({ "sub": user, "workspaces": workspaces, "iat": now, "exp": now + seconds_left });
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    encode(&Header::default(), &claims, &key).expect("it can be signed")
}

pub(crate) fn with_jwt() -> Settings {
    Settings {
        node_env: Some("production".to_owned()),
        auth: Some("jwt".to_owned()),
        jwt_secret: Some(SECRET.to_owned()),
        service_tokens: Some(format!("{PUBLISHER}=etl@w;faas-only=faas;elsewhere=etl@w2")),
        admin_token: Some(ADMIN.to_owned()),
        ..Settings::default()
    }
}

/// Who asks, by what it sends as `Authorization: Bearer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    Nobody,
    Wrong,
    /// A reader whose token is over.
    Expired,
    /// A reader of another workspace.
    OtherWorkspace,
    /// A reader of this workspace, who is not the one whose stream it is.
    OtherUser,
    /// The reader.
    Reader,
    /// A reader of this workspace who was revoked.
    Revoked,
    /// A publisher of another service.
    OtherService,
    /// A publisher of this service in another workspace.
    OtherPublisher,
    /// The publisher.
    Publisher,
    Admin,
}

const CALLERS: [Caller; 11] = [
    Caller::Nobody,
    Caller::Wrong,
    Caller::Expired,
    Caller::OtherWorkspace,
    Caller::OtherUser,
    Caller::Reader,
    Caller::Revoked,
    Caller::OtherService,
    Caller::OtherPublisher,
    Caller::Publisher,
    Caller::Admin,
];

impl Caller {
    fn token(self) -> Option<String> {
        Some(match self {
            Self::Nobody => return None,
            Self::Wrong => "wrong".to_owned(),
            Self::Expired => jwt("ann", &["w"], -60),
            Self::OtherWorkspace => jwt("cat", &["w2"], 600),
            Self::OtherUser => jwt("bob", &["w"], 600),
            Self::Reader => jwt("ann", &["w"], 600),
            Self::Revoked => jwt("eve", &["w"], 600),
            Self::OtherService => "faas-only".to_owned(),
            Self::OtherPublisher => "elsewhere".to_owned(),
            Self::Publisher => PUBLISHER.to_owned(),
            Self::Admin => ADMIN.to_owned(),
        })
    }
}

pub(crate) type Expected = (u16, Option<&'static str>);

pub(crate) const OK: Expected = (200, None);

pub(crate) fn refused(status: u16, code: &'static str) -> Expected {
    (status, Some(code))
}

/// What a caller gets who has the right form of request.
fn expected(route: &Route, caller: Caller) -> Expected {
    use Caller as C;
    let unknown = match caller {
        C::Nobody => refused(401, "missing_token"),
        _ => refused(401, "invalid_token"),
    };
    let is_of_a_stream = route.path.contains("{stream_id}");
    match (route.access, caller) {
        (Access::Public, _) => OK,
        (Access::Development, _) => refused(404, "not_found"),
        (Access::Publish, C::Publisher) | (Access::Admin, C::Admin) => OK,
        (Access::Publish, C::OtherService | C::OtherPublisher) => refused(403, "forbidden_channel"),
        (Access::Publish | Access::Admin, _) => unknown,
        (Access::Read, C::Reader) => OK,
        (Access::Read, C::OtherUser | C::OtherWorkspace) if is_of_a_stream => refused(404, "unknown_stream"),
        (Access::Read, C::OtherUser) => OK,
        (Access::Read, C::OtherWorkspace) => refused(403, "forbidden_channel"),
        (Access::Read, C::Expired) => refused(401, "expired_token"),
        (Access::Read, C::Revoked) => refused(401, "revoked"),
        (Access::Read, _) => unknown,
    }
}

/// A request of the right form. A path that is not here is one that nobody has thought about.
fn request(route: &Route, stream_id: &str) -> (String, Option<Value>) {
    let path = route.path.replace("{stream_id}", stream_id);
    let publication = json!({ "channel": "logs:etl:w:x", "logData": "m" });
    let query = |query: &str| (format!("{path}?{query}"), None);
    let is_public = [
        api::HEALTH_PATH,
        api::HEALTH_LIVE_PATH,
        api::HEALTH_READY_PATH,
        api::OPENAPI_PATH,
        api::PAGE_PATH,
        api::DEMO_PATH,
        api::ADMIN_PATH,
        api::DOCS_PATH,
        api::WIDGET_PATH,
    ]
    .contains(&path.as_str())
        || api::DEMO_VIEW_PATHS.contains(&path.as_str());
    match (&route.method, path.as_str()) {
        (&Method::GET, _) if is_public => (path, None),
        (&Method::GET, api::STREAM_PATH | api::STREAM_ALIAS_PATH | api::HISTORY_PATH) => {
            query("channels=logs:etl:w:x")
        }
        (&Method::GET, api::CHANNELS_PATH) => query("workspace_id=w"),
        (&Method::GET, api::STATS_PATH | api::METRICS_PATH | api::TEST_LOGS_PATH) => (path, None),
        (&Method::POST, api::PUBLISH_PATH | api::STREAM_ALIAS_PATH | api::TEST_LOGS_PATH) => {
            (path, Some(publication))
        }
        (&Method::POST, api::OTLP_LOGS_PATH) => (path, Some(otlp::request(&["m"]))),
        (&Method::POST, api::REVOKE_PATH) => (path, Some(json!({ "user": "nobody" }))),
        (&Method::PATCH, _) if path.starts_with(api::STREAMS_PATH) => {
            (path, Some(json!({ "add": ["logs:etl:w:y"] })))
        }
        (&Method::POST, _) if path.starts_with(api::ADMIN_STREAMS_PATH) => (path, None),
        _ => panic!("who may ask {} {path}?", route.method),
    }
}

/// Opens a stream with this token, and gives its id too.
pub(crate) async fn open(app: &TestApp, token: &str) -> (TestStream, String) {
    let mut stream = app
        .stream_with(
            "channels=logs:etl:w:x",
            &[("authorization", &format!("Bearer {token}"))],
        )
        .await;
    let id = stream.stream_id().await;
    (stream, id)
}

#[tokio::test]
async fn everybody_gets_of_every_path_what_is_theirs_and_nothing_else() {
    let app = TestApp::with(with_jwt());
    // Before anything is revoked: what is issued later counts.
    let callers = CALLERS.map(|caller| (caller, caller.token()));
    let revoked = app
        .post_as(api::REVOKE_PATH, ADMIN, &json!({ "user": "eve" }))
        .await;
    assert_eq!(revoked.status, 200);
    let mut asked = 0;
    for route in routes().iter().filter(|route| route.path != "/assets/{*path}") {
        for (caller, token) in &callers {
            let stream = match route.path.contains("{stream_id}") {
                true => Some(open(&app, &jwt("ann", &["w"], 600)).await),
                false => None,
            };
            let stream_id = stream.as_ref().map_or("", |(_, stream_id)| stream_id);
            let (path, body) = request(route, stream_id);
            let mut request = Request::builder().method(route.method.clone()).uri(&path);
            if let Some(token) = token {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
            let response = app.open(request.body(body).expect("a request")).await;
            let (status, code) = expected(route, *caller);
            let shown = format!("{} {} by {caller:?}", route.method, route.path);
            assert_eq!(response.status(), status, "{shown}");
            if let Some(code) = code {
                let answer = TestApp::whole(response).await;
                let refusal = match route.path.as_str() {
                    api::OTLP_LOGS_PATH => otlp::refusal(&answer),
                    _ => answer.refusal(),
                };
                assert_eq!(refusal, (status, code.to_owned()), "{shown}");
                let text = String::from_utf8_lossy(&answer.body).into_owned();
                assert!(
                    token
                        .as_ref()
                        .is_none_or(|token| token == "wrong" || !text.contains(token)),
                    "{shown}: {text}"
                );
            }
            asked += 1;
        }
    }
    assert!(asked > 150, "{asked}");
}
