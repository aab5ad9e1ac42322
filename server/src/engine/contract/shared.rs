//! What readers share is what each of them would get alone.

use super::*;
use crate::engine::Batch;

/// What happens to a log and two readers of each kind: one that shares and one that does not.
#[derive(Clone, Debug)]
enum Step {
    Publish {
        channel: usize,
        level: usize,
        sizes: Vec<usize>,
    },
    /// Both readers look once.
    Read {
        reader: usize,
        budget: usize,
    },
    /// Another two readers, after one of the last records.
    Open {
        wanted: usize,
        back: usize,
    },
    Rest,
}

const CHANNELS: [&str; 2] = ["logs:etl:w:a", "logs:etl:w:b"];
/// Readers have one of few budgets, as streams have one: only those with the same may share.
const BUDGETS: [usize; 3] = [1, 2_000, 64 * 1024];

/// What readers want: some of it all of them may share, some of it nobody.
fn wanted(kind: usize) -> Vec<Interest> {
    let with = |text: &str, level, run: Option<&str>| Interest {
        pattern: text.parse().unwrap(),
        level,
        conditions: run.map_or_else(Conditions::default, |run| {
            Conditions::new([("run_id", run)]).unwrap()
        }),
    };
    match kind {
        0 => vec![with(CHANNELS[0], None, None)],
        1 => vec![with("logs:*:w:*", None, None)],
        2 => vec![with(CHANNELS[0], Some(Level::Warn), None)],
        3 => vec![with(CHANNELS[0], None, Some("1"))],
        4 => vec![with(CHANNELS[0], None, Some("2")), with("logs:*:w:a", None, None)],
        _ => vec![
            with(CHANNELS[0], Some(Level::Error), None),
            with("logs:*:w:a", None, Some("1")),
        ],
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..CHANNELS.len(), 0..6_usize, prop::collection::vec(0..1_500_usize, 1..20))
            .prop_map(|(channel, level, sizes)| Step::Publish { channel, level, sizes }),
        8 => (0..12_usize, 0..BUDGETS.len()).prop_map(|(reader, budget)| Step::Read { reader, budget }),
        3 => (0..6_usize, 0..60_usize).prop_map(|(wanted, back)| Step::Open { wanted, back }),
        1 => Just(Step::Rest),
    ]
}

/// The bytes and the end of one look.
fn look(reader: &mut Reader, budget: usize) -> (Vec<u8>, Option<Batch>, Progress, RecordId) {
    let mut out = Vec::new();
    let progress = reader.read(Waker::noop(), budget, &mut out).unwrap();
    let batch = reader.take_batch();
    let mut bytes = batch
        .as_ref()
        .map_or_else(Vec::new, |batch| batch.plain().to_vec());
    bytes.extend(out);
    (bytes, batch, progress, reader.cursor())
}

/// The events as they came, but for gaps: the order of those of several channels is nobody's business.
fn in_order(bytes: &[u8]) -> Vec<String> {
    let text = str::from_utf8(bytes).unwrap();
    let (mut gaps, events): (Vec<_>, Vec<_>) = text
        .split_inclusive("\n\n")
        .map(str::to_owned)
        .partition(|event| event.starts_with("event: gap\n"));
    gaps.sort_unstable();
    gaps.into_iter().chain(events).collect()
}

