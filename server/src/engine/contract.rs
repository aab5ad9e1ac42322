//! What every engine must do, whatever it keeps records in.

use std::task::Waker;

use logs_shared::{Conditions, Interest, Level, LogEntry, ServerEvent, Timestamp, event::GapReason, sse};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::{
    engine::redis::testing::RedisServer,
    newest::newest,
    reader::{Progress, Reader},
};

const KEPT: Retention = Retention {
    records: 100_000,
    age_ms: u64::MAX,
    bytes: u64::MAX,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Memory,
    Disk,
    Redis,
}

impl Kind {
    /// Whether what is kept outlives the engine, and its tails.
    fn is_kept(self) -> bool {
        self != Self::Memory
    }
}

/// An engine under test, and a runtime to ask it with.
struct Opened {
    engine: Option<Engine>,
    storage: Storage,
    retention: Retention,
    memory: u64,
    runtime: tokio::runtime::Runtime,
    _dir: TempDir,
    _redis: Option<Arc<RedisServer>>,
}

impl Opened {
    fn new(kind: Kind, retention: Retention) -> Self {
        Self::within(kind, retention, 1 << 30)
    }

    /// With so much memory for records.
    fn within(kind: Kind, retention: Retention, memory: u64) -> Self {
        let dir = TempDir::new().unwrap();
        let redis = (kind == Kind::Redis).then(RedisServer::shared);
        let storage = match &redis {
            Some(redis) => Storage::Redis(redis.settings()),
            None if kind == Kind::Memory => Storage::Memory,
            None => Storage::Disk {
                dir: dir.path().join("log"),
                durability: Durability::Process,
            },
        };
        let mut opened = Self {
            engine: None,
            storage,
            retention,
            memory,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .unwrap(),
            _dir: dir,
            _redis: redis,
        };
        opened.open();
        opened
    }

    fn open(&mut self) {
        let engine = Engine::open_within(&self.storage, self.retention, self.memory).unwrap();
        self.engine = Some(engine);
        self.fresh();
    }

    /// Waits until everything that was appended can be read.
    fn fresh(&self) {
        self.runtime.block_on(self.engine().fresh()).unwrap();
    }

    /// Closes it and opens it again. Nothing may be left of it, so that its folder is free.
    fn restart(&mut self) {
        self.engine.take().unwrap().close();
        self.open();
    }

    fn engine(&self) -> &Engine {
        self.engine.as_ref().unwrap()
    }

    fn log(&self) -> &Arc<Log> {
        self.engine().log()
    }

    fn append(&self, records: Vec<NewRecord>) -> Appended {
        self.try_append(records, None).unwrap()
    }

    fn try_append(&self, records: Vec<NewRecord>, named: Option<Named>) -> Result<Appended, AppendError> {
        let appended = self.runtime.block_on(self.engine().append(records, named));
        if appended.is_ok() {
            self.fresh();
        }
        appended
    }

    fn reader(&self, selection: &[&str], level: Option<Level>, cursor: RecordId) -> Reader {
        self.reader_of(self.watch(selection, level), cursor)
    }

    fn reader_of(&self, watch: Watch, cursor: RecordId) -> Reader {
        Reader::new(self.log().clone(), watch, cursor, true).unwrap()
    }

    fn watch(&self, selection: &[&str], level: Option<Level>) -> Watch {
        self.watching(interests(selection, level))
    }

    fn watching(&self, interests: Vec<Interest>) -> Watch {
        let watch = self.engine().watch(interests);
        self.fresh();
        watch
    }

    /// Has a reader follow something else.
    fn change(&self, subscriber: &Subscriber, interests: Vec<Interest>) -> RecordId {
        let from = subscriber.set_interests(interests);
        self.fresh();
        from
    }

    fn rest(&self) {
        self.engine().rest();
    }

    fn in_memory(&self) -> usize {
        read(&self.log().directory).len()
    }

