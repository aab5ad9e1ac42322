//! Redis is away, comes back, and has perhaps lost something.

use super::*;

/// Redis does not answer: what is open stays, what is to be opened is refused in time, and then all goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn while_redis_is_away_readers_rest_and_then_go_on() {
    let redis = RedisServer::start();
    let a = Gateway::new(&redis.settings());
    let before = a.append("logs:etl:w", 500).await;
    a.0.rest();
    let mut reader = a.reader(&["logs:etl:w"], RecordId::ZERO).await;
    let mut live = a.reader(&["logs:*:w"], a.0.head()).await;
    redis.pause(true);
    let begun = Instant::now();
    let watch = a.0.watch(interests(&["logs:etl:w"]));
    assert!(a.0.fresh().await.is_err());
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    drop(watch);
    // It has to ask Redis for the first of them.
    let waiting = tokio::time::timeout(Duration::from_secs(5), next_events(&mut reader, 64)).await;
    assert!(waiting.is_err(), "{waiting:?}");
    assert!(
        live.delayed_ms().is_some_and(|ms| ms > 3_000),
        "{:?}",
        live.delayed_ms()
    );
    assert_eq!(
        a.0.append(records("logs:etl:w", 1), None).await,
        Err(AppendError::Away)
    );
    redis.pause(false);
    let (got, gaps) = take(&mut reader, 500).await;
    assert_eq!((got, gaps), (ids(&before).collect(), vec![]));
    let after = a.append_surely("logs:etl:w", 1, "k".to_owned()).await;
    assert_eq!(take(&mut live, 1).await, (vec![after.first_id], vec![]));
    assert_eq!(live.delayed_ms(), None);
}

/// The gateway starts before Redis does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_may_come_after_the_gateway() {
    let redis = RedisServer::start();
    redis.kill();
    let a = Gateway::new(&redis.settings());
    assert!(a.0.fresh().await.is_err());
    assert!(a.0.trouble().is_some());
    redis.run();
    let mut reader = a.reader(&["logs:etl:w"], RecordId::ZERO).await;
    let appended = a.append_surely("logs:etl:w", 1, "k".to_owned()).await;
    assert_eq!(take(&mut reader, 1).await, (vec![appended.first_id], vec![]));
    assert_eq!(a.0.trouble(), None);
}

/// Everything that Redis had is gone, while gateways and readers are there: it was emptied, or has come again with nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_begins_anew_is_a_gap_that_says_so() {
    let redis = RedisServer::start();
    let settings = redis.settings();
    let [a, b] = [(); 2].map(|()| Gateway::new(&settings));
    let mut named = b.reader(&["logs:etl:w:a"], RecordId::ZERO).await;
    let mut chosen = b.reader(&["logs:*:w:*"], RecordId::ZERO).await;
    let mut behind = b.reader(&["logs:*:w:*"], RecordId::ZERO).await;
    for round in 0..2 {
        let before = a.append_surely("logs:etl:w:a", 3, format!("before{round}")).await;
        assert_eq!(take(&mut named, 3).await.0.len(), 3);
        assert_eq!(take(&mut chosen, 3).await.0.len(), 3);
        if round == 0 {
            let _: () = redis.command(&["FLUSHALL"]);
        } else {
            tokio::task::block_in_place(|| {
                redis.kill();
                redis.run();
            });
        }
        while b.0.fresh().await.is_err() {}
        assert!(
            before.last_id < b.0.floor(),
            "who comes back with a cursor from before is told"
        );
        let after = a.append_surely("logs:etl:w:a", 2, format!("after{round}")).await;
        assert!(after.first_id > before.last_id);
        for reader in [&mut named, &mut chosen, &mut behind] {
            let (got, gaps) = take(reader, 2).await;
            assert_eq!(got, ids(&after).collect::<Vec<_>>());
            assert_eq!(gaps, [GapReason::Restart]);
        }
    }
}

/// The newest records are lost with a server that had not written them down; readers have had them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_that_readers_have_passed_are_not_given_again() {
    let redis = RedisServer::start();
    let settings = redis.settings();
    let [a, b] = [(); 2].map(|()| Gateway::new(&settings));
    let mut reader = b.reader(&["logs:etl:w"], RecordId::ZERO).await;
    let kept = a.append("logs:etl:w", 1).await;
    assert_eq!(take(&mut reader, 1).await.0.len(), 1);
    // As if it had come from a server whose clock was ahead.
    let ahead = format!("{}-7", now_ms() + 86_400_000);
    let log = format!("{}log", settings.prefix);
    let _: i64 = redis.command(&["HSET", &log, "last", &ahead]);
    let lost = a.append("logs:etl:w", 1).await;
    assert_eq!(take(&mut reader, 1).await.0, [lost.first_id]);
    let _: i64 = redis.command(&["HSET", &log, "last", &kept.last_id.to_string()]);
    b.0.fresh().await.unwrap();
    let raised: String = redis.command(&["HGET", &log, "last"]);
    assert!(raised.parse::<RecordId>().unwrap() >= lost.last_id);
}
