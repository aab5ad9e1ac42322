//! What is let go of.

use proptest::prelude::*;

use super::*;

fn swept(node: &Node) {
    node.sweeper().sweep().unwrap();
    // The next sweeper is another one.
    node.store
        .ask(|connection| redis::cmd("DEL").arg(node.store.key("sweeps")).exec(connection))
        .unwrap();
}

/// Nothing is counted that is not there, and nothing is there that is not counted.
fn check(server: &RedisServer, node: &Node, channels: &[&str]) {
    let marks = node.store.marks().unwrap();
    let mut bytes = 0;
    for name in channels {
        let kept = node.kept(name);
        let read = node.read(name);
        assert_eq!(read.len() as u64, kept.records, "{name}");
        assert_eq!(
            read.first().map(|record| record.id),
            (kept.records > 0).then_some(kept.first_id)
        );
        bytes += kept.bytes;
    }
    let existing = channels.iter().filter(|name| node.kept(name).records > 0).count();
    assert_eq!((marks.kept_bytes, marks.channels), (bytes, existing as u64));
    let count = |key: &str| server.command::<usize>(&["ZCARD", &node.store.key(key)]);
    assert_eq!(
        (count("recent"), count("oldest"), count("dir")),
        (existing, existing, 3 * existing)
    );
    let keys: Vec<String> = server.command(&["KEYS", &node.store.key("[cs]:*")]);
    assert_eq!(keys.len(), 2 * existing, "{keys:?}");
}

#[test]
fn a_channel_keeps_exactly_so_many_records() {
    let server = RedisServer::shared();
    let retention = Retention { records: 25, ..KEPT };
    let node = Node::keeping(&server.settings(), retention);
    let mut next = 0;
    for size in [7, 1, 10, 3, 30, 1, 1, 40, 2, 25, 26, 24, 1] {
        node.append(records("logs:a:w", next..next + size));
        next += size;
        let expected = numbers(next.saturating_sub(25)..next);
        assert_eq!(node.messages("logs:a:w"), expected);
        check(&server, &node, &["logs:a:w"]);
        let kept = node.kept("logs:a:w");
        let portion = node
            .store
            .read_after(&channel("logs:a:w"), RecordId::ZERO, LAST, 1)
            .unwrap();
        assert_eq!(
            (portion.trimmed_to, portion.first_id),
            (kept.trimmed_to, Some(kept.first_id))
        );
        assert_eq!(portion.records[0].id, kept.first_id);
        assert!(kept.trimmed_to < kept.first_id);
    }
    // Blocks of which nothing is left are gone.
    let blocks: usize = server.command(&["XLEN", &node.store.key("s:logs:a:w")]);
    assert!(blocks <= 25, "{blocks}");
}

#[test]
fn a_smaller_limit_also_holds_for_channels_to_which_nothing_comes() {
    let server = RedisServer::shared();
    let settings = server.settings();
    let node = Node::new(&settings);
    for n in 0..300 {
        node.append(records("logs:a:w", n..n + 1));
    }
    node.append(records("logs:b:w", 0..300));
    let node = Node::keeping(&settings, Retention { records: 5, ..KEPT });
    swept(&node);
    swept(&node);
    for name in ["logs:a:w", "logs:b:w"] {
        assert_eq!(node.messages(name), numbers(295..300));
    }
    check(&server, &node, &["logs:a:w", "logs:b:w"]);
}

#[test]
fn what_is_too_old_goes_and_empty_channels_are_forgotten() {
    let server = RedisServer::shared();
    let settings = server.settings();
    let node = Node::keeping(
        &settings,
        Retention {
            age_ms: 60_000,
            ..KEPT
        },
    );
    node.append(records("logs:young:w", 0..3));
    let names: Vec<_> = (0..150).map(|n| format!("logs:old:w:{n}")).collect();
    let appended = node.append(names.iter().map(|name| record(name, "m")).collect());
    node.append(records("logs:both:w", 0..2));
    swept(&node);
    assert_eq!(node.store.marks().unwrap().channels, 152);
    // What is kept for no time at all is too old at once.
    std::thread::sleep(Duration::from_millis(2));
    let node = Node::keeping(&settings, Retention { age_ms: 0, ..KEPT });
    swept(&node);
    let marks = node.store.marks().unwrap();
    assert_eq!((marks.channels, marks.kept_bytes), (0, 0));
    assert!(marks.forgotten_to > appended.last_id);
    let left: Vec<String> = server.command(&["KEYS", &node.store.key("*")]);
    let (gone, left): (Vec<_>, Vec<_>) = left.into_iter().partition(|key| key.contains(":gone:"));
    assert_eq!(left, [node.store.key("log")]);
    // What says up to where a channel had been is itself gone soon.
    let lasts: i64 = server.command(&["TTL", &gone[0]]);
    assert!(
        gone.len() == 152 && (1..=3_600).contains(&lasts),
        "{} {lasts}",
        gone.len()
    );
    // A channel that was forgotten begins again.
    node.append(records("logs:old:w:3", 0..2));
    assert_eq!(node.messages("logs:old:w:3"), numbers(0..2));
    assert_eq!(node.store.marks().unwrap().channels, 1);
}

