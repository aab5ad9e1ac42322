//! Looking for channels and records.

use super::*;

fn found(node: &Node, pattern: &str) -> Vec<String> {
    let mut found = Vec::new();
    let pattern = pattern.parse().unwrap();
    let looked = node.store.each_chosen(&pattern, |channel, kept| {
        assert_eq!(kept.records, 1);
        found.push(channel.as_str().to_owned());
        true
    });
    looked.unwrap();
    found.sort();
    found
}

#[test]
fn a_pattern_finds_the_channels_that_it_chooses() {
    let server = RedisServer::shared();
    let node = Node::new(&server.settings());
    for channel in ["logs:a:w", "logs:a:w:r", "logs:a:v:r", "logs:b:w"] {
        node.append(vec![record(channel, "m")]);
    }
    assert_eq!(found(&node, "logs:a:*:r"), ["logs:a:v:r", "logs:a:w:r"]);
    assert_eq!(found(&node, "logs:*:w:*"), ["logs:a:w", "logs:a:w:r", "logs:b:w"]);
    assert_eq!(found(&node, "logs:*:*:*").len(), 4);
    assert_eq!(found(&node, "logs:a:w"), ["logs:a:w"]);
    assert_eq!(found(&node, "logs:z:*:*"), [""; 0]);
}

#[test]
fn of_many_channels_none_is_missed_or_told_twice() {
    let server = RedisServer::shared();
    let node = Node::new(&server.settings());
    let names: Vec<_> = (0..700).map(|n| format!("logs:a:w:{n:03}")).collect();
    node.append(names.iter().map(|name| record(name, "m")).collect());
    assert_eq!(found(&node, "logs:a:w:*"), names);
    let mut active = node.store.active_after(RecordId::ZERO).unwrap();
    active.sort();
    assert_eq!(active.len(), 700);
    let mut first = None;
    let pattern = "logs:a:w:*".parse().unwrap();
    let looked = node
        .store
        .each_chosen(&pattern, |channel, _| first.replace(channel).is_some());
    looked.unwrap();
    assert_eq!(first, Some(channel(&names[0])));
}

#[test]
fn channels_with_something_new_are_found() {
    let server = RedisServer::shared();
    let node = Node::new(&server.settings());
    node.append(records("logs:a:w", 0..1));
    let head = RecordId::new(crate::engine::now_ms() + 1_000, 0);
    node.store.raise(head).unwrap();
    node.append(records("logs:b:w", 0..1));
    assert_eq!(node.store.active_after(head).unwrap(), [channel("logs:b:w")]);
    assert_eq!(node.store.active_after(RecordId::ZERO).unwrap().len(), 2);
}

#[test]
fn records_are_read_between_two_ids_and_from_the_newest() {
    let server = RedisServer::shared();
    let node = Node::new(&server.settings());
    let appended: Vec<_> = (0..20)
        .map(|n| node.append(records("logs:a:w", 10 * n..10 * n + 10)))
        .collect();
    let name = channel("logs:a:w");
    let within = |record: usize| {
        RecordId::new(
            appended[record / 10].first_id.ms,
            appended[record / 10].first_id.seq + record as u64 % 10,
        )
    };
    for bytes in [1, 2_000, 1 << 20] {
        for (after, limit) in [(0, 199), (35, 44), (39, 40), (35, 36), (44, 44), (150, 199)] {
            let mut after_id = within(after);
            let mut read = Vec::new();
            loop {
                let portion = node
                    .store
                    .read_after(&name, after_id, within(limit), bytes)
                    .unwrap();
                assert_eq!(portion.first_id, Some(within(0)));
                after_id = portion.records.last().map_or(after_id, |record| record.id);
                assert!(portion.is_all || !portion.records.is_empty());
                read.extend(portion.records);
                if portion.is_all {
                    break;
                }
            }
            assert_eq!(
                messages(&read),
                numbers(after + 1..limit + 1),
                "{after} {limit} {bytes}"
            );
        }
        for limit in [0, 9, 10, 55, 199] {
            let (mut limit_id, mut read) = (within(limit), Vec::new());
            loop {
                let portion = node.store.read_newest(&name, limit_id, bytes).unwrap();
                assert!(portion.is_all || !portion.records.is_empty());
                limit_id = portion
                    .records
                    .last()
                    .map_or(limit_id, |record| record.id.previous());
                read.extend(portion.records);
                if portion.is_all {
                    break;
                }
            }
            read.reverse();
            assert_eq!(messages(&read), numbers(0..limit + 1), "{limit} {bytes}");
        }
    }
    let nothing = node
        .store
        .read_after(&channel("logs:z:w"), RecordId::ZERO, LAST, 1)
        .unwrap();
    assert!(nothing.is_all && nothing.records.is_empty() && nothing.first_id.is_none());
    assert_eq!(node.store.kept(&channel("logs:z:w")), Ok(None));
    // Nothing of the block behind the limit, however large it is.
    let before = within(0).previous();
    let portion = node.store.read_newest(&name, before, 1).unwrap();
    assert!(portion.is_all && portion.records.is_empty());
}

#[test]
fn what_cannot_be_read_is_passed_over() {
    let server = RedisServer::shared();
    let node = Node::new(&server.settings());
    node.append(records("logs:a:w", 0..1));
    let head = RecordId::new(crate::engine::now_ms() + 1_000, 0);
    for n in 1..5 {
        let id = RecordId::new(head.ms, n).to_string();
        let _: String = server.command(&[
            "XADD",
            &node.store.key("s:logs:a:w"),
            &id,
            "n",
            "1",
            "d",
            "2rubbish",
        ]);
        let id = RecordId::new(head.ms, 10 * n).to_string();
        let _: () = server
            .try_command(&["XADD", &node.store.key("s:logs:a:w"), &id, "what"])
            .unwrap_or_default();
    }
    node.store.raise(RecordId::new(head.ms, 100)).unwrap();
    node.append(records("logs:a:w", 1..2));
    for bytes in [1, 1 << 20] {
        let portion = node
            .store
            .read_after(&channel("logs:a:w"), RecordId::ZERO, LAST, bytes)
            .unwrap();
        let from = portion.records.last().unwrap().id;
        let rest = node
            .store
            .read_after(&channel("logs:a:w"), from, LAST, bytes)
            .unwrap();
        let read: Vec<_> = portion.records.into_iter().chain(rest.records).collect();
        assert_eq!(messages(&read), numbers(0..2));
        let newest = node.store.read_newest(&channel("logs:a:w"), LAST, bytes).unwrap();
        assert_eq!(messages(&newest.records[..1]), ["1"]);
    }
}

/// A damaged block that was as large as all that is looked at at once was looked at again and again, for ever.
#[test]
fn a_large_block_that_cannot_be_read_holds_nobody() {
    let server = RedisServer::shared();
    let node = Node::new(&server.settings());
    node.append(records("logs:a:w", 0..1));
    let id = RecordId::new(crate::engine::now_ms() + 1_000, 9);
    let stream = node.store.key("s:logs:a:w");
    let data = format!("2{}", "x".repeat(1_000));
    let (id, rubbish) = (id.to_string(), [&data[..]; 5].join("\n"));
    let _: String = server.command(&["XADD", &stream, &id, "n", "5", "d", &rubbish]);
    let store = node.store.clone();
    let (done, read) = std::sync::mpsc::channel();
    std::thread::spawn(move || done.send(store.read_newest(&channel("logs:a:w"), LAST, 1_000)));
    let portion = read
        .recv_timeout(Duration::from_secs(10))
        .expect("it is read")
        .unwrap();
    assert_eq!(messages(&portion.records), ["0"]);
}