    /// Waits until the sweeper has done so.
    fn eventually(&self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        for _ in 0..500 {
            if is_so(self) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("{what} did not come about");
    }

    fn overview(&self, channel: &str) -> ChannelOverview {
        self.channels(channel).remove(0)
    }

    fn channels(&self, pattern: &str) -> Vec<ChannelOverview> {
        self.engine().channels(&pattern.parse().unwrap()).unwrap()
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if let Some(engine) = self.engine.take() {
            engine.close();
        }
    }
}

fn interests(selection: &[&str], level: Option<Level>) -> Vec<Interest> {
    selection
        .iter()
        .map(|text| Interest::new(text.parse().unwrap(), level))
        .collect()
}

fn record(channel: &str, level: Level, fields: &str) -> NewRecord {
    let entry = LogEntry {
        channel: channel.parse().unwrap(),
        timestamp: Timestamp::default(),
        level,
        message: "m".to_owned(),
        fields: serde_json::from_str(fields).unwrap(),
    };
    NewRecord {
        json: entry.encode(),
        channel: entry.channel,
        level,
    }
}

fn records(channel: &str, count: usize) -> Vec<NewRecord> {
    (0..count).map(|_| record(channel, Level::Info, "{}")).collect()
}

/// Reads with this budget until there is nothing left, or `most` times.
fn read_events(reader: &mut Reader, budget: usize, most: usize) -> Vec<ServerEvent> {
    let mut parser = sse::Parser::default();
    let mut events = Vec::new();
    for _ in 0..most {
        let mut out = Vec::new();
        let progress = reader.read(Waker::noop(), budget, &mut out).unwrap();
        if let Some(batch) = reader.take_batch() {
            out.splice(..0, batch.plain());
        }
        parser.feed(&out, |event, _| {
            events.push(ServerEvent::parse(&event.data).unwrap());
        });
        if progress == Progress::CaughtUp {
            break;
        }
    }
    events
}

fn ids(events: &[ServerEvent]) -> Vec<RecordId> {
    let id = |event: &ServerEvent| match event {
        ServerEvent::Log(record) => Some(record.id),
        _ => None,
    };
    events.iter().filter_map(id).collect()
}

fn everything(reader: &mut Reader) -> Vec<RecordId> {
    ids(&read_events(reader, 64 * 1024, usize::MAX))
}

/// Runs each claim on each kind of engine.
macro_rules! claims {
    ($($claim:ident),* $(,)?) => {
        mod memory {
            $(#[test] fn $claim() { super::$claim(super::Kind::Memory); })*
        }
        mod disk {
            $(#[test] fn $claim() { super::$claim(super::Kind::Disk); })*
        }
        mod redis {
            $(#[test] fn $claim() { super::$claim(super::Kind::Redis); })*
        }
    };
}

claims!(
    ids_grow_whatever_the_clock_says,
    a_repeat_appends_nothing,
    a_pattern_finds_channels_that_are_nowhere_in_memory,
    a_reader_that_fell_behind_retention_is_told_where_records_are_missing,
    old_records_go_and_their_channels_are_forgotten,
    together_records_take_no_more_than_they_may,
    memory_for_records_is_bounded_over_all_channels,
    a_reader_that_goes_leaves_nothing_behind,
    what_a_reader_follows_can_be_changed_while_it_reads,
    what_a_reader_has_in_hand_outlives_a_change_of_what_it_follows,
    conditions_are_looked_at_once_for_each_record,
    a_closed_engine_refuses,
);

fn ids_grow_whatever_the_clock_says(kind: Kind) {
    let opened = Opened::new(kind, KEPT);
    let many = opened.append(records("logs:etl:w", 100_000));
    // One append is within one millisecond, so its ids are neighbours.
    assert_eq!(
        many.last_id,
        RecordId::new(many.first_id.ms, many.first_id.seq + 99_999)
    );
    let next = opened.append(records("logs:faas:w", 1));
    assert!(next.first_id > many.last_id);
    assert_eq!(opened.engine().head(), next.last_id);
}

fn a_repeat_appends_nothing(kind: Kind) {
    let mut opened = Opened::new(kind, KEPT);
    let named = |content: u8| Named {
        key: IdempotencyKey {
            owner: [1; 32],
            name: "k".to_owned(),
        },
        content: [content; 32],
    };
    let first = opened
        .try_append(records("logs:etl:w", 2), Some(named(1)))
        .unwrap();
    for round in 0..2 {
        let repeat = opened.try_append(records("logs:etl:w", 2), Some(named(1)));
        let answer = Appended {
            is_repeat: true,
            ..first
        };
        assert_eq!(repeat, Ok(answer), "{round}");
        let other = opened.try_append(records("logs:etl:w", 2), Some(named(2)));
        assert_eq!(other, Err(AppendError::KeyReused));
        assert_eq!(opened.overview("logs:etl:w").records, 2);
        if kind.is_kept() {
            opened.restart();
        }
    }
}

fn a_pattern_finds_channels_that_are_nowhere_in_memory(kind: Kind) {
    let opened = Opened::new(kind, KEPT);
    for n in 0..40 {
        opened.append(records(&format!("logs:s{}:w{}:r{n}", n % 3, n % 2), 2));
    }
    opened.rest();
    assert_eq!(opened.in_memory(), if kind.is_kept() { 0 } else { 40 });
    let expected = |pattern: &str| {
        let chosen = opened.channels(pattern);
        chosen.iter().map(|overview| overview.records).sum::<usize>()
    };
    for pattern in [
        "logs:*:w1:*",
        "logs:s2:*:*",
        "logs:*:*:r7",
        "logs:s0:w0:*",
        "logs:*:*:*",
        "logs:*:w1",
    ] {
        let mut reader = opened.reader(&[pattern], None, RecordId::ZERO);
        assert_eq!(everything(&mut reader).len(), expected(pattern), "{pattern}");
        drop(reader);
        opened.rest();
    }
    // A live reader looks at none of them.
    let mut live = opened.reader(&["logs:*:*:*"], None, opened.engine().head());
    match kind {
        Kind::Memory => assert_eq!(opened.in_memory(), 40),
        Kind::Disk => assert_eq!(opened.in_memory(), 0),
        // But for what came in the millisecond of the last record.
        Kind::Redis => assert!(opened.in_memory() < 20),
    }
    assert_eq!(everything(&mut live), []);
    opened.rest();
    let appended = opened.append(records("logs:s1:w1:r1", 1));
    assert_eq!(everything(&mut live), [appended.first_id]);
    // It has read it, so the channel may go, and comes back for the next.
    opened.rest();
    assert_eq!(opened.in_memory(), if kind.is_kept() { 0 } else { 40 });
    let appended = opened.append(records("logs:s1:w1:r1", 1));
    opened.rest();
    assert_eq!(everything(&mut live), [appended.first_id]);
}

fn a_reader_that_fell_behind_retention_is_told_where_records_are_missing(kind: Kind) {
    let opened = Opened::new(kind, Retention { records: 10, ..KEPT });
    for selection in [&["logs:etl:w"][..], &["logs:*:w"]] {
        let mut reader = opened.reader(selection, None, opened.engine().head());
        let from = reader.cursor();
        opened.append(records("logs:faas:w", 1));
        let many = opened.append(records("logs:etl:w", 25));
        opened.eventually("trimming", |opened| opened.overview("logs:etl:w").records == 10);
        opened.rest();
        let events = read_events(&mut reader, 64 * 1024, usize::MAX);
        let kept = RecordId::new(many.last_id.ms, many.last_id.seq - 9);
        let ServerEvent::Gap(gap) = &events[0] else {
            panic!("the gap stands where the records would: {events:?}")
        };
        assert_eq!((gap.channel.as_str(), gap.from), ("logs:etl:w", from));
        assert_eq!((gap.to, gap.reason), (kept, GapReason::Retention));
        let others = usize::from(selection[0].contains('*'));
        assert_eq!(ids(&events).len(), 10 + others);
        assert_eq!(events.len(), 11 + others);
    }
}

fn old_records_go_and_their_channels_are_forgotten(kind: Kind) {
    let mut opened = Opened::new(
        kind,
        Retention {
            age_ms: 1_500,
            ..KEPT
        },
    );
    let old = opened.append(records("logs:etl:w:old", 300));
    opened.append(records("logs:etl:w:both", 1));
    let mut reader = opened.reader(&["logs:etl:w:followed"], None, RecordId::ZERO);
    opened.append(records("logs:etl:w:followed", 1));
    assert_eq!(everything(&mut reader).len(), 1);
    opened.rest();
    opened.eventually("the end of the old", |opened| {
        let channels = opened.channels("logs:*:*:*");
        channels
            .iter()
            .all(|channel| channel.channel.as_str() != "logs:etl:w:old")
    });
    opened.fresh();
    assert!(opened.engine().forgotten_to() >= old.last_id);
    let young = opened.append(records("logs:etl:w:both", 1));
    let both = opened.overview("logs:etl:w:both");
    assert_eq!((both.records, both.first_id), (1, Some(young.first_id)));
    opened.eventually("the end of the followed", |opened| {
        opened.overview("logs:etl:w:followed").records == 0
    });
    assert_eq!(opened.overview("logs:etl:w:followed").readers, 1);
    drop(reader);
    if kind.is_kept() {
        opened.restart();
        assert!(opened.engine().forgotten_to() >= old.last_id);
        assert!(opened.append(records("logs:etl:w:old", 1)).first_id > young.last_id);
    }
}

fn together_records_take_no_more_than_they_may(kind: Kind) {
    let limit = 200_000;
    let opened = Opened::within(kind, Retention { bytes: limit, ..KEPT }, limit);
    for n in 0..300 {
        opened.append(records(&format!("logs:etl:w{}", n % 7), 10));
        if n % 20 == 0 {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }
    opened.eventually("room", |opened| opened.engine().kept_bytes() <= limit);
    let overviews = opened.channels("logs:*:*:*");
    let kept: usize = overviews.iter().map(|channel| channel.records).sum();
    assert!((100..1_500).contains(&kept), "{kept}");
    // What is left is the newest of all.
    let first = overviews
        .iter()
        .filter_map(|channel| channel.first_id)
        .min()
        .unwrap();
    let mut reader = opened.reader(&["logs:*:*"], None, first.previous());
    assert_eq!(everything(&mut reader).len(), kept);
}

fn memory_for_records_is_bounded_over_all_channels(kind: Kind) {
    let limit = 200_000;
    let opened = Opened::within(kind, KEPT, limit);
    for n in 0..1_000 {
        opened.append(records(&format!("logs:etl:w{}", n % 7), 10));
        assert!(opened.engine().tail_bytes() <= 2 * limit + 10_000);
    }
    opened.eventually("room", |opened| opened.engine().tail_bytes() <= limit);
    // With a store nothing is lost by it.
    if kind.is_kept() {
        let mut reader = opened.reader(&["logs:*:*"], None, RecordId::ZERO);
        assert_eq!(everything(&mut reader).len(), 10_000);
        assert!(opened.engine().tail_bytes() <= limit);
    }
}

fn a_reader_that_goes_leaves_nothing_behind(kind: Kind) {
    let opened = Opened::new(kind, KEPT);
    opened.append(records("logs:etl:w", 1));
    for _ in 0..100 {
        drop(opened.reader(
            &["logs:etl:w", "logs:etl:never", "logs:*:w"],
            None,
            RecordId::ZERO,
        ));
    }
    let channels = opened.channels("logs:*:*:*");
    assert_eq!(channels.len(), 1);
    assert_eq!((channels[0].records, channels[0].readers), (1, 0));
}

fn what_a_reader_follows_can_be_changed_while_it_reads(kind: Kind) {
    let opened = Opened::new(kind, KEPT);
    let watch = opened.watch(&["logs:etl:w:a", "logs:etl:w:b"], None);
    let subscriber = watch.subscriber();
    let mut reader = opened.reader_of(watch, RecordId::ZERO);
    let mut expected = Vec::new();
    for channel in ["a", "b", "c"] {
        let appended = opened.append(records(&format!("logs:etl:w:{channel}"), 3));
        if channel != "c" {
            expected.extend((0..3).map(|n| RecordId::new(appended.first_id.ms, appended.first_id.seq + n)));
        }
    }
    // In the middle of a round.
    let mut got = ids(&read_events(&mut reader, 1, 1));
    assert_eq!(got.len(), 1);
    let from = opened.change(&subscriber, interests(&["logs:etl:w:b", "logs:etl:*:c"], None));
    assert_eq!(from, opened.engine().head());
    for channel in ["a", "b", "c"] {
        let appended = opened.append(records(&format!("logs:etl:w:{channel}"), 1));
        if channel != "a" {
            expected.push(appended.first_id);
        }
    }
    got.extend(everything(&mut reader));
    // Nothing more of `a`, no hole in `b`, of `c` nothing from before.
    expected.drain(1..3);
    assert_eq!(got, expected);
    assert_eq!(opened.overview("logs:etl:w:a").readers, 0);
}

/// The reader had taken all records of two channels in hand and written one when its socket stalled. The channels went
/// out of memory; then the reader was to follow another one too, and began again from its cursor.
fn what_a_reader_has_in_hand_outlives_a_change_of_what_it_follows(kind: Kind) {
    let opened = Opened::new(kind, KEPT);
    let watch = opened.watch(&["logs:*:w:*"], None);
    let subscriber = watch.subscriber();
    let mut reader = opened.reader_of(watch, RecordId::ZERO);
    for channel in ["logs:etl:w:a", "logs:etl:w:b"] {
        opened.append(records(channel, 3));
    }
    assert_eq!(ids(&read_events(&mut reader, 1, 1)).len(), 1);
    opened.rest();
    opened.change(&subscriber, interests(&["logs:*:w:*", "logs:etl:v"], None));
    assert_eq!(everything(&mut reader).len(), 5);
}

fn conditions_are_looked_at_once_for_each_record(kind: Kind) {
    let opened = Opened::new(kind, KEPT);
    let run = |run_id: &str| Interest {
        pattern: "logs:etl:w".parse().unwrap(),
        level: None,
        conditions: Conditions::new([("run_id", run_id)]).unwrap(),
    };
    let watching = |interests: Vec<Interest>| opened.reader_of(opened.watching(interests), RecordId::ZERO);
    let mut readers: Vec<Reader> = (0..50).map(|_| watching(vec![run("42")])).collect();
    let mut other = watching(vec![
        run("7"),
        Interest::new("logs:etl:w".parse().unwrap(), Some(Level::Error)),
    ]);
    let wanted = opened
        .append(vec![record("logs:etl:w", Level::Info, r#"{"run_id":42}"#)])
        .first_id;
    let grave = opened
        .append(vec![record("logs:etl:w", Level::Error, r#"{"run_id":"x"}"#)])
        .first_id;
    let seven = opened
        .append(vec![record("logs:etl:w", Level::Debug, r#"{"run_id":"7"}"#)])
        .first_id;
    opened.append(records("logs:etl:w", 1));
    let before = filter::looked();
    for reader in &mut readers {
        assert_eq!(everything(reader), [wanted]);
    }
    assert_eq!(filter::looked() - before, 4, "one look a record, whoever asks");
    assert_eq!(everything(&mut other), [grave, seven]);
    // From disk alone it is the same.
    drop((readers, other));
    opened.rest();
    assert_eq!(
        everything(&mut watching(vec![run("42"), run("7")])),
        [wanted, seven]
    );
}

fn a_closed_engine_refuses(kind: Kind) {
    let opened = Opened::new(kind, KEPT);
    opened.append(records("logs:etl:w", 1));
    opened.engine().close();
    opened.engine().close();
    assert_eq!(
        opened.try_append(records("logs:etl:w", 1), None),
        Err(AppendError::Closed)
    );
    assert!(opened.engine().trouble().is_some());
    if kind == Kind::Redis {
        // Nothing is heard any more of what others publish, so nobody may say that this is all.
        assert!(opened.runtime.block_on(opened.engine().fresh()).is_err());
        return;
    }
    let mut reader = opened.reader(&["logs:etl:w"], None, RecordId::ZERO);
    assert_eq!(everything(&mut reader).len(), 1);
}

mod model;
mod regressions;
mod shared;
mod trouble;
