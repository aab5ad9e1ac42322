//! Many publish and read while Redis is disturbed.

use super::*;

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
