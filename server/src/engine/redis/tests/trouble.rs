//! Redis that is not as it should be, and Redis that is well again.

use super::*;

fn word(node: &Node) -> &'static str {
    node.store.trouble().map_or("", |trouble| trouble.word())
}

/// Publishing is refused with this error, at once and without a word to Redis, until what is wrong is over.
fn refused(node: &Node, error: AppendError, trouble: &str) {
    assert_eq!(node.try_append(records("logs:a:w", 0..1), None), Err(error));
    assert_eq!(word(node), trouble);
    let begun = Instant::now();
    let answers: Vec<_> = (0..20)
        .map(|_| node.send(records("logs:a:w", 0..1), None))
        .collect();
    for answer in answers {
        assert_eq!(answer.blocking_recv().unwrap(), Err(error));
    }
    assert!(
        begun.elapsed() < Duration::from_millis(500),
        "{:?}",
        begun.elapsed()
    );
}

fn well_again(node: &Node) {
    eventually("being well again", || node.store.trouble().is_none());
    node.append(records("logs:a:w", 0..1));
}

#[test]
fn a_replica_takes_nothing_until_it_is_the_primary() {
    let primary = RedisServer::start();
    let server = RedisServer::start();
    let node = Node::new(&server.settings()).sweeping();
    node.append(records("logs:a:w", 0..1));
    let _: () = server.command(&["REPLICAOF", "127.0.0.1", &primary.port().to_string()]);
    refused(&node, AppendError::Away, "read_only");
    assert!(node.store.marks().is_err());
    let _: () = server.command(&["REPLICAOF", "NO", "ONE"]);
    well_again(&node);
}

#[test]
fn full_memory_is_full_until_there_is_room() {
    let server = RedisServer::start();
    let settings = server.settings();
    let node = Node::new(&settings).sweeping();
    let long = "x".repeat(100_000);
    node.append((0..50).map(|_| record("logs:a:w", &long)).collect());
    let _: () = server.command(&["CONFIG", "SET", "maxmemory", "3mb"]);
    refused(&node, AppendError::Full, "full");
    // Reading goes on, and changes nothing about it.
    assert_eq!(node.read("logs:a:w").len(), 50);
    assert_eq!(word(&node), "full");
    // Retention makes room, also where memory is full.
    let _: () = server.command(&["SCRIPT", "FLUSH"]);
    drop(node);
    let node = Node::keeping(
        &settings,
        Retention {
            bytes: 500_000,
            ..KEPT
        },
    )
    .sweeping();
    eventually("room", || {
        node.try_append(records("logs:a:w", 0..1), None).is_ok()
    });
    well_again(&node);
    assert!(node.read("logs:a:w").len() < 10);
}

