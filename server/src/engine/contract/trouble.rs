//! Folders that cannot be used, and disks that fail.

use std::fs;

use super::*;

fn disk(dir: &std::path::Path) -> Storage {
    Storage::Disk {
        dir: dir.to_owned(),
        durability: Durability::Fsync,
    }
}

fn refusal(dir: &std::path::Path) -> String {
    match Engine::open(&disk(dir), KEPT) {
        Ok(_) => panic!("{} was opened", dir.display()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_folder_is_not_opened_twice() {
    let opened = Opened::new(Kind::Disk, KEPT);
    let Storage::Disk { dir, .. } = &opened.storage else {
        unreachable!()
    };
    assert!(refusal(dir).contains("in use by another gateway"));
    assert_eq!(opened.append(records("logs:etl:w", 1)).subscribers, 0);
}

#[test]
fn a_folder_of_another_version_is_left_alone() {
    let mut opened = Opened::new(Kind::Disk, KEPT);
    opened.append(records("logs:etl:w", 3));
    opened.log().disk().unwrap().set_format(b"2");
    opened.engine.take().unwrap().close();
    let Storage::Disk { dir, .. } = &opened.storage else {
        unreachable!()
    };
    assert!(refusal(dir).contains("another version"));
    fs::write(dir.join("version"), b"FJL\x09").unwrap();
    assert!(refusal(dir).contains("another version"));
}

#[test]
fn what_is_no_folder_is_refused() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "hello").unwrap();
    assert!(refusal(&file).contains("is not a folder"));
    assert_eq!(fs::read(&file).unwrap(), b"hello");
}

#[test]
fn a_damaged_folder_is_refused() {
    let mut opened = Opened::new(Kind::Disk, KEPT);
    opened.append(records("logs:etl:w", 3));
    opened.engine.take().unwrap().close();
    let Storage::Disk { dir, .. } = &opened.storage else {
        unreachable!()
    };
    let journal = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let journal = { journal }
        .find(|path| path.extension().is_some_and(|ext| ext == "jnl"))
        .unwrap();
    let mut bytes = fs::read(&journal).unwrap();
    // In the middle of the first batch of records; the ones before it only made the key spaces.
    let at = bytes.windows(4).position(|window| window == b"logs").unwrap();
    bytes[at] ^= 0xff;
    fs::write(&journal, &bytes).unwrap();
    let refusal = refusal(dir);
    assert!(refusal.contains("cannot be read"), "{refusal}");
    assert_eq!(fs::read(&journal).unwrap().len(), bytes.len(), "it was not cut");
}

#[test]
fn ids_go_on_after_those_of_a_clock_that_was_ahead() {
    let mut opened = Opened::new(Kind::Disk, KEPT);
    let ahead = RecordId::new(now_ms() + 86_400_000, 5);
    let mut change = opened.log().disk().unwrap().change().unwrap();
    change.set_last_id(ahead);
    change.commit().unwrap();
    opened.restart();
    assert_eq!(opened.append(records("logs:etl:w", 1)).first_id, ahead.next());
}

/// The disk fails in the middle of a batch: whether it is stored nobody knows. The store is opened again, and then
/// readers, the publisher's repeat and the disk agree on what there is.
#[test]
fn after_a_failure_the_log_goes_on_from_what_is_on_disk() {
    use crate::engine::store::Fault;
    for fault in [Fault::Lost, Fault::Written] {
        let mut opened = Opened::new(Kind::Disk, KEPT);
        let mut live = opened.reader(&["logs:*:w"], None, RecordId::ZERO);
        let first = opened.append(records("logs:etl:w", 2));
        assert_eq!(everything(&mut live).len(), 2);
        let named = || Named {
            key: IdempotencyKey {
                owner: [1; 32],
                name: "k".to_owned(),
            },
            content: [1; 32],
        };
        let both = || {
            [records("logs:etl:w", 3), records("logs:etl:v", 1)]
                .into_iter()
                .flatten()
                .collect()
        };
        *opened.log().disk().unwrap().fault.lock().unwrap() = Some(fault);
        assert_eq!(opened.try_append(both(), Some(named())), Err(AppendError::Failed));
        assert_eq!(everything(&mut live), []);
        // One of the channels goes out of memory again, and then somebody comes who wants it from now on.
        opened.rest();
        let mut late = opened.reader(&["logs:*:v"], None, opened.engine().head());
        assert!(opened.engine().trouble().unwrap().contains("store fails"));
        opened.eventually("a store that works", |opened| opened.engine().trouble().is_none());
        let found = (everything(&mut live).len(), everything(&mut late).len());
        let written = matches!(fault, Fault::Written);
        assert_eq!(found, if written { (3, 1) } else { (0, 0) });
        let repeat = opened.try_append(both(), Some(named())).unwrap();
        assert!(repeat.first_id > first.last_id);
        let next = opened.append(records("logs:etl:w", 1));
        assert!(next.first_id > repeat.last_id);
        assert_eq!(found.0 + everything(&mut live).len(), 4, "{fault:?}");
        assert_eq!(found.1 + everything(&mut late).len(), 1, "{fault:?}");
        for _ in 0..2 {
            let overview = opened.overview("logs:etl:w");
            assert_eq!(
                (overview.records, overview.last_id),
                (6, Some(next.last_id)),
                "{fault:?}"
            );
            let again = everything(&mut opened.reader(&["logs:*:w"], None, RecordId::ZERO));
            assert_eq!(again.len(), 6, "{fault:?}");
            opened.rest();
        }
        drop((live, late));
        opened.restart();
        let again = everything(&mut opened.reader(&["logs:*:w"], None, RecordId::ZERO));
        assert_eq!(again.len(), 6, "{fault:?}");
    }
}

#[test]
fn a_full_disk_takes_nothing_and_gives_everything() {
    let opened = Opened::new(Kind::Disk, KEPT);
    let mut reader = opened.reader(&["logs:etl:w"], None, RecordId::ZERO);
    let before = opened.append(records("logs:etl:w", 3));
    let store = opened.log().disk().unwrap();
    store.pretend_free(1 << 20);
    assert_eq!(
        opened.try_append(records("logs:etl:w", 1), None),
        Err(AppendError::Full)
    );
    assert!(opened.engine().trouble().unwrap().contains("disk is full"));
    assert_eq!(everything(&mut reader).len(), 3);
    assert_eq!(
        everything(&mut opened.reader(&["logs:*:w"], None, RecordId::ZERO)).len(),
        3
    );
    // The sweeper looks again, and there is room.
    opened.eventually("room", |opened| opened.engine().trouble().is_none());
    assert!(opened.append(records("logs:etl:w", 1)).first_id > before.last_id);
}
