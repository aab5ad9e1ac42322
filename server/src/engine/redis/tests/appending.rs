//! Ids, order and repeats, with more than one writer.

use super::*;

#[test]
fn what_is_appended_is_read_in_order_with_consecutive_ids() {
    let server = RedisServer::shared();
    let node = Node::new(&server.settings());
    let one = node.append(records("logs:etl:w", 0..3));
    let two = node.append(records("logs:etl:w", 3..400));
    assert_eq!(one.last_id.seq, one.first_id.seq + 2);
    assert!(one.last_id < two.first_id);
    assert_eq!(two.last_id.seq, two.first_id.seq + 396);
    assert_eq!(node.messages("logs:etl:w"), numbers(0..400));
    let read = node.read("logs:etl:w");
    assert_eq!(read.first().unwrap().id, one.first_id);
    assert_eq!(read.last().unwrap().id, two.last_id);
    assert!(read.is_sorted_by(|a, b| a.id < b.id));
    let marks = node.store.marks().unwrap();
    assert_eq!((marks.last_id, marks.channels), (two.last_id, 1));
    assert!(marks.floor < one.first_id && marks.kept_bytes == node.kept("logs:etl:w").bytes);
    assert_eq!(node.log.published.load(std::sync::atomic::Ordering::Relaxed), 400);
}

#[test]
fn channels_that_alternate_keep_their_order() {
    let server = RedisServer::shared();
    let node = Node::new(&server.settings());
    let mixed: Vec<_> = (0..90)
        .map(|n| record(["logs:a:w", "logs:b:w", "logs:c:w:r"][n / 2 % 3], &n.to_string()))
        .collect();
    let appended = node.append(mixed);
    let mut all: Vec<_> = ["logs:a:w", "logs:b:w", "logs:c:w:r"]
        .iter()
        .flat_map(|name| node.read(name))
        .collect();
    all.sort_by_key(|record| record.id);
    assert_eq!(messages(&all), numbers(0..90));
    assert_eq!((all[0].id, all[89].id), (appended.first_id, appended.last_id));
}

#[test]
fn who_publishes_together_is_answered_each_with_its_own_ids() {
    let server = RedisServer::shared();
    let node = Node::new(&server.settings());
    let mut answers = Vec::new();
    for n in 0..200 {
        // Some join what waits already, some stand between.
        let (records, named) = match n % 10 {
            0 => (vec![record("logs:a:w", &n.to_string())], named(&n.to_string(), 1)),
            5 => (
                vec![record("logs:a:w", &n.to_string()), record("logs:b:w", "x")],
                None,
            ),
            _ => (vec![record("logs:a:w", &n.to_string())], None),
        };
        answers.push(node.send(records, named));
    }
    let ids: Vec<_> = answers
        .into_iter()
        .map(|answer| answer.blocking_recv().unwrap().unwrap().first_id)
        .collect();
    let read = node.read("logs:a:w");
    // In the order in which they were asked for.
    assert_eq!(messages(&read), numbers(0..200));
    assert_eq!(read.iter().map(|record| record.id).collect::<Vec<_>>(), ids);
}

#[test]
fn ids_go_on_where_the_clock_steps_back() {
    let server = RedisServer::shared();
    let settings = server.settings();
    let node = Node::new(&settings);
    node.append(records("logs:a:w", 0..1));
    // As if the clock had been an hour ahead until now.
    let ahead = RecordId::new(crate::engine::now_ms() + 3_600_000, 7);
    let _: () = server.command(&["HSET", &node.store.key("log"), "last", &ahead.to_string()]);
    let appended = node.append(records("logs:a:w", 1..3));
    assert_eq!(appended.first_id, ahead.next());
    let again = Node::new(&settings).append(records("logs:a:w", 3..4));
    assert_eq!(again.first_id, RecordId::new(ahead.ms, 10));
    assert_eq!(node.messages("logs:a:w"), numbers(0..4));
}

#[test]
fn an_id_that_readers_have_passed_is_not_given_again() {
    let server = RedisServer::shared();
    let node = Node::new(&server.settings());
    node.append(records("logs:a:w", 0..1));
    let passed = RecordId::new(crate::engine::now_ms() + 60_000, 3);
    *node.log.head.write().unwrap() = passed;
    assert_eq!(node.append(records("logs:a:w", 1..2)).first_id, passed.next());
    let further = RecordId::new(passed.ms, 99);
    assert_eq!(node.store.raise(further), Ok(further));
    assert_eq!(node.store.raise(passed), Ok(further));
    assert_eq!(node.append(records("logs:a:w", 2..3)).first_id, further.next());
}