#[test]
fn a_redis_that_throws_records_away_gets_none() {
    let server = RedisServer::with(&["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]);
    let node = Node::new(&server.settings()).sweeping();
    eventually("the state", || word(&node) == "evicts");
    refused(&node, AppendError::Away, "evicts");
    let _: () = server.command(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    well_again(&node);
    let _: () = server.command(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    eventually("the state", || word(&node) == "evicts");
}

#[test]
fn a_writer_that_comes_first_finds_out_by_itself_what_redis_is_like() {
    let server = RedisServer::with(&["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]);
    let node = Node::new(&server.settings());
    refused(&node, AppendError::Away, "evicts");
}

#[test]
fn a_wrong_password_is_said_without_telling_it() {
    let server = RedisServer::with(&["--requirepass", "right-secret"]);
    let mut settings = server.settings();
    settings.url = format!("redis://:wrong-secret@127.0.0.1:{}", server.port())
        .parse()
        .unwrap();
    let node = Node::new(&settings).sweeping();
    refused(&node, AppendError::Away, "refused");
    let said = node.store.trouble().unwrap().to_string();
    assert!(!said.contains("secret") && said.contains("password"), "{said}");
    let _: () = server.command(&["CONFIG", "SET", "requirepass", "wrong-secret"]);
    well_again(&node);
}

#[test]
fn a_password_that_is_changed_meanwhile_is_asked_for_when_the_connection_ends() {
    let server = RedisServer::with(&["--requirepass", "first"]);
    let node = Node::new(&server.settings()).sweeping();
    // It begins the log when it tries whether that can be done.
    eventually("the sweeper's first look", || {
        server.command(&["EXISTS", &node.store.key("log")])
    });
    node.append(records("logs:a:w", 0..1));
    // Whoever is in stays in, until Redis closes the connection.
    let _: () = server.command(&["CONFIG", "SET", "requirepass", "second"]);
    node.append(records("logs:a:w", 1..2));
    let mut settings = server.settings();
    settings.url = format!("redis://:second@127.0.0.1:{}", server.port())
        .parse()
        .unwrap();
    let other = Node::new(&settings);
    let killed = other.store.ask(|connection| {
        redis::cmd("CLIENT")
            .arg("KILL")
            .arg("TYPE")
            .arg("normal")
            .arg("SKIPME")
            .arg("yes")
            .exec(connection)
    });
    killed.unwrap();
    eventually("the state", || word(&node) == "refused");
    refused(&node, AppendError::Away, "refused");
    let back = other.store.ask(|connection| {
        redis::cmd("CONFIG")
            .arg("SET")
            .arg("requirepass")
            .arg("first")
            .exec(connection)
    });
    back.unwrap();
    well_again(&node);
}

#[test]
fn what_another_version_wrote_is_let_alone() {
    let server = RedisServer::shared();
    let node = Node::new(&server.settings());
    let key = node.store.key("log");
    let _: () = server.command(&["HSET", &key, "format", "2", "last", "1-1"]);
    assert_eq!(
        node.try_append(records("logs:a:w", 0..1), None),
        Err(AppendError::Away)
    );
    assert_eq!(word(&node), "format");
    let node = Node::new(node.store.settings());
    assert!(node.store.marks().is_err());
    assert_eq!(word(&node), "format");
    let mut row: Vec<String> = server.command(&["HGETALL", &key]);
    row.sort();
    assert_eq!(row, ["1-1", "2", "format", "last"]);
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill() {
    let server = RedisServer::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let node = Node::new(&server.settings()).sweeping();
    let mut acknowledged = Vec::new();
    let mut next = 0;
    for _ in 0..3 {
        let until = Instant::now() + Duration::from_millis(300);
        let killer = std::thread::scope(|scope| {
            let killing = scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(200));
                server.kill();
            });
            while Instant::now() < until {
                let message = next.to_string();
                next += 1;
                // As a publisher does: again with the same key, until it is acknowledged.
                if let Ok(appended) = node.try_append(vec![record("logs:a:w", &message)], named(&message, 1))
                {
                    acknowledged.push((appended.first_id, message));
                }
            }
            killing.join()
        });
        assert!(killer.is_ok());
        assert_eq!(
            node.try_append(records("logs:a:w", 0..1), None),
            Err(AppendError::Away)
        );
        server.run();
        eventually("being well again", || node.store.trouble().is_none());
    }
    let read: Vec<_> = node.read("logs:a:w").iter().map(|record| record.id).collect();
    assert!(acknowledged.len() > 100, "{}", acknowledged.len());
    for (id, message) in &acknowledged {
        assert!(read.binary_search(id).is_ok(), "{message} is lost");
    }
    // Asked for again, it is not there twice.
    let (id, message) = acknowledged.last().unwrap();
    let again = node
        .try_append(vec![record("logs:a:w", message)], named(message, 1))
        .unwrap();
    assert_eq!((again.first_id, again.is_repeat), (*id, true));
}

#[test]
fn a_redis_that_was_restarted_while_nobody_published_is_no_news() {
    let server = RedisServer::with(&["--appendonly", "yes"]);
    let node = Node::new(&server.settings());
    node.append(records("logs:a:w", 0..1));
    std::thread::sleep(Duration::from_millis(1_100));
    server.kill();
    server.run();
    node.append(records("logs:a:w", 1..2));
    assert_eq!(node.messages("logs:a:w"), numbers(0..2));
}

#[test]
fn a_redis_that_does_not_answer_holds_nobody_longer_than_the_patience() {
    let server = RedisServer::start();
    let node = Node::new(&server.settings()).sweeping();
    node.append(records("logs:a:w", 0..1));
    server.pause(true);
    let begun = Instant::now();
    assert_eq!(
        node.try_append(records("logs:a:w", 1..2), None),
        Err(AppendError::Away)
    );
    let waited = begun.elapsed();
    assert!(
        waited < super::super::connect::PATIENCE + Duration::from_secs(1),
        "{waited:?}"
    );
    refused(&node, AppendError::Away, "unreachable");
    server.pause(false);
    well_again(&node);
}

#[test]
fn what_too_few_replicas_have_is_not_acknowledged() {
    let server = RedisServer::start();
    let mut settings = server.settings();
    settings.replicas = 1;
    let node = Node::new(&settings).sweeping();
    let answer = node.try_append(records("logs:a:w", 0..1), named("k", 1));
    assert_eq!(answer, Err(AppendError::Away));
    assert_eq!(word(&node), "replicas");
    let replica = RedisServer::with(&["--replicaof", "127.0.0.1", &server.port().to_string()]);
    eventually("being well again", || node.store.trouble().is_none());
    // It was appended, and the repeat finds it.
    let again = node.try_append(records("logs:a:w", 0..1), named("k", 1)).unwrap();
    assert!(again.is_repeat);
    assert_eq!(node.messages("logs:a:w"), numbers(0..1));
    let there: usize = replica.command(&["XLEN", &node.store.key("s:logs:a:w")]);
    assert_eq!(there, 1);
}

#[test]
fn a_redis_that_is_not_there_says_so_without_saying_where() {
    let server = RedisServer::start();
    let settings = server.settings();
    server.kill();
    let node = Node::new(&settings);
    refused(&node, AppendError::Away, "unreachable");
    let said = node.store.trouble().unwrap().to_string();
    assert!(said.contains("refused") && !said.contains("127.0.0.1"), "{said}");
    assert!(node.store.kept(&channel("logs:a:w")).is_err());
}

#[test]
fn what_redis_refuses_to_write_has_a_name() {
    let server = RedisServer::with(&["--save", "3600 1"]);
    let node = Node::new(&server.settings()).sweeping();
    node.append(records("logs:a:w", 0..1));

    let _: () = server.command(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    refused(&node, AppendError::Away, "replicas");
    let _: () = server.command(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    well_again(&node);

    let _: () = server.command(&["ACL", "SETUSER", "default", "resetchannels"]);
    assert_eq!(
        node.try_append(records("logs:a:w", 0..1), None),
        Err(AppendError::Failed)
    );
    refused(&node, AppendError::Away, "refused");
    let said = node.store.trouble().unwrap().to_string();
    assert!(said.contains("publish") && !said.contains("default"), "{said}");
    let other = Node::new(&server.settings()).sweeping();
    eventually("the state", || word(&other) == "refused");
    let _: () = server.command(&["ACL", "SETUSER", "default", "allchannels"]);
    well_again(&node);

    // It cannot write a snapshot where its folder is no more.
    server.remove_folder();
    let _: () = server.command(&["BGSAVE"]);
    eventually("a snapshot that fails", || {
        let info: String = server.command(&["INFO", "persistence"]);
        info.contains("rdb_last_bgsave_status:err")
    });
    refused(&node, AppendError::Away, "not_saving");
    let there = node.read("logs:a:w").len();
    assert!(there >= 3, "{there}");
    assert_eq!(word(&node), "not_saving");
    let _: () = server.command(&["CONFIG", "SET", "stop-writes-on-bgsave-error", "no"]);
    well_again(&node);
}

#[test]
fn a_redis_in_a_long_script_is_busy() {
    let server = RedisServer::with(&["--busy-reply-threshold", "50"]);
    let node = Node::new(&server.settings()).sweeping();
    node.append(records("logs:a:w", 0..1));
    std::thread::scope(|scope| {
        scope.spawn(|| server.try_command::<()>(&["EVAL", "while true do end", "0"]));
        eventually("being busy", || {
            server
                .try_command::<()>(&["PING"])
                .is_err_and(|error| error.code() == Some("BUSY"))
        });
        refused(&node, AppendError::Away, "busy");
        let _: () = server.command(&["SCRIPT", "KILL"]);
    });
    well_again(&node);
}

#[test]
fn a_cluster_is_not_used() {
    let server = RedisServer::with(&["--cluster-enabled", "yes"]);
    let node = Node::new(&server.settings());
    refused(&node, AppendError::Away, "failing");
    let said = node.store.trouble().unwrap().to_string();
    assert!(said.contains("Redis Cluster is not supported"), "{said}");
}
