//! Several gateways on one Redis, which fails as it likes.

mod away;
mod disturbed;
mod losses;
mod memory;
mod reading;

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
        NewRecord::from(entry)
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
