//! Who may no more, on all gateways.

use logs_gateway::config::Settings;
use serde_json::json;

use crate::{
    gateways::{Gateways, TestGateway, eventually},
    testing::RedisServer,
};

fn revoked() -> Option<(u16, String)> {
    Some((401, "revoked".to_owned()))
}

#[tokio::test]
async fn who_is_revoked_on_one_gateway_is_out_on_all_until_that_is_lifted_on_any() {
    let gateways = Gateways::start(3).await;
    let [one, two, three] = gateways.all.as_slice() else {
        panic!()
    };
    let mut streams = [
        one.stream("ann").await,
        two.stream("ann").await,
        two.stream("ann").await,
    ];
    let mut bob = three.stream("bob").await;
    let (status, answer) = three.revoke(json!({ "user": "ann" })).await;
    assert_eq!((status.as_u16(), &answer["closed"]), (200, &json!(3)));
    for stream in &mut streams {
        assert_eq!(stream.end().await, "revoked");
    }
    for gateway in &gateways.all {
        assert_eq!(gateway.try_stream("ann").await.err(), revoked());
    }
    // One that starts later knows it too.
    let late = TestGateway::on(&gateways.redis, Settings::default());
    let knows = async || late.try_stream("ann").await.err() == revoked();
    eventually("the late one to know", knows).await;
    let (status, answer) = late.revoke(json!({ "user": "ann", "for_s": 0 })).await;
    assert_eq!((status.as_u16(), &answer["closed"]), (200, &json!(0)));
    for gateway in &gateways.all {
        assert!(gateway.try_stream("ann").await.is_ok());
    }
    assert_eq!(one.close(&bob.id).await.0, 200);
    assert_eq!(bob.end().await, "closed");
}

#[tokio::test]
async fn a_token_that_is_revoked_publishes_through_no_gateway_and_redis_has_only_its_hash() {
    let gateways = Gateways::start(2).await;
    gateways.all[1].publish("logs:etl:w").await;
    let (status, _) = gateways.all[0].revoke(json!({ "token": "test-token" })).await;
    assert_eq!(status, 200);
    let body = json!({ "channel": "logs:etl:w", "logData": "m" }).to_string();
    let request = axum::http::Request::post("/api/logs/publish").header("x-service-token", "test-token");
    let (status, refusal) = gateways.all[1].send(request, body).await;
    assert_eq!((status.as_u16(), &refusal["code"]), (401, &json!("revoked")));
    let fields: Vec<String> = gateways.ask_redis(&["HKEYS", "t:revoked"]);
    assert_eq!(fields.len(), 2);
    assert!(
        fields.iter().all(|field| !field.contains("test-token")),
        "{fields:?}"
    );
}

/// Redis lets the gateways in by names of their own, so that one can be shut out.
async fn cut_off(gateways: &Gateways, is_off: bool) {
    let state = if is_off { "off" } else { "on" };
    gateways.ask_redis::<()>(&["ACL", "SETUSER", "cut", state]);
    if is_off {
        let _: usize = gateways.ask_redis(&["CLIENT", "KILL", "USER", "cut"]);
    }
}

#[tokio::test]
async fn a_gateway_that_was_cut_off_does_when_it_is_back_what_it_missed() {
    let mut gateways = Gateways::start(1).await;
    gateways.ask_redis::<()>(&["ACL", "SETUSER", "cut", "on", ">s", "~*", "&*", "+@all"]);
    let url = format!("redis://cut:s@127.0.0.1:{}", gateways.redis.port());
    gateways.all.push(TestGateway::at(&url, Settings::default()));
    gateways.know_of_each_other().await;
    let [one, two] = gateways.all.as_slice() else {
        panic!()
    };
    let (mut ann, _bob) = (two.stream("ann").await, two.stream("bob").await);
    assert_eq!(one.revoke(json!({ "user": "eve" })).await.0, 200);
    cut_off(&gateways, true).await;
    let is_away = async || one.stats().await.nodes.iter().any(|node| node.status == "silent");
    eventually("the other to be cut off", is_away).await;

    let (status, answer) = one.revoke(json!({ "user": "ann" })).await;
    assert_eq!(
        (status.as_u16(), &answer["closed"]),
        (200, &json!(0)),
        "nobody else answers"
    );
    assert_eq!(one.revoke(json!({ "user": "eve", "for_s": 0 })).await.0, 200);
    // What it is told meanwhile holds there, and is told when it is back.
    let (status, refusal) = two.revoke(json!({ "user": "cid" })).await;
    assert_eq!(
        (status.as_u16(), &refusal["code"]),
        (503, &json!("storage_failed"))
    );
    assert_eq!(two.try_stream("cid").await.err(), revoked());
    assert_eq!(
        two.try_stream("eve").await.err(),
        revoked(),
        "it cannot know better"
    );
    assert!(one.try_stream("cid").await.is_ok());

    cut_off(&gateways, false).await;
    assert_eq!(ann.end().await, "revoked");
    drop(ann);
    gateways.know_of_each_other().await;
    assert_eq!(two.try_stream("ann").await.err(), revoked());
    assert!(two.try_stream("eve").await.is_ok(), "lifted");
    assert_eq!(two.stats().await.connections, 1, "others go on");
}

#[tokio::test]
async fn nobody_is_let_in_before_it_is_known_who_may_no_more() {
    let redis = RedisServer::start();
    redis.kill();
    let gateway = TestGateway::on(&redis, Settings::default());
    let away = Some((503, "storage_failed".to_owned()));
    assert_eq!(gateway.try_stream("ann").await.err(), away);
    let (_, refusal) = gateway.get("/api/logs/channels").await;
    let why = refusal["detail"].as_str().unwrap_or_default();
    assert!(why.contains("who may no more"), "{why}");
    let (status, health) = gateway.get("/health/ready").await;
    assert_eq!(status, 503, "{health}");
    assert_eq!(gateway.get("/health/live").await.0, 200);
    redis.run();
    let opens = async || gateway.try_stream("ann").await.is_ok();
    eventually("readers to be let in", opens).await;
}

/// What is said to a gateway is lost where it has more to do than it can; who was revoked then kept the stream that was open
/// until the gateway came back to Redis the next time, which may be never.
#[tokio::test]
async fn what_a_gateway_is_not_told_it_finds() {
    let gateways = Gateways::start(2).await;
    let mut ann = gateways.all[1].stream("ann").await;
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let (at, until) = (now.as_millis(), now.as_millis() + 60_000);
    // As the script of another gateway leaves it.
    let _: usize = gateways.ask_redis(&["HSET", "t:revoked", "user:ann", &format!("{at} {until}")]);
    gateways.ask_redis::<()>(&["SET", "t:revocations", "1"]);
    assert_eq!(ann.end().await, "revoked");
    assert_eq!(gateways.all[0].revoke(json!({ "user": "bob" })).await.0, 200);
    let count: String = gateways.ask_redis(&["GET", "t:revocations"]);
    assert_eq!(count, "2");
}
