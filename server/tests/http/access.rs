//! Who may do what, and pages of other origins.

use crate::{
    app::{Answer, TestApp, settings},
    callers::{jwt, with_jwt},
};
use axum::{
    body::Body,
    http::{HeaderValue, Method, Request, StatusCode},
};
use logs_gateway::config::Settings;
use logs_shared::api::WIDGET_PATH;

fn production() -> Settings {
    Settings {
        node_env: Some("production".to_owned()),
        ..Settings::default()
    }
}

#[tokio::test]
async fn in_production_nothing_is_open_that_was_not_opened() {
    let app = TestApp::with(production());
    let closed = [
        ("/api/logs/stream?channels=logs:etl:w", "auth_not_configured"),
        ("/api/logs/history?channels=logs:etl:w", "auth_not_configured"),
        ("/api/logs/channels", "auth_not_configured"),
        ("/admin/logs/stats", "admin_not_configured"),
    ];
    for (path, code) in closed {
        assert_eq!(app.get(path).await.refusal(), (401, code.to_owned()), "{path}");
    }
    let published = app
        .publish_body(&[("x-service-token", "l5-etl-token")], "{}")
        .await;
    assert_eq!(published.refusal(), (401, "publishing_not_configured".to_owned()));
    for path in ["/health", "/health/live", "/health/ready"] {
        assert_eq!(app.get(path).await.json()["status"], "healthy", "{path}");
    }
}

#[tokio::test]
async fn in_production_what_was_opened_is_open() {
    let settings = Settings {
        auth: Some("open".to_owned()),
        admin_token: Some("s3cret".to_owned()),
        ..production()
    };
    let app = TestApp::with(settings);
    let _stream = app.stream("channels=logs:etl:w").await;
    let stats = |token: &'static str| {
        Request::get("/admin/logs/stats")
            .header("authorization", format!("Bearer {token}"))
            .body(Body::empty())
            .unwrap()
    };
    assert_eq!(app.send(stats("s3cret")).await.status, 200);
    assert_eq!(
        app.send(stats("other")).await.refusal(),
        (401, "invalid_token".to_owned())
    );
    assert_eq!(
        app.get("/admin/logs/stats").await.refusal(),
        (401, "missing_token".to_owned())
    );
}

#[tokio::test]
async fn in_development_the_demo_tokens_work_each_for_its_service() {
    let app = TestApp::with(Settings::default());
    for (token, service) in logs_shared::api::DEMO_TOKENS {
        let publish = |service: &str| {
            let body = format!(r#"{{"service":"{service}","workspace_id":"w","logData":"m"}}"#);
            Request::post("/api/logs/publish")
                .header("x-service-token", token)
                .body(Body::from(body))
                .unwrap()
        };
        assert_eq!(app.send(publish(service)).await.status, 200, "{service}");
        assert_eq!(app.send(publish("platform")).await.refusal().0, 403, "{service}");
    }
}

async fn ask(app: &TestApp, method: Method, origin: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri("/api/logs/channels")
        .header("origin", origin)
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization,last-event-id");
    app.send(request.body(Body::empty()).expect("a request")).await
}

#[tokio::test]
async fn every_origin_may_call_without_credentials_unless_there_is_a_list() {
    let app = TestApp::new();
    for method in [Method::GET, Method::OPTIONS] {
        let answer = ask(&app, method, "https://anywhere.test").await;
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
        assert!(!answer.headers.contains_key("access-control-allow-credentials"));
    }
}

#[tokio::test]
async fn with_a_list_only_its_origins_may_call_and_caches_are_told() {
    let list = "https://app.example.com,https://*.example.org";
    let app = TestApp::with(Settings {
        allowed_origins: Some(list.to_owned()),
        ..settings()
    });
    for origin in ["https://app.example.com", "https://a.example.org"] {
        for method in [Method::GET, Method::OPTIONS] {
            let answer = ask(&app, method, origin).await;
            assert_eq!(answer.headers["access-control-allow-origin"], origin);
            assert_eq!(answer.headers["access-control-allow-credentials"], "true");
            assert!(answer.headers.get_all("vary").iter().any(|vary| {
                vary.to_str()
                    .is_ok_and(|vary| vary.to_lowercase().contains("origin"))
            }));
        }
    }
    let other = ask(&app, Method::GET, "https://evil.test").await;
    assert!(!other.headers.contains_key("access-control-allow-origin"));
}

/// The list says who may read records. The widget's program is for every page: what it may read is asked then.
#[tokio::test]
async fn with_a_list_the_widget_is_still_for_every_page() {
    let app = TestApp::with(Settings {
        allowed_origins: Some("https://app.example.com".to_owned()),
        ..settings()
    });
    for (origin, allowed) in [
        ("https://app.example.com", "https://app.example.com"),
        ("https://elsewhere.test", "*"),
    ] {
        let request = Request::get(WIDGET_PATH).header("origin", origin);
        let answer = app.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.headers["access-control-allow-origin"], allowed);
        assert_eq!(answer.headers["cross-origin-resource-policy"], "cross-origin");
    }
}

#[tokio::test]
async fn a_token_is_found_wherever_it_is_and_what_is_empty_beside_it_is_none() {
    let app = TestApp::with(Settings {
        jwt_cookie: Some("login".to_owned()),
        ..with_jwt()
    });
    let token = jwt("ann", &["w"], 600);
    let (bearer, cookie) = (format!("Bearer {token}"), format!("login={token}"));
    // Browsers send what pages have set, in whatever encoding.
    let beside_others = format!("name=J\u{f6}rg; {cookie}");
    let cases: [(&str, &[(&str, &str)]); 6] = [
        ("", &[("authorization", &bearer)]),
        ("&token=", &[("authorization", &bearer)]),
        ("&token=", &[("cookie", &cookie)]),
        ("&token=", &[("authorization", "Bearer "), ("cookie", &cookie)]),
        ("", &[("authorization", "Basic YTpi"), ("cookie", &cookie)]),
        ("", &[("cookie", &beside_others)]),
    ];
    for (query, headers) in cases {
        let mut request = Request::get(format!("/api/logs/history?channels=logs:etl:w{query}"));
        for (name, value) in headers {
            let value = HeaderValue::from_bytes(value.as_bytes()).expect("a value");
            request = request.header(*name, value);
        }
        let answer = app.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.status, 200, "{query} {headers:?}");
    }
}
