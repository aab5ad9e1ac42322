//! What readers cost here and in Redis.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_does_not_read_costs_what_one_mark_costs() {
    let redis = RedisServer::shared();
    let a = Gateway::new(&redis.settings());
    let mut stalled = a.reader(&["logs:*:w:*"], a.0.head()).await;
    let mut live = a.reader(&["logs:etl:w:a"], a.0.head()).await;
    let mut count = 0;
    for _ in 0..50 {
        a.append("logs:etl:w:a", 100).await;
        count += take(&mut live, 100).await.0.len();
    }
    a.0.rest();
    assert_eq!(
        a.0.tail_bytes(),
        0,
        "what nobody but the stalled one has to read is in Redis only"
    );
    let (got, gaps) = take(&mut stalled, count).await;
    assert_eq!((got.len(), gaps), (5_000, vec![]));
    assert!(got.is_sorted_by(|a, b| a < b));
}

/// A channel is in memory as long as something comes to it and somebody follows it, by whatever name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_channels_come_and_go_with_one_reader() {
    const CHANNELS: usize = 3_000;
    let redis = RedisServer::shared();
    let settings = redis.settings();
    let [a, b] = [(); 2].map(|()| Gateway::new(&settings));
    let mut reader = b.reader(&["logs:*:w:*"], b.0.head()).await;
    let published = futures_util::future::join_all((0..CHANNELS).map(|n| {
        let a = &a;
        async move { a.append(&format!("logs:etl:w:r{n}"), 2).await }
    }));
    let (published, (got, gaps)) = tokio::join!(published, take(&mut reader, 2 * CHANNELS));
    assert_eq!((got.len(), gaps), (2 * CHANNELS, vec![]));
    let mut expected: Vec<_> = published.iter().flat_map(ids).collect();
    expected.sort_unstable();
    assert_eq!(got, expected);
    assert_eq!((a.in_memory(), b.in_memory()), (0, CHANNELS));
    b.0.rest();
    assert!(
        b.in_memory() <= 1,
        "the last one may be read yet: {}",
        b.in_memory()
    );
    // One that comes back is followed as before.
    let again = a.append("logs:etl:w:r77", 1).await;
    assert_eq!(take(&mut reader, 1).await, (vec![again.first_id], vec![]));
    drop(reader);
    assert_eq!((b.in_memory(), b.0.tail_bytes()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_counts_followers_hears_which_have_changed() {
    let redis = RedisServer::shared();
    let a = Gateway::new(&redis.settings());
    assert_eq!(a.0.take_recounted(), []);
    let channel: Channel = "logs:etl:w".parse().unwrap();
    let one = a.reader(&["logs:etl:w"], RecordId::ZERO).await;
    let two = a.reader(&["logs:etl:w"], RecordId::ZERO).await;
    assert_eq!(a.0.take_recounted(), [(channel.clone(), 2)]);
    assert_eq!(a.0.take_recounted(), []);
    drop(one);
    assert_eq!(a.0.take_recounted(), [(channel.clone(), 1)]);
    drop(two);
    assert_eq!(a.0.take_recounted(), [(channel, 0)]);
}

/// Redis looks at each pattern for everything that is published, so there are few of them, whatever readers want.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_has_few_patterns_to_look_at_whatever_readers_want() {
    let redis = RedisServer::start();
    let a = Gateway::new(&redis.settings());
    let patterns = || redis.command::<usize>(&["PUBSUB", "NUMPAT"]);
    let mut of_workspaces = Vec::new();
    for n in 0..100 {
        of_workspaces.push(a.reader(&[&format!("logs:*:w{n}:*")], RecordId::ZERO).await);
    }
    assert_eq!(patterns(), 0);
    let mut of_resources = Vec::new();
    for n in 0..100 {
        of_resources.push(a.reader(&[&format!("logs:*:*:r{n}")], RecordId::ZERO).await);
    }
    assert!(patterns() <= 33, "{}", patterns());
    for n in 0..100 {
        let appended = a.append(&format!("logs:etl:w{n}:r{n}"), 1).await;
        for reader in [&mut of_workspaces[n], &mut of_resources[n]] {
            assert_eq!(take(reader, 1).await, (vec![appended.first_id], vec![]));
        }
    }
    drop((of_workspaces, of_resources));
    a.0.fresh().await.unwrap();
    assert_eq!(patterns(), 0);
    let topics: Vec<String> = redis.command(&["PUBSUB", "CHANNELS"]);
    assert!(topics.is_empty(), "{topics:?}");
}

/// What a gateway's readers follow was kept in its memory although it was gone from Redis: who asked it for the past got more
/// than who asked another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_gone_from_redis_is_gone_from_memory_too() {
    let redis = RedisServer::shared();
    let few = Retention { records: 3, ..KEPT };
    let young = Retention {
        age_ms: 2_000,
        ..KEPT
    };
    for (retention, left) in [(few, 3), (young, 0)] {
        let gateway = Gateway::keeping(&redis.settings(), retention);
        let mut live = gateway.reader(&["logs:etl:w"], RecordId::new(u64::MAX, 0)).await;
        let mut all = Vec::new();
        for _ in 0..6 {
            let appended: Vec<_> = ids(&gateway.append("logs:etl:w", 1).await).collect();
            assert_eq!(take(&mut live, 1).await, (appended.clone(), vec![]));
            all.extend(appended);
        }
        let begun = Instant::now();
        while in_tail(&gateway, "logs:etl:w") != all[6 - left..] {
            assert!(begun.elapsed() < STUCK, "{retention:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

fn in_tail(gateway: &Gateway, channel: &str) -> Vec<RecordId> {
    let directory = read(&gateway.0.log().directory);
    let mut ids = Vec::new();
    let log = directory.get(&channel.parse().unwrap()).unwrap();
    log.each_in_tail(|id, _| {
        ids.push(id);
        true
    });
    ids
}

/// Readers that all came back at once had a thread each, and everybody else waited for one: Redis answers a few at a time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_its_turn_at_redis_has_no_thread() {
    let redis = RedisServer::shared();
    let gateway = Gateway::new(&redis.settings());
    let appended: Vec<_> = ids(&gateway.append("logs:etl:w", 3).await).collect();
    let turns = gateway.0.log().turns().unwrap().clone();
    let all = u32::try_from(turns.available_permits()).unwrap();
    let others = turns.clone().acquire_many_owned(all).await.unwrap();
    let mut gone = gateway.reader(&["logs:etl:w"], RecordId::ZERO).await;
    let mut reader = gateway.reader(&["logs:etl:w"], RecordId::ZERO).await;
    for waiting in [&mut gone, &mut reader] {
        let early = tokio::time::timeout(Duration::from_millis(200), take(waiting, 3)).await;
        assert!(early.is_err(), "it is not its turn: {early:?}");
    }
    // Its place is given to who comes next.
    drop(gone);
    drop(others);
    assert_eq!(take(&mut reader, 3).await, (appended, vec![]));
    let begun = Instant::now();
    while turns.available_permits() < all as usize {
        assert!(begun.elapsed() < STUCK, "a turn was not given back");
        sleep(Duration::from_millis(10)).await;
    }
}
