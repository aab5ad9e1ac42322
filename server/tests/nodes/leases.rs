//! Which gateways there are.

use crate::gateways::{Gateways, eventually};

#[tokio::test]
async fn a_gateway_that_stops_is_forgotten_at_once_and_one_that_is_killed_when_its_lease_ends() {
    let mut gateways = Gateways::start(3).await;
    gateways.all.pop().unwrap().stop().await;
    assert_eq!(gateways.ask_redis::<usize>(&["ZCARD", "t:nodes"]), 2);
    let _stream = gateways.all[1].stream("ann").await;
    drop(gateways.all.pop());
    let one = &gateways.all[0];
    // It is named as long as it may be there.
    let killed = one
        .stats()
        .await
        .nodes
        .into_iter()
        .find(|node| node.status == "silent");
    let killed = killed.expect("it did not answer");
    assert!(
        !killed.host.is_empty() && !killed.version.is_empty(),
        "{killed:?}"
    );
    eventually("its lease to end", async || one.stats().await.nodes.len() == 1).await;
    let its_keys = format!("t:*:{}", killed.node);
    let are_gone = async || gateways.ask_redis::<Vec<String>>(&["KEYS", &its_keys]).is_empty();
    eventually("its keys to go with it", are_gone).await;
}

#[tokio::test]
async fn what_redis_has_lost_is_told_again() {
    let gateways = Gateways::start(2).await;
    let _stream = gateways.all[0].stream("ann").await;
    let (status, _) = gateways.all[1].revoke(serde_json::json!({ "user": "bob" })).await;
    assert_eq!(status, 200);
    let _: () = gateways.ask_redis(&["FLUSHALL"]);
    let is_told = async || {
        let users: Vec<String> = gateways.ask_redis(&["KEYS", "t:users:*"]);
        gateways.ask_redis::<usize>(&["ZCARD", "t:nodes"]) == 2
            && users.len() == 1
            && gateways.ask_redis::<usize>(&["HLEN", "t:revoked"]) == 1
    };
    eventually("everything to be told again", is_told).await;
}
