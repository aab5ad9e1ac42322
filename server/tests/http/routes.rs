//! The list of everything that can be asked of the gateway.

use crate::app::{TestApp, at};
use axum::{body::Body, http::Request};
use logs_gateway::http::routes;

#[test]
fn no_route_is_listed_twice() {
    let mut names: Vec<_> = routes()
        .iter()
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    assert!(
        names.contains(&"PATCH /api/logs/streams/{stream_id}".to_owned()),
        "{names:?}"
    );
    names.sort();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[tokio::test]
async fn what_is_listed_is_there_and_takes_no_other_method() {
    let app = TestApp::new();
    let routes = routes();
    for route in &routes {
        let path = at(&route.path);
        let request = Request::builder().method(&route.method).uri(&path);
        let answer = app.open(request.body(Body::empty()).unwrap()).await;
        assert_ne!(answer.status(), 405, "{route:?}");
        for method in ["GET", "POST", "PATCH", "PUT", "DELETE"] {
            if routes
                .iter()
                .any(|other| other.path == route.path && other.method == method)
            {
                continue;
            }
            let request = Request::builder().method(method).uri(&path);
            let answer = app.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(
                answer.refusal(),
                (405, "method_not_allowed".to_owned()),
                "{method} {path}"
            );
        }
    }
}
