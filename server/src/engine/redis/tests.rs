//! Writers, readers and the sweeper on a real Redis.

mod appending;

mod reading;
mod retention;
mod tls;
mod trouble;

use std::{
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use logs_shared::{Channel, Level, LogEntry, RecordId, Timestamp};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::{testing::RedisServer, *};
use crate::engine::{
    AppendError, Appended, Engine, IdempotencyKey, Log, Named, NewRecord, Retention, Stored,
    group::{Append, Command},
    handover::{Answer, Reply},
};

const KEPT: Retention = Retention {
    records: 100_000,
    age_ms: u64::MAX,
    bytes: u64::MAX,
};

/// What of a gateway talks to Redis: a writer and, where it is asked for, a sweeper. Its log is not told what is appended.
struct Node {
    store: Arc<RedisStore>,
    log: Arc<Log>,
    commands: Option<mpsc::Sender<Command>>,
    threads: Vec<JoinHandle<()>>,
}

impl Node {
    fn new(settings: &RedisSettings) -> Self {
        Self::keeping(settings, KEPT)
    }

    fn keeping(settings: &RedisSettings, retention: Retention) -> Self {
        let store = Arc::new(RedisStore::new(settings.clone(), retention));
        let log = Engine::open(&crate::engine::Storage::Memory, KEPT)
            .unwrap()
            .log()
            .clone();
        let (commands, receiver) = mpsc::channel(1_024);
        let writer = RedisWriter::new(log.clone(), store.clone(), receiver);
        Self {
            store,
            log,
            commands: Some(commands),
            threads: vec![std::thread::spawn(move || writer.run())],
        }
    }

    fn sweeper(&self) -> RedisSweeper {
        let commands = self.commands.as_ref().unwrap().downgrade();
        RedisSweeper::new(self.log.clone(), self.store.clone(), commands)
    }

    /// Sweeps from now on.
    fn sweeping(mut self) -> Self {
        let sweeper = self.sweeper();
        self.threads.push(std::thread::spawn(move || sweeper.run()));
        self
    }

    fn send(&self, records: Vec<NewRecord>, named: Option<Named>) -> oneshot::Receiver<Answer> {
        let (reply, answer) = Reply::alone();
        let waiting = Arc::new(Semaphore::new(1)).try_acquire_many_owned(0).unwrap();
        let append = Append {
            records,
            named,
            reply,
            _waiting: waiting,
        };
        let commands = self.commands.as_ref().unwrap();
        assert!(commands.blocking_send(Command::Append(vec![append])).is_ok());
        answer
    }

    fn try_append(&self, records: Vec<NewRecord>, named: Option<Named>) -> Result<Appended, AppendError> {
        self.send(records, named).blocking_recv().unwrap()
    }

    fn append(&self, records: Vec<NewRecord>) -> Appended {
        self.try_append(records, None).unwrap()
    }

    fn messages(&self, channel: &str) -> Vec<String> {
        messages(&self.read(channel))
    }

    /// Everything that is kept of a channel, read in small portions.
    fn read(&self, name: &str) -> Vec<Stored> {
        let (mut read, mut after) = (Vec::new(), RecordId::ZERO);
        loop {
            let portion = self.store.read_after(&channel(name), after, LAST, 1_000).unwrap();
            after = portion.records.last().map_or(after, |record| record.id);
            read.extend(portion.records);
            if portion.is_all {
                return read;
            }
        }
    }

    fn kept(&self, name: &str) -> crate::engine::store::Kept {
        self.store.kept(&channel(name)).unwrap().unwrap_or_default()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.commands = None;
        for thread in self.threads.drain(..) {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking());
        }
    }
}

const LAST: RecordId = RecordId::new(u64::MAX, u64::MAX);

fn channel(name: &str) -> Channel {
    name.parse().unwrap()
}

fn record(name: &str, message: &str) -> NewRecord {
    let channel = channel(name);
    let entry = LogEntry {
        channel: channel.clone(),
        timestamp: Timestamp::default(),
        level: Level::Info,
        message: message.to_owned(),
        fields: serde_json::from_str("{}").unwrap(),
    };
    NewRecord {
        channel,
        level: Level::Info,
        json: entry.encode(),
    }
}

/// So many records of one channel, with numbers for messages.
fn records(name: &str, numbers: std::ops::Range<usize>) -> Vec<NewRecord> {
    numbers.map(|n| record(name, &n.to_string())).collect()
}

fn named(name: &str, content: u8) -> Option<Named> {
    let key = IdempotencyKey {
        owner: [1; 32],
        name: name.to_owned(),
    };
    Some(Named {
        key,
        content: [content; 32],
    })
}

fn messages(records: &[Stored]) -> Vec<String> {
    let message = |record: &Stored| {
        let json: serde_json::Value = serde_json::from_str(record.json()).unwrap();
        json["message"].as_str().unwrap().to_owned()
    };
    records.iter().map(message).collect()
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

/// Waits until it is so.
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(15);
    while !is_so() {
        assert!(Instant::now() < until, "{what} did not come about");
        std::thread::sleep(Duration::from_millis(10));
    }
}
