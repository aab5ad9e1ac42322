//! What readers see while Redis does not answer.

use std::time::Instant;

use axum::http::{Request, header};
use tower::ServiceExt;

use crate::gateways::{Gateways, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_stream_says_that_it_is_delayed_and_what_is_asked_meanwhile_is_refused_in_time() {
    let gateways = Gateways::start(1).await;
    let one = &gateways.all[0];
    one.publish("logs:etl:w").await;
    let mut stream = one.stream("ann").await;
    gateways.redis.pause(true);
    let delay = stream.delay().await;
    assert!(delay.is_some_and(|ms| ms >= 2_000), "{delay:?}");
    let begun = Instant::now();
    let refused = one.try_stream("ann").await.err();
    assert_eq!(refused, Some((503, "storage_failed".to_owned())));
    for path in [
        "/api/logs/history?channels=logs:etl:w",
        "/api/logs/history?channels=logs:*:w:*",
        "/api/logs/channels",
    ] {
        let request = Request::get(path).body(axum::body::Body::empty()).unwrap();
        let response = one.router().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 503, "{path}");
        assert!(response.headers().contains_key(header::RETRY_AFTER), "{path}");
    }
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    let (status, health) = one.get("/health/ready").await;
    assert_eq!(status, 503, "{health}");
    assert_eq!(one.get("/health/live").await.0, 200);
    gateways.redis.pause(false);
    assert_eq!(stream.delay().await, None);
    eventually("Redis to be well", async || {
        one.get("/health/ready").await.0 == 200
    })
    .await;
    one.publish("logs:etl:w").await;
    assert_eq!(stream.record().await, "logs:etl:w");
}
