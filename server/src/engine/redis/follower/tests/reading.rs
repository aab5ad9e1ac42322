//! What one gateway publishes the readers of all find.

use super::*;

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
