//! A model of the log against the engine, under random operations.

use super::*;

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
        selection: usize,
        level: Option<Level>,
        from: usize,
    },
    /// The reader adds this selection to what it follows.
    Add {
        reader: usize,
        selection: usize,
    },
    /// Nothing happens for long.
    Rest,
    Restart,
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
        5 => (0..CHANNELS.len(), 0..6_usize, 1..40_usize)
            .prop_map(|(channel, level, count)| Step::Publish { channel, level, count }),
        5 => (0..9_usize, 1..3_000_usize).prop_map(|(reader, budget)| Step::Read { reader, budget }),
        1 => (0..9_usize).prop_map(|reader| Step::Resume { reader }),
        3 => (0..SELECTIONS.len(), level, 0..99_usize)
            .prop_map(|(selection, level, from)| Step::Open { selection, level, from }),
        1 => (0..9_usize, 0..SELECTIONS.len()).prop_map(|(reader, selection)| Step::Add { reader, selection }),
        2 => Just(Step::Rest),
        1 => Just(Step::Restart),
    ]
}

/// A reader, and what it must and did get.
struct Followed {
    reader: Option<Reader>,
    subscriber: Arc<Subscriber>,
    wanted: Vec<(&'static [&'static str], Option<Level>, RecordId)>,
    cursor: RecordId,
    expected: Vec<RecordId>,
    got: Vec<RecordId>,
}

impl Followed {
    fn open(opened: &Opened, interests: Vec<Interest>, cursor: RecordId) -> (Reader, Arc<Subscriber>) {
        let watch = opened.watching(interests);
        let subscriber = watch.subscriber();
        // With a budget that others have too, what they read may be shared.
        let reader = opened.reader_of(watch, cursor).sharing();
        (reader, subscriber)
    }

    fn wants(&self, id: RecordId, channel: &Channel, level: Level) -> bool {
        let chooses = |text: &&str| text.parse::<ChannelPattern>().unwrap().matches(channel);
        self.wanted.iter().any(|(selection, least, from)| {
            id > *from && least.is_none_or(|least| level >= least) && selection.iter().any(chooses)
        })
    }

    fn take(&mut self, budget: usize, most: usize) {
        if let Some(reader) = &mut self.reader {
            self.got.extend(ids(&read_events(reader, budget, most)));
            self.cursor = reader.cursor();
        }
    }

    /// Comes back with its cursor, as after a cut.
    fn resume(&mut self, opened: &Opened) {
        let interests = self.subscriber.interests();
        self.reader = None;
        let (reader, subscriber) = Self::open(opened, interests, self.cursor);
        (self.reader, self.subscriber) = (Some(reader), subscriber);
    }
}

/// Whatever is published, read, resumed, changed and restarted in whatever order: each reader gets every record it
/// asked for after its cursor, once and in the order of ids.
fn run(kind: Kind, memory: u64, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut opened = Opened::within(kind, KEPT, memory);
    let mut log: Vec<(RecordId, Channel, Level)> = Vec::new();
    let mut readers: Vec<Followed> = Vec::new();
    for step in steps {
        let count = readers.len().max(1);
        match step {
            Step::Publish {
                channel,
                level,
                count,
            } => {
                let (text, level) = (CHANNELS[channel], Level::ALL[level]);
                let records = (0..count).map(|_| record(text, level, "{}")).collect();
                let appended = opened.append(records);
                let channel: Channel = text.parse().unwrap();
                let mut id = appended.first_id;
                prop_assert!(log.last().is_none_or(|(last, ..)| *last < id));
                for _ in 0..count {
                    log.push((id, channel.clone(), level));
                    for follower in &mut readers {
                        if follower.wants(id, &channel, level) {
                            follower.expected.push(id);
                        }
                    }
                    id = id.next();
                }
                prop_assert_eq!(log.last().map(|(id, ..)| *id), Some(appended.last_id));
            }
            Step::Read { reader, budget } => {
                if let Some(follower) = readers.get_mut(reader % count) {
                    follower.take(budget, 1);
                }
            }
            Step::Resume { reader } => {
                if let Some(follower) = readers.get_mut(reader % count) {
                    // Records that an added interest had still to give from before it came are lost to a reader that
                    // comes back with its whole set from its cursor: it would get others too.
                    if follower.wanted.len() == 1 {
                        follower.resume(&opened);
                    }
                }
            }
            Step::Open {
                selection,
                level,
                from,
            } => {
                let cursor = log.get(from).map_or(RecordId::ZERO, |(id, ..)| *id);
                let selection = SELECTIONS[selection];
                let (reader, subscriber) = Followed::open(&opened, interests(selection, level), cursor);
                let mut follower = Followed {
                    reader: Some(reader),
                    subscriber,
                    wanted: vec![(selection, level, RecordId::ZERO)],
                    cursor,
                    expected: Vec::new(),
                    got: Vec::new(),
                };
                let wanted = log
                    .iter()
                    .filter(|(id, channel, of)| *id > cursor && follower.wants(*id, channel, *of));
                follower.expected = wanted.map(|(id, ..)| *id).collect();
                readers.push(follower);
            }
            Step::Add { reader, selection } => {
                if let Some(follower) = readers.get_mut(reader % count) {
                    let mut all = follower.subscriber.interests();
                    for interest in interests(SELECTIONS[selection], None) {
                        if !all.contains(&interest) {
                            all.push(interest);
                        }
                    }
                    let from = opened.change(&follower.subscriber, all);
                    prop_assert_eq!(from, opened.engine().head());
                    follower.wanted.push((SELECTIONS[selection], None, from));
                }
            }
            Step::Rest => opened.rest(),
            Step::Restart if kind.is_kept() => {
                readers.retain(|follower| follower.wanted.len() == 1);
                for follower in &mut readers {
                    follower.reader = None;
                }
                // A subscriber is a hold on the log too.
                let all: Vec<_> = readers
                    .iter()
                    .map(|follower| follower.subscriber.interests())
                    .collect();
                let nobody = opened_nobody();
                for follower in &mut readers {
                    follower.subscriber = nobody.clone();
                }
                opened.restart();
                let last = log.last().map_or(RecordId::ZERO, |(id, ..)| *id);
                prop_assert_eq!(opened.engine().head(), last.max(opened.engine().floor()));
                for (follower, interests) in readers.iter_mut().zip(all) {
                    let (reader, subscriber) = Followed::open(&opened, interests, follower.cursor);
                    (follower.reader, follower.subscriber) = (Some(reader), subscriber);
                }
            }
            Step::Restart => {}
        }
    }
    for mut follower in readers {
        follower.take(64 * 1024, usize::MAX);
        prop_assert_eq!(&follower.got, &follower.expected);
        prop_assert_eq!(follower.cursor, opened.engine().head());
    }
    Ok(())
}