#[test]
fn two_writers_at_once_give_every_id_once() {
    let server = RedisServer::shared();
    let settings = server.settings();
    let nodes = [Node::new(&settings), Node::new(&settings)];
    std::thread::scope(|scope| {
        for (index, node) in nodes.iter().enumerate() {
            scope.spawn(move || {
                for n in 0..100 {
                    node.append(vec![record("logs:a:w", &format!("{index}-{n}"))]);
                }
            });
        }
    });
    let read = nodes[0].read("logs:a:w");
    assert_eq!(read.len(), 200);
    assert!(read.is_sorted_by(|a, b| a.id < b.id));
    for index in 0..2 {
        let of_one = messages(&read)
            .into_iter()
            .filter(|m| m.starts_with(&format!("{index}-")));
        let expected: Vec<_> = (0..100).map(|n| format!("{index}-{n}")).collect();
        assert_eq!(of_one.collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_repeat_gets_the_first_answer_whichever_writer_it_reaches() {
    let server = RedisServer::shared();
    let settings = server.settings();
    let (one, two) = (Node::new(&settings), Node::new(&settings));
    let first = one.try_append(records("logs:a:w", 0..5), named("k", 1)).unwrap();
    for node in [&one, &two] {
        let again = node.try_append(records("logs:a:w", 0..5), named("k", 1)).unwrap();
        let repeat = Appended {
            is_repeat: true,
            ..first
        };
        assert_eq!(again, repeat);
        let reused = node.try_append(records("logs:a:w", 0..5), named("k", 2));
        assert_eq!(reused, Err(AppendError::KeyReused));
    }
    assert_eq!(one.messages("logs:a:w"), numbers(0..5));
    let [key] = &server.command::<Vec<String>>(&["KEYS", &one.store.key("k:*")])[..] else {
        panic!("one answer is kept")
    };
    let left: u64 = server.command(&["PTTL", key]);
    assert!((500_000..=600_000).contains(&left), "{left}");
}

#[test]
fn readers_of_all_living_nodes_are_counted() {
    let server = RedisServer::shared();
    let node = Node::new(&server.settings());
    let later = (crate::engine::now_ms() + 60_000).to_string();
    for (name, lease, readers) in [("a", later.as_str(), "3"), ("b", &later, "4"), ("gone", "5", "9")] {
        let _: () = server.command(&["ZADD", &node.store.key("nodes"), lease, name]);
        let readers_key = node.store.key(&format!("readers:{name}"));
        let _: () = server.command(&["HSET", &readers_key, "logs:a:w", readers]);
    }
    assert_eq!(node.append(records("logs:a:w", 0..1)).subscribers, 7);
    assert_eq!(node.append(records("logs:b:w", 0..1)).subscribers, 0);
}

#[test]
fn scripts_that_redis_has_forgotten_are_given_to_it_again() {
    let server = RedisServer::start();
    let node = Node::new(&server.settings());
    for n in 0..3 {
        node.append(records("logs:a:w", n..n + 1));
        let _: () = server.command(&["SCRIPT", "FLUSH"]);
        assert_eq!(node.messages("logs:a:w"), numbers(0..n + 1));
        let _: () = server.command(&["SCRIPT", "FLUSH"]);
    }
    assert_eq!(node.store.trouble(), None);
}

#[test]
fn large_records_are_appended_and_read() {
    let server = RedisServer::shared();
    let node = Node::new(&server.settings());
    let long = "x".repeat(256 << 10);
    node.append((0..8).map(|_| record("logs:a:w", &long)).collect());
    node.append(records("logs:a:w", 0..2));
    let read = node.messages("logs:a:w");
    assert_eq!(read.len(), 10);
    assert!(read[..8].iter().all(|message| *message == long));
}

#[test]
fn a_channel_that_somebody_spoilt_is_refused_and_no_other() {
    let server = RedisServer::shared();
    let node = Node::new(&server.settings());
    let _: () = server.command(&["SET", &node.store.key("c:logs:a:w"), "1"]);
    let answers = [
        node.send(records("logs:b:w", 0..1), None),
        node.send(records("logs:a:w", 0..1), None),
        node.send(records("logs:c:w", 0..1), None),
    ];
    let answers = answers.map(|answer| answer.blocking_recv().unwrap());
    assert!(answers[0].is_ok() && answers[2].is_ok());
    assert_eq!(answers[1], Err(AppendError::Failed));
    assert_eq!(node.messages("logs:c:w"), numbers(0..1));
    // What is put right can be appended to, also under a key that was used for what failed.
    let spoilt = node.store.key("s:logs:d:w");
    let _: () = server.command(&["SET", &spoilt, "1"]);
    for _ in 0..2 {
        let failed = node.try_append(records("logs:d:w", 0..1), named("k", 1));
        assert_eq!(failed, Err(AppendError::Failed));
    }
    let _: () = server.command(&["DEL", &spoilt]);
    let appended = node.try_append(records("logs:d:w", 0..1), named("k", 1)).unwrap();
    assert!(!appended.is_repeat);
    assert_eq!(node.messages("logs:d:w"), numbers(0..1));
}

#[test]
fn what_is_published_tells_a_block_as_it_lies_in_redis() {
    let server = RedisServer::shared();
    let node = Node::new(&server.settings());
    let client = redis::Client::open(format!("redis://127.0.0.1:{}", server.port())).unwrap();
    let mut connection = client.get_connection().unwrap();
    let mut published = connection.as_pubsub();
    published.subscribe(node.store.key("live:logs:a:w")).unwrap();
    let appended = node.append(records("logs:a:w", 0..3));
    let message = published.get_message().unwrap();
    let block = Block::from_message(message.get_payload_bytes()).unwrap();
    assert_eq!(
        (block.first_id(), block.last_id, block.records),
        (appended.first_id, appended.last_id, 3)
    );
    let read = block.read(crate::engine::Stamp::UNKNOWN).unwrap();
    assert_eq!(messages(&read), numbers(0..3));
    assert_eq!(read[0].frame, node.read("logs:a:w")[0].frame);
}