fn run(kind: Kind, retention: Retention, memory: u64, steps: Vec<Step>) -> Result<usize, TestCaseError> {
    let opened = Opened::within(kind, retention, memory);
    let mut ids = vec![RecordId::ZERO];
    let mut twins: Vec<(Reader, Reader)> = Vec::new();
    let mut shared = 0;
    let mut check = |(alone, sharing): &mut (Reader, Reader), budget| {
        let (mut bytes, _, mut progress, _) = look(alone, budget);
        let (mut same, batch, mut progress_of_same, _) = look(sharing, budget);
        shared += usize::from(batch.is_some());
        // A batch may end where a look alone goes on: who is behind looks again.
        while alone.cursor() != sharing.cursor() {
            let (reader, bytes, progress) = if alone.cursor() < sharing.cursor() {
                (&mut *alone, &mut bytes, &mut progress)
            } else {
                (&mut *sharing, &mut same, &mut progress_of_same)
            };
            let (more, _, now, _) = look(reader, budget);
            bytes.extend(more);
            *progress = now;
            prop_assert!(now != Progress::CaughtUp || alone.cursor() == sharing.cursor());
        }
        prop_assert_eq!(in_order(&bytes), in_order(&same));
        Ok(progress == Progress::CaughtUp && progress_of_same == Progress::CaughtUp)
    };
    for step in steps {
        match step {
            Step::Publish {
                channel,
                level,
                sizes,
            } => {
                let fields = |size| format!(r#"{{"run_id":{},"text":"{}"}}"#, size % 3, "x".repeat(size));
                let one = |size| record(CHANNELS[channel], Level::ALL[level], &fields(size));
                ids.push(opened.append(sizes.into_iter().map(one).collect()).last_id);
            }
            Step::Read { reader, budget } if !twins.is_empty() => {
                let reader = reader % twins.len();
                check(&mut twins[reader], BUDGETS[budget])?;
            }
            Step::Open { wanted: of, back } => {
                let cursor = ids[ids.len().saturating_sub(back + 1)];
                let open = || opened.reader_of(opened.watching(wanted(of)), cursor);
                twins.push((open(), open().sharing()));
            }
            Step::Read { .. } => {}
            Step::Rest => opened.rest(),
        }
    }
    for twin in &mut twins {
        while !check(twin, BUDGETS[2])? {}
    }
    Ok(shared)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_memory_with_little_room(steps in prop::collection::vec(step(), 1..120)) {
        run(Kind::Memory, Retention { records: 40, ..KEPT }, 1 << 30, steps)?;
    }

    #[test]
    fn on_disk_with_short_tails(steps in prop::collection::vec(step(), 1..120)) {
        run(Kind::Disk, Retention { records: 300, ..KEPT }, 20_000, steps)?;
    }
}

#[test]
fn and_they_do_share() {
    let publish = |sizes: &[usize]| Step::Publish {
        channel: 0,
        level: 2,
        sizes: sizes.to_vec(),
    };
    let read = |reader| Step::Read { reader, budget: 2 };
    let open = |wanted| Step::Open { wanted, back: 0 };
    let steps = vec![
        open(0),
        open(0),
        open(1),
        publish(&[5, 6]),
        read(0),
        read(1),
        read(2),
    ];
    assert_eq!(run(Kind::Memory, KEPT, 1 << 30, steps).unwrap(), 3);
}

#[test]
fn the_very_same_bytes() {
    let opened = Opened::new(Kind::Memory, KEPT);
    let mut readers = [(); 3].map(|()| opened.reader(&["logs:etl:w"], None, RecordId::ZERO).sharing());
    let at = |batch: &Option<Batch>| batch.as_ref().map(|batch| batch.chunked().as_ptr());
    for count in [1, 1, 500] {
        opened.append(records("logs:etl:w", count));
        let [first, second, third] = readers.each_mut().map(|reader| look(reader, 64 * 1024).1);
        assert!(first.is_some() && at(&first) == at(&second) && at(&first) == at(&third));
        readers.iter_mut().for_each(|reader| drop(everything(reader)));
    }
    // One that has fallen behind gets what the others got and what came after it in one piece.
    opened.append(records("logs:etl:w", 1));
    assert_eq!(everything(&mut readers[0]).len(), 1);
    opened.append(records("logs:etl:w", 1));
    assert_eq!(ids(&read_events(&mut readers[1], 64 * 1024, 1)).len(), 2);
    assert_eq!(everything(&mut readers[0]).len(), 1);
}