/// A subscriber of a log that nobody else has.
fn opened_nobody() -> Arc<Subscriber> {
    let engine = Engine::open(&Storage::Memory, KEPT).unwrap();
    engine.watch(Vec::new()).subscriber()
}

fn newest_is_newest(
    kind: Kind,
    published: Vec<(usize, usize)>,
    selection: usize,
    level: Option<Level>,
    count: usize,
    rests: bool,
) -> Result<(), TestCaseError> {
    let opened = Opened::new(kind, KEPT);
    for (channel, level) in published {
        opened.append(vec![record(CHANNELS[channel], Level::ALL[level], "{}")]);
    }
    if rests {
        opened.rest();
    }
    let all = everything(&mut opened.reader(SELECTIONS[selection], level, RecordId::ZERO));
    if rests {
        opened.rest();
    }
    let watch = opened.watch(SELECTIONS[selection], level);
    let newest = newest(opened.log(), &watch, count, opened.engine().head(), |_| true).unwrap();
    prop_assert_eq!(newest.has_more, all.len() > count);
    let tail = everything(&mut opened.reader_of(watch, newest.cursor));
    prop_assert_eq!(&tail[..], &all[all.len().saturating_sub(count)..]);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn in_memory_every_reader_gets_what_it_asked_for(steps in prop::collection::vec(step(), 1..60)) {
        run(Kind::Memory, 1 << 30, steps)?;
    }

    #[test]
    fn in_memory_a_tail_is_the_newest_of_the_whole_selection(
        published in prop::collection::vec((0..CHANNELS.len(), 0..6_usize), 0..60),
        selection in 0..SELECTIONS.len(),
        level in prop::option::of(prop::sample::select(&Level::ALL[..])),
        count in 0..30_usize,
    ) {
        newest_is_newest(Kind::Memory, published, selection, level, count, false)?;
    }
}

proptest! {
    // Each opens a folder or several.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn on_disk_every_reader_gets_what_it_asked_for(
        steps in prop::collection::vec(step(), 1..80),
        memory in prop_oneof![Just(1 << 30), Just(5_000_u64)],
    ) {
        run(Kind::Disk, memory, steps)?;
    }

    #[test]
    fn on_disk_a_tail_is_the_newest_of_the_whole_selection(
        published in prop::collection::vec((0..CHANNELS.len(), 0..6_usize), 0..60),
        selection in 0..SELECTIONS.len(),
        level in prop::option::of(prop::sample::select(&Level::ALL[..])),
        count in 0..30_usize,
        rests: bool,
    ) {
        newest_is_newest(Kind::Disk, published, selection, level, count, rests)?;
    }
}

proptest! {
    // Each asks Redis for all of it.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn in_redis_every_reader_gets_what_it_asked_for(
        steps in prop::collection::vec(step(), 1..80),
        memory in prop_oneof![Just(1 << 30), Just(5_000_u64)],
    ) {
        run(Kind::Redis, memory, steps)?;
    }

    #[test]
    fn in_redis_a_tail_is_the_newest_of_the_whole_selection(
        published in prop::collection::vec((0..CHANNELS.len(), 0..6_usize), 0..60),
        selection in 0..SELECTIONS.len(),
        level in prop::option::of(prop::sample::select(&Level::ALL[..])),
        count in 0..30_usize,
        rests: bool,
    ) {
        newest_is_newest(Kind::Redis, published, selection, level, count, rests)?;
    }
}
