//! Several gateways on one Redis, which fails as it likes.

mod losses;

use std::{
    collections::BTreeSet,
    future::poll_fn,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize},
    },
    task::Poll,
    time::Instant,
};

use logs_shared::{Interest, Level, LogEntry, ServerEvent, Timestamp, event::GapReason, sse};

use super::*;
use crate::{
    engine::{
        AppendError, Appended, Engine, IdempotencyKey, Named, NewRecord, RedisSettings, Retention, Storage,
        lock, redis::testing::RedisServer,
    },
    reader::{Progress, Reader},
};

const KEPT: Retention = Retention {
    records: 1_000_000,
    age_ms: u64::MAX,
    bytes: u64::MAX,
};
/// How long something may take before it counts as stuck.
const STUCK: Duration = Duration::from_secs(60);

/// A gateway's engine, closed at the end.
struct Gateway(Engine);

impl Gateway {
    fn new(settings: &RedisSettings) -> Self {
        Self::keeping(settings, KEPT)
    }

    fn keeping(settings: &RedisSettings, retention: Retention) -> Self {
        Self(Engine::open(&Storage::Redis(settings.clone()), retention).unwrap())
    }

    async fn append(&self, channel: &str, count: usize) -> Appended {
        self.0.append(records(channel, count), None).await.unwrap()
    }

