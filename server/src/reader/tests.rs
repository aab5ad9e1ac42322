use std::{future::poll_fn, time::Duration};

use logs_shared::{Channel, Interest, Level, LogEntry, Timestamp, sse};
use tempfile::TempDir;

use super::*;
use crate::engine::{Durability, Engine, NewRecord, Retention, Storage};

const KEPT: Retention = Retention {
    records: 100_000,
    age_ms: u64::MAX,
    bytes: u64::MAX,
};

fn record(channel: &Channel) -> NewRecord {
    let entry = LogEntry {
        channel: channel.clone(),
        timestamp: Timestamp::default(),
        level: Level::Info,
        message: "m".to_owned(),
        fields: logs_shared::Fields::default(),
    };
    NewRecord {
        json: entry.encode(),
        channel: entry.channel,
        level: entry.level,
    }
}

fn reader(engine: &Engine, patterns: &[&str], cursor: RecordId) -> Reader {
    let interests = patterns
        .iter()
        .map(|text| Interest::new(text.parse().unwrap(), None));
    let watch = engine.watch(interests.collect());
    Reader::new(engine.log().clone(), watch, cursor, false)
        .unwrap()
        .sharing()
}

/// The records of the next chunk; waits for there to be one.
async fn next_chunk(reader: &mut Reader, budget: usize) -> Vec<RecordId> {
    let mut ids = Vec::new();
    poll_fn(|cx| {
        let mut out = Vec::new();
        let progress = reader.read(cx.waker(), budget, &mut out).unwrap();
        if let Some(batch) = reader.take_batch() {
            out.splice(..0, batch.plain());
        }
        sse::Parser::default().feed(&out, |event, id| {
            if event.name.is_empty() {
                ids.push(id.parse().unwrap());
            }
        });
        match progress {
            Progress::Records(count) => {
                assert_eq!(ids.len() as u64, count);
                Poll::Ready(())
            }
            Progress::Fetching | Progress::CaughtUp => Poll::Pending,
        }
    })
    .await;
    ids
}

/// Publishers race on channels that come into being meanwhile, and readers read as they please, woken as streams are.
async fn race(storage: Storage, rests: bool, is_busy: bool) {
    const PUBLISHERS: usize = 8;
    const APPENDS: usize = 300;
    let opening = storage.clone();
    let engine = tokio::task::spawn_blocking(move || Engine::open(&opening, KEPT).unwrap())
        .await
        .unwrap();
    if is_busy {
        engine.pace_always();
    }
    let read_all = |patterns: &'static [&'static str], budget| {
        let engine = engine.clone();
        tokio::spawn(async move {
            let mut reader = reader(&engine, patterns, RecordId::ZERO);
            let mut got = Vec::new();
            while got.len() < PUBLISHERS * APPENDS * 3 {
                got.extend(next_chunk(&mut reader, budget).await);
            }
            got
        })
    };
    let readers = [
        read_all(&["logs:*:w:*"], 500),
        read_all(&["logs:*:*:*", "logs:s1:w:0"], 64 * 1024),
        read_all(&["logs:*:w:*"], 1),
    ];
    let publishers = (0..PUBLISHERS).map(|publisher| {
        let engine = engine.clone();
        tokio::spawn(async move {
            let mut published = Vec::new();
            for append in 0..APPENDS {
                let channel = |n: usize| format!("logs:s{}:w:{}", n % 3, n % 40).parse().unwrap();
                let records = (0..3).map(|n| record(&channel(publisher + append + n)));
                published.push(engine.append(records.collect(), None).await.unwrap());
                if rests && append % 10 == 0 {
                    engine.rest();
                }
            }
            published
        })
    });
    let mut appended = Vec::new();
    for publisher in publishers.collect::<Vec<_>>() {
        appended.extend(publisher.await.unwrap());
    }
    appended.sort_by_key(|appended| appended.first_id);
    for reader in readers {
        let got = tokio::time::timeout(Duration::from_secs(60), reader)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(got.len(), PUBLISHERS * APPENDS * 3);
        assert!(got.is_sorted_by(|a, b| a < b), "an id came twice or out of order");
        assert!(
            appended
                .iter()
                .zip(got.chunks(3))
                .all(|(a, chunk)| a.first_id == chunk[0] && a.last_id == chunk[2])
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_publishers_never_make_a_reader_see_a_smaller_id_after_a_larger_one() {
    race(Storage::Memory, false, false).await;
}

/// The same while readers are put off all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nor_do_readers_that_are_woken_at_a_pace() {
    race(Storage::Memory, false, true).await;
}

/// The same while channels leave memory all the time, so that readers go back and forth between tails and store.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nor_do_channels_that_come_and_go() {
    let dir = TempDir::new().unwrap();
    let storage = Storage::Disk {
        dir: dir.path().to_owned(),
        durability: Durability::Process,
    };
    race(storage, true, true).await;
}

