//! What was once lost, or would have been, while a gateway heard nothing.

use super::*;
use crate::engine::RedisUrl;

/// A Redis that can be kept from one gateway while the others go on.
struct Barred<'a> {
    redis: &'a RedisServer,
    settings: RedisSettings,
}

impl<'a> Barred<'a> {
    /// With a gateway that goes on, and one that may be kept away.
    fn beside_another(redis: &'a RedisServer) -> (Self, Gateway, Gateway) {
        let settings = redis.settings();
        let _: () = redis.command(&["ACL", "SETUSER", "barred", "on", ">secret", "~*", "&*", "+@all"]);
        let url = format!("redis://barred:secret@127.0.0.1:{}", redis.port());
        let barred = RedisSettings {
            url: url.parse::<RedisUrl>().unwrap(),
            ..settings.clone()
        };
        let gateways = (Gateway::new(&settings), Gateway::new(&barred));
        let settings = barred;
        (Self { redis, settings }, gateways.0, gateways.1)
    }

    fn settings_of_others(&self) -> RedisSettings {
        RedisSettings {
            url: self.redis.url(),
            ..self.settings.clone()
        }
    }

    fn set(&self, rule: &str) {
        let _: () = self.redis.command(&["ACL", "SETUSER", "barred", rule]);
    }

    fn cut(&self) {
        let _: i64 = self.redis.command(&["CLIENT", "KILL", "USER", "barred"]);
    }

    async fn away(&self, gateway: &Gateway) {
        self.set("off");
        self.cut();
        let begun = Instant::now();
        while !gateway.0.log().is_away() {
            assert!(begun.elapsed() < STUCK);
            sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Redis lost everything, and another gateway was back before this one and published to a channel of which this one
/// had never heard. What was published since then was passed over: only channels in memory were looked at.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_to_a_log_that_begins_anew_before_a_gateway_is_back_is_read() {
    let redis = RedisServer::start();
    let (barred, a, b) = Barred::beside_another(&redis);
    let first = a.append("logs:etl:w:known", 1).await;
    let mut chosen = b.reader(&["logs:*:w:*"], RecordId::ZERO).await;
    assert_eq!(take(&mut chosen, 1).await.0, [first.first_id]);
    barred.away(&b).await;
    let _: () = redis.command(&["FLUSHALL"]);
    let new = a.append_surely("logs:etl:w:new", 3, "new".to_owned()).await;
    let known = a.append_surely("logs:etl:w:known", 2, "known".to_owned()).await;
    barred.set("on");
    let (got, gaps) = take(&mut chosen, 5).await;
    assert_eq!(got, ids(&new).chain(ids(&known)).collect::<Vec<_>>());
    assert!(gaps.iter().all(|gap| *gap == GapReason::Restart), "{gaps:?}");
    assert!(!gaps.is_empty());
}

/// Where Redis let the gateway subscribe but not look what it had missed, it connected again and again without a pause.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_missed_is_asked_for_with_pauses() {
    let redis = RedisServer::start();
    let (barred, a, b) = Barred::beside_another(&redis);
    let mut reader = b.reader(&["logs:*:w:*"], RecordId::ZERO).await;
    let first = a.append("logs:etl:w", 1).await;
    assert_eq!(take(&mut reader, 1).await.0, [first.first_id]);
    barred.away(&b).await;
    let missed = a.append("logs:etl:w", 1).await;
    barred.set("-zrangebyscore");
    barred.set("on");
    let connections = || {
        let stats: String = redis.command(&["INFO", "stats"]);
        let line = stats
            .lines()
            .find_map(|line| line.strip_prefix("total_connections_received:"));
        line.unwrap().parse::<u64>().unwrap()
    };
    let before = connections();
    sleep(Duration::from_secs(2)).await;
    let made = connections() - before;
    assert!(made < 60, "{made} connections in two seconds");
    barred.set("+zrangebyscore");
    assert_eq!(take(&mut reader, 1).await, (vec![missed.first_id], vec![]));
}

/// A channel was emptied by retention, forgotten, and began again: a reader that had not read what went was not told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_forgotten_channel_had_is_a_gap_also_where_it_begins_again() {
    let redis = RedisServer::shared();
    let settings = redis.settings();
    let a = Gateway::new(&settings);
    let start = a.append("logs:etl:w:other", 1).await.last_id;
    a.append("logs:etl:w:gone", 3).await;
    let mut reader = a.reader(&["logs:etl:w:gone"], start).await;
    forget_all(&redis, &settings).await;
    let after = a.append("logs:etl:w:gone", 2).await;
    let (got, gaps) = take(&mut reader, 2).await;
    assert_eq!((got, gaps), (ids(&after).collect(), vec![GapReason::Retention]));
    // Where nothing was, nothing is missing.
    let cursor = after.last_id;
    let new = a.append("logs:etl:w:new", 1).await;
    let mut reader = a.reader(&["logs:etl:w:new"], cursor).await;
    assert_eq!(take(&mut reader, 1).await, (vec![new.first_id], vec![]));
}