    /// Appends under a name until it is known to have been done, as a publisher does.
    async fn append_surely(&self, channel: &str, count: usize, name: String) -> Appended {
        let named = Named {
            key: IdempotencyKey { owner: [1; 32], name },
            content: [1; 32],
        };
        let begun = Instant::now();
        loop {
            match self.0.append(records(channel, count), Some(named.clone())).await {
                Ok(appended) => return appended,
                Err(AppendError::Away) => assert!(begun.elapsed() < STUCK, "Redis stays away"),
                Err(error) => panic!("{error}"),
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn reader(&self, patterns: &[&str], cursor: RecordId) -> Reader {
        self.reader_of(interests(patterns), cursor).await
    }

    /// A reader comes again where Redis is away when it comes.
    async fn reader_of(&self, interests: Vec<Interest>, cursor: RecordId) -> Reader {
        let begun = Instant::now();
        loop {
            assert!(begun.elapsed() < STUCK, "Redis stays away");
            let watch = self.0.watch(interests.clone());
            if self.0.fresh().await.is_err() {
                continue;
            }
            let log = self.0.log().clone();
            let opened = spawn_blocking(move || Reader::new(log, watch, cursor, false));
            if let Ok(reader) = opened.await.unwrap() {
                return reader;
            }
        }
    }

    fn in_memory(&self) -> usize {
        read(&self.0.log().directory).len()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let engine = self.0.clone();
        // Closing blocks, which a runtime does not let its own threads do.
        std::thread::spawn(move || engine.close()).join().unwrap();
    }
}

fn interests(patterns: &[&str]) -> Vec<Interest> {
    let parsed = patterns.iter().map(|text| text.parse().unwrap());
    parsed.map(|pattern| Interest::new(pattern, None)).collect()
}

fn records(channel: &str, count: usize) -> Vec<NewRecord> {
    let channel: Channel = channel.parse().unwrap();
    let one = |_| {
        let entry = LogEntry {
            channel: channel.clone(),
            timestamp: Timestamp::default(),
            level: Level::Info,
            message: "m".to_owned(),
            fields: logs_shared::Fields::default(),
        };
        NewRecord {
            json: entry.encode(),
            level: entry.level,
            channel: entry.channel,
        }
    };
    (0..count).map(one).collect()
}

fn ids(appended: &Appended) -> impl Iterator<Item = RecordId> {
    let Appended {
        first_id, last_id, ..
    } = *appended;
    (first_id.seq..=last_id.seq).map(move |seq| RecordId::new(first_id.ms, seq))
}

/// The events of the next look that has some; waits for it.
async fn next_events(reader: &mut Reader, budget: usize) -> Vec<ServerEvent> {
    poll_fn(|cx| {
        let mut out = Vec::new();
        let progress = reader.read(cx.waker(), budget, &mut out).unwrap();
        let mut events = Vec::new();
        sse::Parser::default().feed(&out, |event, _| {
            events.push(ServerEvent::parse(&event.data).unwrap());
        });
        match progress {
            _ if !events.is_empty() => Poll::Ready(events),
            Progress::Records(_) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Progress::Fetching | Progress::CaughtUp => Poll::Pending,
        }
    })
    .await
}

/// What comes until there are so many records: their ids, and the gaps.
async fn take(reader: &mut Reader, count: usize) -> (Vec<RecordId>, Vec<GapReason>) {
    take_within(reader, count, 64 * 1024).await
}

async fn take_within(reader: &mut Reader, count: usize, budget: usize) -> (Vec<RecordId>, Vec<GapReason>) {
    let (mut ids, mut gaps) = (Vec::new(), Vec::new());
    let all = async {
        while ids.len() < count {
            for event in next_events(reader, budget).await {
                match event {
                    ServerEvent::Log(record) => ids.push(record.id),
                    ServerEvent::Gap(gap) => gaps.push(gap.reason),
                    other => panic!("{other:?}"),
                }
            }
        }
    };
    let in_time = tokio::time::timeout(STUCK, all).await;
    assert!(in_time.is_ok(), "{} of {count} came, and {gaps:?}", ids.len());
    (ids, gaps)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_publishes_another_reads_and_a_third_resumes() {
    let redis = RedisServer::shared();
    let settings = redis.settings();
    let [a, b, c] = [(); 3].map(|()| Gateway::new(&settings));
    let mut named = b.reader(&["logs:etl:w:a"], b.0.head()).await;
    let mut chosen = b.reader(&["logs:*:w:*"], b.0.head()).await;
    let first = a.append("logs:etl:w:a", 3).await;
    let other = b.append("logs:etl:w", 2).await;
    let expected: Vec<_> = ids(&first).chain(ids(&other)).collect();
    assert_eq!(take(&mut named, 3).await, (expected[..3].to_vec(), vec![]));
    assert_eq!(take(&mut chosen, 5).await, (expected.clone(), vec![]));
    let cursor = named.cursor();
    drop((named, chosen));
    let last = a.append("logs:etl:w:a", 1).await;
    let mut resumed = c.reader(&["logs:etl:w:a"], cursor).await;
    assert_eq!(take(&mut resumed, 1).await, (vec![last.first_id], vec![]));
    let mut resumed = c.reader(&["logs:etl:*:*"], expected[1]).await;
    let rest: Vec<_> = expected[2..].iter().copied().chain([last.first_id]).collect();
    assert_eq!(take(&mut resumed, 4).await, (rest, vec![]));
}

/// What was acknowledged by one gateway is seen by whoever opens a stream at another after that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_after_an_answer_sees_what_was_answered() {
    let redis = RedisServer::shared();
    let settings = redis.settings();
    let [a, b] = [(); 2].map(|()| Gateway::new(&settings));
    for n in 0..300 {
        let channel = format!("logs:etl:w:r{}", n % 7);
        let appended = a.append(&channel, 1).await;
        let pattern = if n % 2 == 0 {
            channel.as_str()
        } else {
            "logs:*:w:*"
        };
        let mut reader = b.reader(&[pattern], appended.first_id.previous()).await;
        assert!(b.0.head() >= appended.last_id);
        assert_eq!(take(&mut reader, 1).await, (vec![appended.first_id], vec![]));
    }
}

/// How Redis is disturbed while many publish and read.
async fn under_load(
    gateways: [&Gateway; 2],
    appends: usize,
    disturb: impl AsyncFn(),
) -> (Vec<RecordId>, Vec<Vec<RecordId>>) {
    const CHANNELS: usize = 12;
    const SELECTIONS: [&[&str]; 5] = [
        &["logs:*:w:*"],
        &["logs:s0:w:*", "logs:s1:w:*", "logs:s2:w:*"],
        &["logs:*:*:*", "logs:s1:w:c1"],
        &[
            "logs:s0:*:*",
            "logs:*:w:c1",
            "logs:*:w:c4",
            "logs:*:w:c7",
            "logs:*:w:c10",
            "logs:s2:w:*",
        ],
        &[
            "logs:s0:w:c0",
            "logs:s1:w:c1",
            "logs:s2:w:c2",
            "logs:s0:w:c3",
            "logs:s1:w:c4",
            "logs:s2:w:c5",
            "logs:s0:w:c6",
            "logs:s1:w:c7",
            "logs:s2:w:c8",
            "logs:s0:w:c9",
            "logs:s1:w:c10",
            "logs:s2:w:c11",
        ],
    ];
    let total = 2 * appends * 3;
    let done = AtomicUsize::new(0);
    let publish = async |gateway: &Gateway, name: &str| {
        let mut published = Vec::new();
        for n in 0..appends {
            let channel = format!("logs:s{}:w:c{}", n % 3, n % CHANNELS);
            let appended = gateway.append_surely(&channel, 3, format!("{name}{n}")).await;
            published.extend(ids(&appended));
        }
        published
    };
    let follow = async |gateway: &Gateway, n: usize| {
        let budget = [1, 500, 64 * 1024][n % 3];
        let mut reader = gateway
            .reader(SELECTIONS[n % SELECTIONS.len()], RecordId::ZERO)
            .await;
        let (got, gaps) = take_within(&mut reader, total, budget).await;
        assert_eq!(gaps, [], "reader {n}");
        done.fetch_add(1, Ordering::Relaxed);
        got
    };
    // Others come and go meanwhile, and change what they follow.
    let stop = AtomicBool::new(false);
    let restless = async |gateway: &Gateway| {
        let mut n = 0;
        while !stop.load(Ordering::Relaxed) {
            let channel = format!("logs:s{}:w:c{}", n % 3, n % CHANNELS);
            let watch = gateway.0.watch(interests(&[&channel, "logs:*:w:c5"]));
            let subscriber = watch.subscriber();
            sleep(Duration::from_millis(3)).await;
            subscriber.set_interests(interests(&["logs:*:w", "logs:s1:*:*"]));
            sleep(Duration::from_millis(2)).await;
            drop(watch);
            n += 1;
        }
    };
    let readers = futures_util::future::join_all((0..20).map(|n| follow(gateways[n % 2], n)));
    let publishers = async { tokio::join!(publish(gateways[0], "a"), publish(gateways[1], "b")) };
    let work = async {
        let ((mut published, others), read) = tokio::join!(publishers, readers);
        stop.store(true, Ordering::Relaxed);
        published.extend(others);
        published.sort_unstable();
        (published, read)
    };
    let disturbing = async {
        while !stop.load(Ordering::Relaxed) {
            disturb().await;
        }
    };
    let (outcome, ..) = tokio::join!(work, restless(gateways[0]), restless(gateways[1]), disturbing);
    outcome
}

fn each_once_and_in_order((published, read): (Vec<RecordId>, Vec<Vec<RecordId>>)) {
    let distinct: BTreeSet<_> = published.iter().collect();
    assert_eq!(distinct.len(), published.len(), "an id was given twice");
    for (n, got) in read.iter().enumerate() {
        assert!(
            got.is_sorted_by(|a, b| a < b),
            "reader {n} got an id twice or out of order"
        );
        assert_eq!(got, &published, "reader {n}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_reader_gets_each_record_once_and_in_order_whoever_publishes() {
    let redis = RedisServer::shared();
    let settings = redis.settings();
    let [a, b] = [(); 2].map(|()| Gateway::new(&settings));
    let nothing = async || sleep(Duration::from_millis(50)).await;
    each_once_and_in_order(under_load([&a, &b], 400, nothing).await);
    drop((a, b));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_cut_again_and_again_loses_nothing() {
    let redis = RedisServer::start();
    let settings = redis.settings();
    let [a, b] = [(); 2].map(|()| Gateway::new(&settings));
    let cut = AtomicUsize::new(0);
    let cutting = async || {
        sleep(Duration::from_millis(20)).await;
        let killed: usize = redis.command(&["CLIENT", "KILL", "TYPE", "pubsub"]);
        cut.fetch_add(killed, Ordering::Relaxed);
    };
    each_once_and_in_order(under_load([&a, &b], 1_000, cutting).await);
    assert!(cut.load(Ordering::Relaxed) >= 5, "{cut:?} connections were cut");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_may_be_killed_and_come_again() {
    let redis = RedisServer::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let settings = redis.settings();
    let [a, b] = [(); 2].map(|()| Gateway::new(&settings));
    let killed = AtomicUsize::new(0);
    let killing = async || {
        sleep(Duration::from_millis(300)).await;
        if killed.fetch_add(1, Ordering::Relaxed) < 3 {
            tokio::task::block_in_place(|| {
                redis.kill();
                redis.run();
            });
        }
    };
    each_once_and_in_order(under_load([&a, &b], 300, killing).await);
    assert!(killed.load(Ordering::Relaxed) >= 2);
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retention_is_a_gap_only_where_something_is_missing() {
    let redis = RedisServer::shared();
    let settings = redis.settings();
    let few = Retention { records: 10, ..KEPT };
    let [a, b] = [(); 2].map(|()| Gateway::keeping(&settings, few));
    let start = a.append("logs:etl:w:busy", 1).await.last_id;
    let quiet = a.append("logs:etl:w:quiet", 1).await;
    // This one reads what it follows from memory, all of it; the others come later.
    let mut live = b.reader(&["logs:*:w:*"], quiet.last_id).await;
    let mut all = Vec::new();
    for _ in 0..30 {
        all.extend(ids(&a.append("logs:etl:w:busy", 1).await));
    }
    assert_eq!(take(&mut live, 30).await, (all.clone(), vec![]));
    let mut late = b.reader(&["logs:etl:w:quiet"], start).await;
    assert_eq!(take(&mut late, 1).await, (vec![quiet.first_id], vec![]));
    let mut late = a.reader(&["logs:etl:w:busy"], start).await;
    assert_eq!(
        take(&mut late, 10).await,
        (all[20..].to_vec(), vec![GapReason::Retention])
    );
    // Nothing of what it has not read is gone.
    let mut late = a.reader(&["logs:etl:w:busy"], all[19]).await;
    assert_eq!(take(&mut late, 10).await, (all[20..].to_vec(), vec![]));
}

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

/// What is added gives every record after the id that is told, whoever publishes meanwhile, and whatever else is heard before
/// it is certain that nothing of it is missed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_added_to_a_stream_comes_from_the_told_id_on() {
    let redis = RedisServer::shared();
    let settings = redis.settings();
    let [a, b] = [(); 2].map(|()| Gateway::new(&settings));
    for round in 0..40 {
        let watch = b.0.watch(interests(&["logs:etl:noise"]));
        let subscriber = watch.subscriber();
        b.0.fresh().await.unwrap();
        let mut reader = Reader::new(b.0.log().clone(), watch, b.0.head(), false).unwrap();
        let last = Mutex::new(None);
        let publishing = async {
            let (mut wanted, mut noise) = (Vec::new(), Vec::new());
            for n in 0..20 {
                let channel = format!("logs:etl:w{round}:r{n}");
                let (one, other) = tokio::join!(a.append(&channel, 1), a.append("logs:etl:noise", 1));
                wanted.extend(ids(&one));
                noise.extend(ids(&other));
            }
            noise.extend(ids(&a.append("logs:etl:noise", 1).await));
            *lock(&last) = noise.last().copied();
            // Who had that one before it was said to be the last gets one more.
            a.append("logs:etl:noise", 1).await;
            (wanted, noise)
        };
        let changing = async {
            sleep(Duration::from_millis(round / 4)).await;
            subscriber.set_interests(interests(&["logs:etl:noise", &format!("logs:*:w{round}:*")]))
        };
        let reading = async {
            let mut got: Vec<RecordId> = Vec::new();
            while lock(&last).is_none_or(|last| got.last().is_none_or(|id| *id < last)) {
                got.extend(take(&mut reader, 1).await.0);
            }
            got.retain(|id| Some(*id) <= *lock(&last));
            got
        };
        let ((wanted, mut expected), from, got) = tokio::join!(publishing, changing, reading);
        expected.extend(wanted.into_iter().filter(|id| *id > from));
        expected.sort_unstable();
        assert_eq!(got, expected, "round {round}");
    }
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