/// Readers of one channel who come and go, woken at a pace, while several publish to it: each gets every record after its cursor.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_that_share_a_channel_get_all_of_it() {
    const PUBLISHERS: usize = 4;
    const APPENDS: usize = 500;
    let engine = Engine::open(&Storage::Memory, KEPT).unwrap();
    engine.pace_always();
    let channel: Channel = "logs:etl:w".parse().unwrap();
    let first = engine.append(vec![record(&channel)], None).await.unwrap();
    let all = PUBLISHERS * APPENDS;
    let readers: Vec<_> = (0..20)
        .map(|n| {
            let engine = engine.clone();
            tokio::spawn(async move {
                let (mut got, mut cursor) = (Vec::new(), first.last_id);
                while got.len() < all {
                    let mut reader = reader(&engine, &["logs:etl:w"], cursor);
                    // Some stay, some come back with their cursor every now and then.
                    let stays = if n % 4 == 0 { 1 + got.len() % 7 } else { usize::MAX };
                    for _ in 0..stays {
                        got.extend(next_chunk(&mut reader, if n == 1 { 1_000 } else { 64 * 1024 }).await);
                        if got.len() >= all {
                            break;
                        }
                    }
                    cursor = reader.cursor();
                }
                got
            })
        })
        .collect();
    let publishers: Vec<_> = (0..PUBLISHERS)
        .map(|_| {
            let (engine, channel) = (engine.clone(), channel.clone());
            tokio::spawn(async move {
                let mut ids = Vec::new();
                for _ in 0..APPENDS {
                    ids.push(
                        engine
                            .append(vec![record(&channel)], None)
                            .await
                            .unwrap()
                            .first_id,
                    );
                }
                ids
            })
        })
        .collect();
    let mut published = Vec::new();
    for publisher in publishers {
        published.extend(publisher.await.unwrap());
    }
    published.sort_unstable();
    for reader in readers {
        let got = tokio::time::timeout(Duration::from_secs(60), reader).await;
        assert_eq!(got.unwrap().unwrap(), published);
    }
}

#[tokio::test]
async fn a_reader_that_does_not_read_holds_nothing_and_delays_nobody() {
    let engine = Engine::open(&Storage::Memory, Retention { records: 100, ..KEPT }).unwrap();
    let channel: Channel = "logs:etl:w".parse().unwrap();
    let mut stalled = reader(&engine, &["logs:etl:w"], engine.head());
    for _ in 0..50 {
        let records = (0..100).map(|_| record(&channel)).collect();
        engine.append(records, None).await.unwrap();
    }
    // One mark, whatever was published.
    let mut ready = Vec::new();
    stalled.watch.take_ready(&mut ready);
    assert_eq!(ready.len(), 1);
    stalled.ready = ready;
    assert_eq!(next_chunk(&mut stalled, usize::MAX).await.len(), 100);
    assert_eq!(stalled.ready.len(), 0);
}