#[test]
fn of_what_is_old_no_more_goes_than_is_too_old() {
    let server = RedisServer::shared();
    let settings = server.settings();
    let node = Node::new(&settings);
    node.append(records("logs:a:w", 0..10));
    std::thread::sleep(Duration::from_millis(1_500));
    node.append(records("logs:a:w", 10..20));
    node.append(records("logs:b:w", 0..5));
    let node = Node::keeping(
        &settings,
        Retention {
            age_ms: 1_400,
            ..KEPT
        },
    );
    swept(&node);
    assert_eq!(node.messages("logs:a:w"), numbers(10..20));
    assert_eq!(node.messages("logs:b:w"), numbers(0..5));
    check(&server, &node, &["logs:a:w", "logs:b:w"]);
}

#[test]
fn where_all_is_too_much_the_oldest_of_all_goes() {
    let server = RedisServer::shared();
    let settings = server.settings();
    let node = Node::new(&settings);
    let names = ["logs:a:w", "logs:b:w", "logs:c:w"];
    // The first has its records before the others have theirs, and a last one after them.
    let mut all = Vec::new();
    for n in 0..30 {
        let name = names[[0, 0, 1, 2, 1, 2][n % 6]];
        let long = "x".repeat(1_000);
        let appended = node.append(vec![record(name, &format!("{n} {long}"))]);
        all.push((appended.first_id, name));
        std::thread::sleep(Duration::from_millis(2));
    }
    let bytes = node.store.marks().unwrap().kept_bytes;
    let node = Node::keeping(
        &settings,
        Retention {
            bytes: bytes / 2,
            ..KEPT
        },
    );
    swept(&node);
    let marks = node.store.marks().unwrap();
    assert!(
        marks.kept_bytes <= bytes / 2 && marks.kept_bytes > bytes / 3,
        "{marks:?}"
    );
    let mut left: Vec<_> = names
        .iter()
        .flat_map(|name| node.read(name))
        .map(|record| record.id)
        .collect();
    left.sort();
    let expected: Vec<_> = all[all.len() - left.len()..].iter().map(|(id, _)| *id).collect();
    assert_eq!(left, expected);
    check(&server, &node, &names);
}

#[test]
fn only_one_sweeps_at_a_time_and_another_goes_on_when_it_ends() {
    let server = RedisServer::shared();
    let settings = server.settings();
    let retention = Retention { age_ms: 0, ..KEPT };
    let one = Node::keeping(&settings, retention);
    one.append(records("logs:a:w", 0..1));
    let mut sweeper = one.sweeper();
    std::thread::sleep(Duration::from_millis(2));
    sweeper.sweep().unwrap();
    let two = Node::keeping(&settings, retention);
    two.append(records("logs:b:w", 0..1));
    std::thread::sleep(Duration::from_millis(2));
    two.sweeper().sweep().unwrap();
    assert_eq!(two.kept("logs:b:w").records, 1, "another one sweeps");
    drop(sweeper);
    let node = Node::keeping(&settings, retention).sweeping();
    eventually("sweeping by another", || node.kept("logs:b:w").records == 0);
    drop(node);
    let exists: bool = server.command(&["EXISTS", &one.store.key("sweeps")]);
    assert!(!exists, "who ends lets others sweep");
}

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<(usize, usize)>),
    Sweep,
}

fn step() -> impl Strategy<Value = Step> {
    let runs = prop::collection::vec((0..3_usize, 1..12_usize), 1..4);
    prop_oneof![4 => runs.prop_map(Step::Append), 1 => Just(Step::Sweep)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is appended and swept, in blocks of whatever size: a channel has its newest records, and what is counted is
    /// what is there.
    #[test]
    fn what_is_kept_is_the_newest_and_is_counted(
        steps in prop::collection::vec(step(), 1..25),
        keep in 1..30_u64,
        bytes in prop_oneof![Just(u64::MAX), 1..20_000_u64],
    ) {
        let server = RedisServer::shared();
        let node = Node::keeping(&server.settings(), Retention { records: keep, bytes, ..KEPT });
        let names = ["logs:a:w", "logs:b:w:r", "logs:c:w"];
        let mut model = [(); 3].map(|()| Vec::new());
        let mut next = 0;
        for step in steps {
            match step {
                Step::Append(runs) => {
                    let mut batch = Vec::new();
                    for (index, count) in runs {
                        batch.extend(records(names[index], next..next + count));
                        model[index].extend(numbers(next..next + count));
                        next += count;
                    }
                    node.append(batch);
                }
                Step::Sweep => {
                    swept(&node);
                    let kept = node.store.marks().unwrap().kept_bytes;
                    prop_assert!(kept <= bytes, "{kept}");
                }
            }
            for (name, expected) in names.iter().zip(&model) {
                let read = node.messages(name);
                let most = usize::try_from(keep).unwrap().min(expected.len());
                prop_assert!(expected.ends_with(&read));
                prop_assert!(read.len() == most || bytes != u64::MAX);
            }
            let known: Vec<_> = names.into_iter().filter(|name| node.kept(name).last_id != RecordId::ZERO).collect();
            check(&server, &node, &known);
        }
    }
}
