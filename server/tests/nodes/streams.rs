//! Streams that another gateway has.

use std::time::{Duration, Instant};

use axum::{body::Body, http::Request};
use serde_json::json;
use tower::ServiceExt;

use crate::gateways::{Gateways, eventually};

#[tokio::test]
async fn a_stream_is_changed_through_any_gateway_by_its_owner_only() {
    let gateways = Gateways::start(3).await;
    let [one, two, three] = gateways.all.as_slice() else {
        panic!()
    };
    let mut stream = one.stream("ann").await;
    let (status, changed) = two.add(&stream.id, "ann", "logs:faas:w").await;
    assert_eq!(status, 200, "{changed}");
    assert_eq!(changed["stream_id"], stream.id);
    assert_eq!(changed["results"][0]["status"], "added");
    assert_eq!(stream.change().await, ["logs:etl:w", "logs:faas:w"]);
    let (status, refusal) = three.add(&stream.id, "bob", "logs:faas:x").await;
    assert_eq!(
        (status.as_u16(), &refusal["code"]),
        (404, &json!("unknown_stream"))
    );
    // What cannot be read of a change is told as its own gateway tells it.
    let (_, here) = one.add(&stream.id, "ann", "?").await;
    let (_, there) = two.add(&stream.id, "ann", "?").await;
    assert_eq!(here["results"][0]["status"], "invalid");
    assert_eq!(here["results"], there["results"]);
}

#[tokio::test]
async fn an_operator_closes_a_stream_through_any_gateway_by_its_name_in_the_statistics() {
    let gateways = Gateways::start(2).await;
    let [one, two] = gateways.all.as_slice() else {
        panic!()
    };
    let (mut first, mut second) = (one.stream("ann").await, two.stream("bob").await);
    let rows = two.stats().await.by_connection;
    let name = |user: &str| {
        let row = rows.iter().find(|row| row.user_id == user);
        row.map(|row| row.name.clone()).unwrap_or_default()
    };
    assert_eq!(two.close(&name("ann")).await.0, 200);
    assert_eq!(first.end().await, "closed");
    assert_eq!(one.close(&second.id).await.0, 200);
    assert_eq!(second.end().await, "closed");
    // The name in the statistics gives nobody power over the stream.
    let third = one.stream("ann").await;
    let row = two.stats().await.by_connection.pop().unwrap();
    assert_ne!(row.name, third.id);
    assert_eq!(two.add(&row.name, "ann", "logs:faas:w").await.0, 404);
    assert_eq!(one.add(&row.name, "ann", "logs:faas:w").await.0, 404);
}

#[tokio::test]
async fn a_stream_whose_gateway_is_gone_is_unknown_at_once() {
    let mut gateways = Gateways::start(2).await;
    let stream = gateways.all[1].stream("ann").await;
    let name = gateways.all[0].stats().await.by_connection[0].name.clone();
    drop(gateways.all.pop());
    let one = &gateways.all[0];
    let (status, refusal) = one.add(&stream.id, "ann", "logs:faas:w").await;
    assert_eq!(
        (status.as_u16(), &refusal["code"]),
        (404, &json!("unknown_stream"))
    );
    assert_eq!(one.close(&name).await.0, 404);
}

#[tokio::test]
async fn a_gateway_that_does_not_answer_is_waited_for_no_longer_than_it_takes() {
    let gateways = Gateways::start(1).await;
    // Somebody who listens and says nothing.
    let node = "00000000000000ab";
    let client = redis::Client::open(format!("redis://127.0.0.1:{}", gateways.redis.port())).unwrap();
    let mut connection = client.get_connection().unwrap();
    let mut silent = connection.as_pubsub();
    silent.subscribe(format!("t:ask:{node}")).unwrap();
    let (status, refusal) = gateways.all[0]
        .add(&format!("{node}-x"), "ann", "logs:faas:w")
        .await;
    assert_eq!(
        (status.as_u16(), &refusal["code"]),
        (503, &json!("gateway_silent"))
    );
    // What it was sent names the caller, and has nothing that a caller keeps to itself.
    let message: String = silent.get_message().unwrap().get_payload().unwrap();
    assert!(message.contains("user ann"), "{message}");
}

#[tokio::test]
async fn while_redis_is_away_a_gateway_does_its_own_work_and_after_that_all_again() {
    let gateways = Gateways::start(2).await;
    let [one, two] = gateways.all.as_slice() else {
        panic!()
    };
    let (stream, other) = (one.stream("ann").await, two.stream("ann").await);
    gateways.redis.kill();
    let is_refused = async || {
        let (status, refusal) = one.add(&other.id, "ann", "logs:faas:w").await;
        status == 503 && refusal["code"] == "storage_failed"
    };
    eventually("what concerns the other to be refused", is_refused).await;
    assert_eq!(one.add(&stream.id, "ann", "logs:faas:w").await.0, 200);
    assert_eq!(one.stats().await.nodes.len(), 1);
    gateways.redis.run();
    gateways.know_of_each_other().await;
    assert_eq!(one.add(&other.id, "ann", "logs:faas:w").await.0, 200);
    assert_eq!(two.stats().await.connections, 2);
}

#[tokio::test]
async fn while_redis_stands_still_nobody_waits_longer_than_it_takes_and_then_all_goes_on() {
    let gateways = Gateways::start(2).await;
    let [one, two] = gateways.all.as_slice() else {
        panic!()
    };
    let mut stream = two.stream("ann").await;
    gateways.redis.pause(true);
    let asked = Instant::now();
    let (status, refusal) = one.add(&stream.id, "ann", "logs:faas:w").await;
    let took = asked.elapsed();
    gateways.redis.pause(false);
    assert_eq!(
        (status.as_u16(), &refusal["code"]),
        (503, &json!("storage_failed"))
    );
    assert!(took < Duration::from_secs(4), "{took:?}");
    gateways.know_of_each_other().await;
    assert_eq!(one.add(&stream.id, "ann", "logs:faas:w").await.0, 200);
    assert!(stream.change().await.contains(&"logs:faas:w".to_owned()));
}

/// Each of them held a thread for as long as Redis was waited for, until there was none left for what needs no Redis.
#[tokio::test]
async fn while_redis_stands_still_a_crowd_that_lists_channels_keeps_nobody_else_waiting() {
    let gateways = Gateways::start(1).await;
    let one = &gateways.all[0];
    gateways.redis.pause(true);
    let crowd: Vec<_> = (0..600)
        .map(|_| {
            let request = Request::get("/api/logs/channels").body(Body::empty()).unwrap();
            tokio::spawn(one.router().oneshot(request))
        })
        .collect();
    // They are all on their way before what comes now: each turn begins some of them.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let asked = Instant::now();
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let answer = one.router().oneshot(request).await.unwrap();
    let took = asked.elapsed();
    assert_eq!(answer.status(), 200);
    assert!(took < Duration::from_secs(2), "{took:?}");
    for asked in crowd {
        let answer = asked.await.unwrap().unwrap();
        assert_eq!(answer.status(), 503);
    }
    assert!(asked.elapsed() < Duration::from_secs(7), "{:?}", asked.elapsed());
    gateways.redis.pause(false);
}
