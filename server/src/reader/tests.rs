use std::time::Duration;

use logs_shared::{Channel, ChannelPattern, LogEntry, Timestamp, sse};
use proptest::prelude::*;

use super::*;
use crate::engine::{NewRecord, Retention};

const KEPT: Retention = Retention {
    records: 100_000,
    age_ms: u64::MAX,
    bytes: u64::MAX,
};

fn record(channel: &Channel, level: Level, message: &str) -> NewRecord {
    let entry = LogEntry {
        channel: channel.clone(),
        timestamp: Timestamp::default(),
        level,
        message: message.to_owned(),
        fields: logs_shared::Fields::default(),
    };
    NewRecord {
        json: entry.encode(),
        channel: entry.channel,
        level,
    }
}

fn reader(engine: &Engine, patterns: &[&str], level: Option<Level>, cursor: RecordId) -> Reader {
    let patterns: Vec<ChannelPattern> = patterns.iter().map(|pattern| pattern.parse().unwrap()).collect();
    Reader::new(engine.clone(), engine.watch(&patterns), level, cursor)
}

/// Reads with this budget until there is nothing left, or `most` times.
fn read(reader: &mut Reader, budget: usize, most: usize) -> Vec<ServerEvent> {
    let mut parser = sse::Parser::default();
    let mut events = Vec::new();
    for _ in 0..most {
        let mut out = Vec::new();
        let progress = reader.read(Waker::noop(), budget, &mut out);
        let before = events.len();
        parser.feed(&out, |event, _| {
            events.push(ServerEvent::parse(&event.data).unwrap());
        });
        let records = events[before..]
            .iter()
            .filter(|event| matches!(event, ServerEvent::Log(_)))
            .count();
        match progress {
            Progress::CaughtUp => {
                assert_eq!(records, 0);
                break;
            }
            Progress::Records(count) => assert_eq!(count, records as u64),
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
    ids(&read(reader, 64 * 1024, usize::MAX))
}

/// What happens to a log and its readers, in some order.
#[derive(Clone, Debug)]
enum Step {
    Publish {
        channel: usize,
        level: usize,
        count: usize,
    },
    Read {
        reader: usize,
        budget: usize,
    },
    Resume {
        reader: usize,
    },
    Open {
        patterns: usize,
        level: Option<Level>,
        from: usize,
    },
}

const CHANNELS: [&str; 6] = [
    "logs:etl:w",
    "logs:etl:w:a",
    "logs:etl:w:b",
    "logs:faas:w:a",
    "logs:faas:v",
    "logs:function:w:c",
];

const SELECTIONS: [&[&str]; 6] = [
    &["logs:etl:w:a"],
    &["logs:etl:w", "logs:faas:v"],
    &["logs:*:w:*"],
    &["logs:*:*:*", "logs:etl:w:a"],
    &["logs:etl:*:*", "logs:*:w:a"],
    &["logs:none:there"],
];

fn step() -> impl Strategy<Value = Step> {
    let level = prop::option::of(prop::sample::select(&Level::ALL[..]));
    prop_oneof![
        4 => (0..CHANNELS.len(), 0..6_usize, 1..40_usize)
            .prop_map(|(channel, level, count)| Step::Publish { channel, level, count }),
        4 => (0..9_usize, 1..3_000_usize).prop_map(|(reader, budget)| Step::Read { reader, budget }),
        1 => (0..9_usize).prop_map(|reader| Step::Resume { reader }),
        2 => (0..SELECTIONS.len(), level, 0..99_usize)
            .prop_map(|(patterns, level, from)| Step::Open { patterns, level, from }),
    ]
}

/// A reader, and what it must and did get.
struct Followed {
    reader: Reader,
    selection: &'static [&'static str],
    level: Option<Level>,
    expected: Vec<RecordId>,
    got: Vec<RecordId>,
}

impl Followed {
    fn wants(&self, channel: &Channel, level: Level) -> bool {
        self.level.is_none_or(|least| level >= least)
            && self
                .selection
                .iter()
                .any(|text| text.parse::<ChannelPattern>().unwrap().matches(channel))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever is published, read and resumed in whatever order: each reader gets every record it
    /// asked for after its cursor, once and in the order of ids.
    #[test]
    fn every_reader_gets_what_it_asked_for_once_and_in_order(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let engine = Engine::start(KEPT).unwrap();
        let mut log: Vec<(RecordId, Channel, Level)> = Vec::new();
        let mut readers: Vec<Followed> = Vec::new();
        for step in steps {
            match step {
                Step::Publish { channel, level, count } => {
                    let (channel, level) = (CHANNELS[channel].parse::<Channel>().unwrap(), Level::ALL[level]);
                    let records = (0..count).map(|_| record(&channel, level, "m")).collect();
                    let appended = runtime.block_on(engine.append(records, None)).unwrap();
                    let mut id = appended.first_id;
                    for _ in 0..count {
                        log.push((id, channel.clone(), level));
                        for follower in &mut readers {
                            if follower.wants(&channel, level) {
                                follower.expected.push(id);
                            }
                        }
                        id = id.next();
                    }
                    // One append is within one millisecond, so its ids are neighbours.
                    prop_assert_eq!(log.last().map(|(id, ..)| *id), Some(appended.last_id));
                }
                Step::Read { reader, budget } => {
                    let count = readers.len().max(1);
                    if let Some(follower) = readers.get_mut(reader % count) {
                        follower.got.extend(ids(&read(&mut follower.reader, budget, 1)));
                    }
                }
                Step::Resume { reader: index } => {
                    let count = readers.len().max(1);
                    if let Some(follower) = readers.get_mut(index % count) {
                        let cursor = follower.reader.cursor();
                        follower.reader = reader(&engine, follower.selection, follower.level, cursor);
                    }
                }
                Step::Open { patterns, level, from } => {
                    let cursor = log.get(from).map_or(RecordId::ZERO, |(id, ..)| *id);
                    let selection = SELECTIONS[patterns];
                    let reader = reader(&engine, selection, level, cursor);
                    let mut follower = Followed { reader, selection, level, expected: Vec::new(), got: Vec::new() };
                    let wanted = log.iter().filter(|(id, channel, of)| *id > cursor && follower.wants(channel, *of));
                    follower.expected = wanted.map(|(id, ..)| *id).collect();
                    readers.push(follower);
                }
            }
        }
        for mut follower in readers {
            follower.got.extend(everything(&mut follower.reader));
            prop_assert_eq!(&follower.got, &follower.expected);
            prop_assert_eq!(follower.reader.cursor(), engine.head());
        }
    }

    #[test]
    fn a_tail_is_the_newest_of_the_whole_selection(
        published in prop::collection::vec((0..CHANNELS.len(), 0..6_usize), 0..60),
        selection in 0..SELECTIONS.len(),
        level in prop::option::of(prop::sample::select(&Level::ALL[..])),
        count in 0..30_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let engine = Engine::start(KEPT).unwrap();
        for (channel, level) in published {
            let records = vec![record(&CHANNELS[channel].parse().unwrap(), Level::ALL[level], "m")];
            runtime.block_on(engine.append(records, None)).unwrap();
        }
        let all = everything(&mut reader(&engine, SELECTIONS[selection], level, RecordId::ZERO));
        let patterns: Vec<ChannelPattern> = SELECTIONS[selection].iter().map(|text| text.parse().unwrap()).collect();
        let watch = engine.watch(&patterns);
        let newest = Reader::newest(&watch, count, engine.head(), |record| record.is_at_least(level));
        prop_assert_eq!(newest.has_more, all.len() > count);
        let tail = everything(&mut Reader::new(engine, watch, level, newest.cursor));
        prop_assert_eq!(&tail[..], &all[all.len().saturating_sub(count)..]);
    }
}

/// Publishers race on channels that come into being meanwhile, and readers read as they please.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_publishers_never_make_a_reader_see_a_smaller_id_after_a_larger_one() {
    const PUBLISHERS: usize = 8;
    const APPENDS: usize = 300;
    let engine = Engine::start(KEPT).unwrap();
    let read_all = |patterns: &'static [&'static str], budget| {
        let engine = engine.clone();
        tokio::spawn(async move {
            let mut reader = reader(&engine, patterns, None, RecordId::ZERO);
            let mut got = Vec::new();
            while got.len() < PUBLISHERS * APPENDS * 3 {
                got.extend(ids(&read(&mut reader, budget, 3)));
                tokio::task::yield_now().await;
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
                let records = (0..3).map(|n| record(&channel(publisher + append + n), Level::Info, "m"));
                published.push(engine.append(records.collect(), None).await.unwrap());
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
        let got = tokio::time::timeout(Duration::from_secs(30), reader)
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

#[tokio::test]
async fn a_reader_that_fell_behind_retention_is_told_where_records_are_missing() {
    let engine = Engine::start(Retention { records: 10, ..KEPT }).unwrap();
    let channel: Channel = "logs:etl:w".parse().unwrap();
    let other: Channel = "logs:faas:w".parse().unwrap();
    for patterns in [&["logs:etl:w"][..], &["logs:*:w"]] {
        let mut reader = reader(&engine, patterns, None, engine.head());
        let first = engine
            .append(vec![record(&other, Level::Info, "m")], None)
            .await
            .unwrap();
        let many = engine
            .append(
                (0..25).map(|_| record(&channel, Level::Info, "m")).collect(),
                None,
            )
            .await
            .unwrap();
        let from = reader.cursor();
        let events = read(&mut reader, 64 * 1024, usize::MAX);
        let gaps: Vec<&Gap> = events
            .iter()
            .filter_map(|e| {
                if let ServerEvent::Gap(gap) = e {
                    Some(gap)
                } else {
                    None
                }
            })
            .collect();
        let kept = RecordId::new(many.last_id.ms, many.last_id.seq - 9);
        let expected = Gap {
            channel: channel.clone().into(),
            from,
            to: kept,
            reason: GapReason::Retention,
        };
        assert_eq!(gaps, [&expected]);
        let expected = if patterns[0].contains('*') { 11 } else { 10 };
        assert_eq!(ids(&events).len(), expected);
        assert!(first.first_id < kept);
        assert!(
            matches!(events[0], ServerEvent::Gap(_)),
            "the gap stands where the records would"
        );
    }
}

#[tokio::test]
async fn a_reader_that_does_not_read_holds_nothing_and_delays_nobody() {
    let engine = Engine::start(Retention { records: 100, ..KEPT }).unwrap();
    let channel: Channel = "logs:etl:w".parse().unwrap();
    let mut stalled = reader(&engine, &["logs:etl:w"], None, engine.head());
    for _ in 0..50 {
        engine
            .append(
                (0..100).map(|_| record(&channel, Level::Info, "m")).collect(),
                None,
            )
            .await
            .unwrap();
    }
    // One mark, whatever was published.
    let mut ready = Vec::new();
    stalled.watch.take_ready(&mut ready);
    assert_eq!(ready.len(), 1);
    stalled.ready = ready;
    assert_eq!(everything(&mut stalled).len(), 100);
    assert_eq!(stalled.ready.len(), 0);
}

#[tokio::test]
async fn a_reader_that_goes_leaves_nothing_behind() {
    let engine = Engine::start(KEPT).unwrap();
    let with_records: Channel = "logs:etl:w".parse().unwrap();
    engine
        .append(vec![record(&with_records, Level::Info, "m")], None)
        .await
        .unwrap();
    for _ in 0..100 {
        drop(reader(
            &engine,
            &["logs:etl:w", "logs:etl:never", "logs:*:w"],
            None,
            RecordId::ZERO,
        ));
    }
    let channels = engine.channels(|_| true);
    assert_eq!(channels.len(), 1);
    assert_eq!((channels[0].records, channels[0].readers), (1, 0));
}

#[tokio::test]
async fn memory_for_records_is_bounded_over_all_channels() {
    let engine = Engine::start(Retention {
        bytes: 200_000,
        ..KEPT
    })
    .unwrap();
    let message = "x".repeat(1_000);
    for n in 0..1_000 {
        let channel: Channel = format!("logs:etl:w{}", n % 7).parse().unwrap();
        engine
            .append(vec![record(&channel, Level::Info, &message)], None)
            .await
            .unwrap();
    }
    // The writer makes room after it has answered; its next batch shows that it has.
    engine
        .append(
            vec![record(&"logs:etl:last".parse().unwrap(), Level::Info, "m")],
            None,
        )
        .await
        .unwrap();
    assert!(engine.tail_bytes() <= 202_000, "{}", engine.tail_bytes());
    assert!(engine.tail_bytes() > 50_000, "{}", engine.tail_bytes());
    let kept: usize = engine
        .channels(|_| true)
        .iter()
        .map(|channel| channel.records)
        .sum();
    assert!(kept > 50 && kept < 200, "{kept}");
}