/// All that was published to a channel while a gateway heard nothing was gone again, with the channel, when it was back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_and_went_while_nothing_was_heard_is_a_gap() {
    let redis = RedisServer::start();
    let (barred, a, b) = Barred::beside_another(&redis);
    let mut reader = b.reader(&["logs:etl:w:gone"], RecordId::ZERO).await;
    let first = a.append("logs:etl:w:gone", 1).await;
    assert_eq!(take(&mut reader, 1).await.0, [first.first_id]);
    barred.away(&b).await;
    a.append("logs:etl:w:gone", 2).await;
    forget_all(&redis, &barred.settings_of_others()).await;
    barred.set("on");
    while b.0.fresh().await.is_err() {}
    let events = next_events(&mut reader, 1_000);
    let events = tokio::time::timeout(STUCK, events)
        .await
        .expect("the reader is told");
    assert!(
        matches!(&events[..], [ServerEvent::Gap(gap)] if gap.reason == GapReason::Retention),
        "{events:?}"
    );
    let after = a.append("logs:etl:w:gone", 1).await;
    assert_eq!(take(&mut reader, 1).await, (vec![after.first_id], vec![]));
}

/// Redis came back without its newest records, as after a crash: who had not read them yet was told nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_that_redis_has_lost_are_a_gap_to_who_had_not_read_them() {
    let redis = RedisServer::start();
    let settings = redis.settings();
    let [a, b] = [(); 2].map(|()| Gateway::new(&settings));
    let kept = a.append("logs:etl:w", 2).await;
    let keys = ["log", "c:logs:etl:w", "s:logs:etl:w"].map(|key| format!("{}{key}", settings.prefix));
    let copy = |from: &str, to: &str| {
        let _: bool = redis.command(&["COPY", from, to, "REPLACE"]);
    };
    keys.iter().for_each(|key| copy(key, &format!("old {key}")));
    let mut live = b.reader(&["logs:etl:w"], kept.first_id).await;
    let lost = a.append("logs:etl:w", 3).await;
    let all: Vec<_> = ids(&kept).skip(1).chain(ids(&lost)).collect();
    assert_eq!(take(&mut live, 4).await, (all, vec![]));
    // These two find nothing of it in memory.
    let mut early = a.reader(&["logs:etl:w"], RecordId::ZERO).await;
    let mut amid = a.reader(&["logs:etl:w"], lost.first_id).await;
    keys.iter().for_each(|key| copy(&format!("old {key}"), key));
    a.0.fresh().await.unwrap();
    b.0.fresh().await.unwrap();
    let after = a.append("logs:etl:w", 1).await;
    assert!(after.first_id > lost.last_id);
    assert_eq!(take(&mut live, 1).await, (vec![after.first_id], vec![]));
    let rest: Vec<_> = ids(&kept).chain(ids(&after)).collect();
    assert_eq!(take(&mut early, 3).await, (rest, vec![GapReason::Restart]));
    assert_eq!(
        take(&mut amid, 1).await,
        (vec![after.first_id], vec![GapReason::Restart])
    );
}

/// Has retention take everything there is.
async fn forget_all(redis: &RedisServer, settings: &RedisSettings) {
    sleep(Duration::from_millis(3)).await;
    let greedy = Gateway::keeping(settings, Retention { age_ms: 0, ..KEPT });
    let begun = Instant::now();
    loop {
        // Who swept until now is not to go on.
        let _: i64 = redis.command(&["DEL", &format!("{}sweeps", settings.prefix)]);
        let left: i64 = redis.command(&["ZCARD", &format!("{}oldest", settings.prefix)]);
        if left == 0 {
            break;
        }
        assert!(begun.elapsed() < STUCK);
        sleep(Duration::from_millis(20)).await;
    }
    drop(greedy);
}

/// Thousands of channels have something new after a pause: they are looked at in no more than a moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_channels_are_made_up_for_in_a_moment() {
    const CHANNELS: usize = 5_000;
    let redis = RedisServer::start();
    let (barred, a, b) = Barred::beside_another(&redis);
    let name = |n: usize| format!("logs:etl:w:c{n}");
    let publish = async || {
        let all = (0..CHANNELS)
            .flat_map(|n| records(&name(n), 1))
            .collect::<Vec<_>>();
        let mut all = all.into_iter().peekable();
        while all.peek().is_some() {
            let some = all.by_ref().take(500).collect();
            a.0.append(some, None).await.unwrap();
        }
    };
    publish().await;
    let names: Vec<_> = (0..CHANNELS).map(name).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let mut reader = b.reader(&names, b.0.head()).await;
    barred.away(&b).await;
    publish().await;
    barred.set("on");
    let begun = Instant::now();
    while b.0.log().is_away() || b.0.head() < a.0.head() {
        assert!(begun.elapsed() < STUCK);
        sleep(Duration::from_millis(5)).await;
    }
    let took = begun.elapsed();
    println!("{CHANNELS} channels took {took:?}");
    let (got, gaps) = take(&mut reader, CHANNELS).await;
    assert!(got.is_sorted() && gaps.is_empty());
    assert!(took < Duration::from_secs(4), "{took:?}");
}
