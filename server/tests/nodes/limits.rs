//! How many streams one may have, on all gateways together.

use logs_gateway::config::Settings;

use crate::gateways::{Gateways, TestGateway, eventually};

fn at_most(streams: usize) -> Settings {
    Settings {
        max_streams_per_user: Some(streams.to_string()),
        ..Settings::default()
    }
}

fn too_many() -> (u16, String) {
    (429, "too_many_streams_per_user".to_owned())
}

#[tokio::test]
async fn a_user_has_so_many_streams_on_all_gateways_together_and_gets_one_for_each_that_ends() {
    let gateways = Gateways::with(3, at_most(4)).await;
    let [one, two, three] = gateways.all.as_slice() else {
        panic!()
    };
    let first = one.stream("ann").await;
    let _others = (
        two.stream("ann").await,
        two.stream("ann").await,
        three.stream("ann").await,
    );
    for gateway in &gateways.all {
        assert_eq!(gateway.try_stream("ann").await.err(), Some(too_many()));
    }
    let _another = one.stream("bob").await;
    drop(first);
    let opened = std::cell::RefCell::default();
    let opens = async || {
        let stream = three.try_stream("ann").await;
        stream.map(|stream| opened.replace(Some(stream))).is_ok()
    };
    eventually("the place to be free", opens).await;
    assert_eq!(two.try_stream("ann").await.err(), Some(too_many()));
}

#[tokio::test]
async fn of_many_at_once_no_more_are_opened_than_may_be() {
    let gateways = Gateways::with(2, at_most(5)).await;
    let opening = (0..20).map(|place| gateways.all[place % 2].try_stream("ann"));
    let opened = futures_util::future::join_all(opening).await;
    let count = opened.iter().filter(|stream| stream.is_ok()).count();
    assert!(count <= 5, "{count} streams are open");
    // Of those that stood in each other's way some may come again.
    let more = std::cell::RefCell::new(Vec::new());
    let are_full = async || {
        let opened = gateways.all[0].try_stream("ann").await.ok();
        more.borrow_mut().extend(opened);
        count + more.borrow().len() == 5
    };
    eventually("all places to be taken", are_full).await;
    assert_eq!(gateways.all[1].try_stream("ann").await.err(), Some(too_many()));
}

#[tokio::test]
async fn the_places_of_a_killed_gateway_are_free_when_its_lease_ends() {
    let mut gateways = Gateways::with(2, at_most(2)).await;
    let _streams = (
        gateways.all[1].stream("ann").await,
        gateways.all[1].stream("ann").await,
    );
    drop(gateways.all.pop());
    let one = &gateways.all[0];
    assert_eq!(one.try_stream("ann").await.err(), Some(too_many()));
    let opens = async || one.try_stream("ann").await.is_ok();
    eventually("the lease to end", opens).await;
}

#[tokio::test]
async fn streams_that_are_open_count_again_when_redis_comes_back_without_anything() {
    let gateways = Gateways::with(2, at_most(2)).await;
    let [one, two] = gateways.all.as_slice() else {
        panic!()
    };
    let _streams = (one.stream("ann").await, one.stream("ann").await);
    gateways.redis.kill();
    gateways.redis.run();
    gateways.know_of_each_other().await;
    assert_eq!(two.try_stream("ann").await.err(), Some(too_many()));
}

#[tokio::test]
async fn an_address_has_so_many_streams_on_all_gateways_whatever_its_readers_are_called() {
    let settings = Settings {
        max_streams_per_address: Some("2".to_owned()),
        trusted_proxies: Some("127.0.0.1".to_owned()),
        ..Settings::default()
    };
    let gateways = Gateways::with(2, settings).await;
    let [one, two] = gateways.all.as_slice() else {
        panic!()
    };
    let open = async |gateway: &TestGateway, user: &str, address: &str| {
        gateway.try_stream_with(user, "x-forwarded-for", address).await
    };
    let _first = open(one, "ann", "192.0.2.1").await.unwrap();
    let _second = open(two, "bob", "192.0.2.1").await.unwrap();
    let refused = open(two, "cid", "192.0.2.1").await.err().map(|(_, code)| code);
    assert_eq!(refused.as_deref(), Some("too_many_streams_per_address"));
    assert!(open(two, "cid", "192.0.2.2").await.is_ok());
}

/// A place that Redis was not told of, because it did not answer for a moment, was never told of: the others gave it away once more.
#[tokio::test]
async fn streams_that_were_opened_while_redis_could_not_count_them_count_when_it_can() {
    let gateways = Gateways::with(2, at_most(2)).await;
    let [one, two] = gateways.all.as_slice() else {
        panic!()
    };
    // Something else of this name, at which the script fails.
    let _: usize = gateways.ask_redis(&["ZADD", "t:nodes", "inf", "nobody"]);
    gateways.ask_redis::<()>(&["SET", "t:users:nobody", "x"]);
    let _streams = (one.stream("ann").await, one.stream("ann").await);
    let _: usize = gateways.ask_redis(&["ZREM", "t:nodes", "nobody"]);
    let is_full = async || two.try_stream("ann").await.err() == Some(too_many());
    eventually("the others to know of them", is_full).await;
}
