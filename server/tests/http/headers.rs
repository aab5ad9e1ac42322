//! What every answer tells browsers to keep pages from.

use crate::app::{Answer, TestApp, at, settings};
use axum::{
    body::Body,
    http::{Method, Request, Response},
};
use logs_gateway::{config::Settings, http::routes};
use logs_shared::api::{ADMIN_PATH, DEMO_PATH, DOCS_PATH, PAGE_PATH, WIDGET_PATH};

async fn open(app: &TestApp, method: Method, path: &str) -> Response<Body> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "GET");
    app.open(request.body(Body::empty()).expect("a request")).await
}

/// Every route, of a gateway that is open, and of one that refuses everybody; and what is no route.
#[tokio::test]
async fn every_answer_is_what_its_content_type_says_and_for_its_own_origin() {
    let closed = Settings {
        node_env: Some("production".to_owned()),
        ..Settings::default()
    };
    for settings in [settings(), closed] {
        let app = TestApp::with(settings);
        let mut asked: Vec<_> = routes()
            .iter()
            .map(|route| (route.method.clone(), at(&route.path)))
            .collect();
        asked.extend([
            (Method::GET, "/api/logs/stream?channels=logs:etl:w".to_owned()),
            (Method::GET, "/nowhere".to_owned()),
            (Method::DELETE, "/health".to_owned()),
            (Method::OPTIONS, "/api/logs/publish".to_owned()),
            (Method::HEAD, "/".to_owned()),
        ]);
        for (method, path) in asked {
            let answer = open(&app, method.clone(), &path).await;
            let headers = answer.headers();
            assert_eq!(headers["x-content-type-options"], "nosniff", "{method} {path}");
            let policy = if path == WIDGET_PATH {
                "cross-origin"
            } else {
                "same-origin"
            };
            assert_eq!(headers["cross-origin-resource-policy"], policy, "{method} {path}");
            if method != Method::HEAD && method != Method::OPTIONS {
                assert!(headers.contains_key("content-type"), "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn every_page_is_kept_from_what_it_does_not_need_and_nothing_else_is_a_page() {
    let app = TestApp::new();
    let mut pages = Vec::new();
    for route in routes().iter().filter(|route| route.method == Method::GET) {
        let path = at(&route.path);
        let answer = open(&app, Method::GET, &path).await;
        let headers = answer.headers();
        if !headers["content-type"].as_bytes().starts_with(b"text/html") {
            continue;
        }
        let policy = headers["content-security-policy"].to_str().expect("text");
        for part in [
            "default-src 'self'",
            "frame-ancestors 'self'",
            "base-uri 'none'",
            "object-src 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(
            !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"),
            "{policy}"
        );
        assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
        assert_eq!(headers["cross-origin-opener-policy"], "same-origin", "{path}");
        assert!(
            headers["permissions-policy"]
                .to_str()
                .is_ok_and(|policy| policy.contains("camera=()"))
        );
        pages.push(path);
    }
    for page in [PAGE_PATH, DEMO_PATH, ADMIN_PATH, DOCS_PATH] {
        assert!(pages.iter().any(|path| path == page), "{pages:?}");
    }
}

/// Whoever sends markup to be refused gets it back as data.
#[tokio::test]
async fn markup_in_a_refusal_is_no_page() {
    let app = TestApp::new();
    let answer: Answer = app.get("/%3cscript%3ealert(1)%3c/script%3e").await;
    assert_eq!(answer.refusal(), (404, "not_found".to_owned()));
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
}
