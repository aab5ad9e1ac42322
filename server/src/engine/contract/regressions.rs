//! What has once gone wrong. Each test opens with the story.

use std::sync::{Weak, atomic::AtomicBool};

use super::*;

/// A reader that was refused, or cut with something unread, was kept in memory for ever: what was marked referred to
/// the reader, which held what was marked.
#[test]
fn a_reader_that_goes_while_it_is_marked_leaves_nothing_behind() {
    for kind in [Kind::Memory, Kind::Disk, Kind::Redis] {
        let opened = Opened::new(kind, KEPT);
        opened.append(records("logs:etl:w", 1));
        let links = |watch: &Watch| -> Vec<Weak<Link>> { watch.links().iter().map(Arc::downgrade).collect() };
        let refused = opened.watch(&["logs:etl:w"], None);
        let mut left = links(&refused);
        drop(refused);
        let cut = opened.watch(&["logs:etl:w"], None);
        left.extend(links(&cut));
        let mut cut = opened.reader_of(cut, RecordId::ZERO);
        assert_eq!(everything(&mut cut).len(), 1);
        opened.append(records("logs:etl:w", 1));
        drop(cut);
        assert_eq!(left.len(), 2);
        assert!(left.iter().all(|link| link.upgrade().is_none()));
    }
}

/// The reader looked while its links were being replaced: the old one was gone, the new one not there yet, and the
/// record that had just marked the old one was passed over.
#[test]
fn a_change_in_the_middle_of_a_look_loses_nothing() {
    const PUBLISHED: usize = 10_000;
    let opened = Opened::new(Kind::Memory, KEPT);
    let watch = opened.watch(&["logs:etl:w"], None);
    let subscriber = watch.subscriber();
    let mut reader = opened.reader_of(watch, RecordId::ZERO);
    let stop = AtomicBool::new(false);
    let mut got = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                subscriber.set_interests(interests(
                    &["logs:etl:w", "logs:a:w", "logs:b:w", "logs:c:w"],
                    None,
                ));
                subscriber.set_interests(interests(&["logs:etl:w"], None));
                std::thread::sleep(std::time::Duration::from_micros(200));
            }
        });
        scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            for _ in 0..PUBLISHED {
                runtime
                    .block_on(opened.engine().append(records("logs:etl:w", 1), None))
                    .unwrap();
            }
            stop.store(true, Ordering::Relaxed);
        });
        while !stop.load(Ordering::Relaxed) {
            let mut out = Vec::new();
            if let Ok(Progress::Records(records)) = reader.read(Waker::noop(), 65_536, &mut out) {
                got += usize::try_from(records).unwrap();
            }
        }
    });
    got += everything(&mut reader).len();
    assert_eq!(got, PUBLISHED);
}

/// The row of a channel could not be read for a moment. The channel counted as new, and what was appended to it
/// overwrote the row: its records were there and nobody found them.
#[test]
fn a_row_that_cannot_be_read_is_not_overwritten() {
    let mut opened = Opened::new(Kind::Disk, KEPT);
    opened.append(records("logs:etl:w", 3));
    opened.rest();
    let fails = |opened: &Opened, fails| {
        opened
            .log()
            .disk()
            .unwrap()
            .rows_fail
            .store(fails, Ordering::Relaxed);
    };
    fails(&opened, true);
    let refused = opened.try_append(records("logs:etl:w", 1), None);
    fails(&opened, false);
    assert_eq!(refused, Err(AppendError::Failed));
    opened.restart();
    let all = everything(&mut opened.reader(&["logs:*:w"], None, RecordId::ZERO));
    assert_eq!(all.len(), 3);
}

/// A portion of blocks was taken out, and for the oldest record that is left the tail's was taken: age was looked for
/// in the wrong place, and a gap covered records that were sent.
#[test]
fn the_oldest_record_is_never_said_to_be_younger_than_it_is() {
    let opened = Opened::new(Kind::Disk, KEPT);
    let ids: Vec<RecordId> = (0..600)
        .map(|_| opened.append(records("logs:etl:w", 1)).first_id)
        .collect();
    let channel = "logs:etl:w".parse().unwrap();
    let log = read(&opened.log().directory).get(&channel).unwrap().clone();
    log.shorten_tail(true, ids[589]);
    let (done, _wait) = tokio::sync::oneshot::channel();
    let store = opened.log().disk().unwrap();
    let planned = trim::Cut::AllBut(344).plan(store, &channel, log.kept(), done);
    let trim = planned.unwrap().unwrap();
    assert_eq!((trim.records, trim.to, trim.first_id), (256, ids[255], None));
    log.trim(trim.records, trim.bytes, trim.to, trim.first_id);
    assert!(ids[255] < log.kept().first_id && log.kept().first_id <= ids[256]);
}

/// A burst, a quiet time, and then a little too much: nearly all of the burst was taken, because bytes were thought to be
/// evenly spread over time. And of one large publication, all within a millisecond, nothing was left.
#[test]
fn of_too_much_only_the_excess_goes() {
    for kind in [Kind::Memory, Kind::Disk, Kind::Redis] {
        let limit = 1_000_000;
        let opened = Opened::within(kind, Retention { bytes: limit, ..KEPT }, limit);
        while opened.engine().kept_bytes() + 10_000 < limit {
            opened.append(records("logs:etl:w:burst", 20));
        }
        for _ in 0..20 {
            std::thread::sleep(std::time::Duration::from_millis(10));
            opened.append(records("logs:etl:w:quiet", 1));
        }
        for too_much in [100, 20_000] {
            let last = opened.append(records("logs:etl:w:more", too_much)).last_id;
            opened.eventually("room", |opened| opened.engine().kept_bytes() <= limit);
            let kept = opened.engine().kept_bytes();
            // In Redis whole blocks go, of 256 KiB at most.
            let least = if kind == Kind::Redis {
                limit / 5 * 3
            } else {
                limit / 5 * 4
            };
            assert!(kept > least, "{kept} of {limit} are left ({kind:?}, {too_much})");
            assert_eq!(opened.overview("logs:etl:w:more").last_id, Some(last));
        }
    }
}

/// A block cannot be read, and the sweeper tried to take it out again and again, and did nothing else any more.
#[test]
fn the_sweeper_goes_on_where_a_block_cannot_be_read() {
    let retention = Retention {
        bytes: 20_000,
        ..KEPT
    };
    let opened = Opened::new(Kind::Disk, retention);
    let store = opened.log().disk().unwrap();
    store.blocks_fail.store(true, Ordering::Relaxed);
    opened.append(records("logs:etl:w", 300));
    opened.eventually("the failure", |opened| opened.engine().trouble().is_some());
    store.pretend_free(1 << 20);
    opened.eventually("another look at the disk", |_| store.has_room());
    store.blocks_fail.store(false, Ordering::Relaxed);
    opened.eventually("what was to go is gone", |opened| {
        opened.engine().kept_bytes() <= 20_000
    });
}

/// The gateway was killed before the sweeper had done its work, or started again with a lower limit: a channel to which
/// nothing was appended any more kept what it had.
#[test]
fn a_quiet_channel_is_trimmed_after_a_restart() {
    let mut opened = Opened::new(Kind::Disk, KEPT);
    opened.append(records("logs:etl:w", 500));
    opened.retention.records = 50;
    opened.restart();
    opened.eventually("trimming", |opened| opened.overview("logs:etl:w").records == 50);
}
