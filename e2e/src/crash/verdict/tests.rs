use std::sync::Arc;

use logs_shared::{
    Channel, LogRecord, ServerEvent,
    event::{Gap, GapReason},
};

use super::*;
use crate::Received;

fn channels() -> Arc<[Channel]> {
    ["logs:etl:w:a", "logs:etl:w:b"]
        .map(|text| text.parse().unwrap())
        .into()
}

fn numbered(publisher: u16, channel: u16, number: u32) -> Numbered {
    let sequence = Sequence { publisher, channel };
    Numbered { sequence, number }
}

/// Two publishers, two channels, and a publication over both; ids 1-0 to 1-8.
fn acknowledged() -> Vec<Acknowledged> {
    let publication = |first, records: &[Numbered]| Acknowledged {
        ids: (
            RecordId::new(1, first),
            RecordId::new(1, first + records.len() as u64 - 1),
        ),
        records: records.into(),
    };
    let first: Vec<_> = (0..3).map(|number| numbered(0, 0, number)).collect();
    let second: Vec<_> = (0..2).map(|number| numbered(1, 0, number)).collect();
    let both = [
        numbered(0, 1, 0),
        numbered(0, 0, 3),
        numbered(0, 1, 1),
        numbered(0, 0, 4),
    ];
    // A publisher's answers are noted in their order, but not those of several.
    vec![
        publication(3, &second),
        publication(0, &first),
        publication(5, &both),
    ]
}

/// What the gateway would send of it.
fn sent() -> Vec<(u64, Numbered)> {
    let mut sent: Vec<_> = acknowledged()
        .iter()
        .flat_map(|publication| {
            (publication.ids.0.seq..)
                .zip(publication.records.iter().copied())
                .collect::<Vec<_>>()
        })
        .collect();
    sent.sort_by_key(|(seq, _)| *seq);
    sent
}

/// The event a stream would send; `alter` changes the published line.
fn event(seq: u64, record: Numbered, alter: impl Fn(String) -> String) -> Received {
    let line = alter(record.to_line(&channels()));
    let now = logs_shared::Timestamp::from_unix_ms(0).unwrap();
    let kind = logs_shared::publish::BodyKind::Ndjson;
    let publication = logs_shared::publish::Publication::parse(line.as_bytes(), kind, now).unwrap();
    let id = RecordId::new(1, seq);
    let entry = publication.entries.into_iter().next().unwrap().unwrap();
    Received {
        event: ServerEvent::Log(LogRecord { id, entry }),
        last_event_id: id.to_string(),
    }
}

fn verdict_for(only: Option<u16>, events: impl IntoIterator<Item = Received>) -> Verdict {
    let mut reading = Reading::new("reader", channels(), only);
    for event in events {
        reading.take(&event);
    }
    Verdict::of(&reading, &acknowledged())
}

fn verdict(sent: Vec<(u64, Numbered)>) -> Verdict {
    verdict_for(
        None,
        sent.into_iter()
            .map(|(seq, record)| event(seq, record, |line| line)),
    )
}

/// Lost, duplicated, out of order, foreign, misplaced, gaps.
fn faults(verdict: &Verdict) -> [u64; 6] {
    assert_eq!(verdict.is_faultless(), verdict.examples.is_empty(), "{verdict:?}");
    [
        verdict.lost,
        verdict.duplicated,
        verdict.out_of_order,
        verdict.foreign,
        verdict.misplaced,
        verdict.gaps,
    ]
}

#[test]
fn what_was_sent_as_acknowledged_is_faultless() {
    let all = verdict(sent());
    assert_eq!((faults(&all), all.read), ([0; 6], 9));
    let one_channel = sent()
        .into_iter()
        .filter(|(_, record)| record.sequence.channel == 1);
    let one_channel = verdict_for(
        Some(1),
        one_channel.map(|(seq, record)| event(seq, record, |line| line)),
    );
    assert_eq!((faults(&one_channel), one_channel.read), ([0; 6], 2));
}

#[test]
fn a_lost_record_is_told() {
    for lost in 0..9 {
        let mut sent = sent();
        sent.remove(lost);
        assert_eq!(faults(&verdict(sent)), [1, 0, 0, 0, 0, 0], "{lost}");
    }
    assert_eq!(faults(&verdict(Vec::new()))[0], 9);
}

#[test]
fn a_duplicated_record_is_told_whatever_its_id() {
    let mut resent = sent();
    resent.insert(4, resent[3]);
    assert_eq!(faults(&verdict(resent)), [0, 1, 0, 0, 0, 0]);
    let mut stored_twice = sent();
    stored_twice.push((9, stored_twice[8].1));
    assert_eq!(faults(&verdict(stored_twice)), [0, 1, 0, 0, 0, 0]);
}

#[test]
fn a_record_out_of_order_is_told() {
    // The records of one publisher, one for the other, under ids that grow as they should.
    let mut swapped = sent();
    let (one, other) = (swapped[0].1, swapped[1].1);
    (swapped[0].1, swapped[1].1) = (other, one);
    assert_eq!(faults(&verdict(swapped)), [0, 0, 1, 0, 1, 0]);
    // The record of one publisher after that of another, each as it was acknowledged.
    let mut late = sent();
    late.swap(2, 3);
    assert_eq!(faults(&verdict(late)), [0, 0, 1, 0, 0, 0]);
}

#[test]
fn a_record_that_comes_after_the_cursor_has_passed_it_is_told() {
    let mut events: Vec<_> = sent()
        .into_iter()
        .map(|(seq, record)| event(seq, record, |line| line))
        .collect();
    let timestamp = logs_shared::Timestamp::from_unix_ms(0).unwrap();
    let heartbeat = |cursor: &str| Received {
        event: ServerEvent::Heartbeat(logs_shared::event::Heartbeat {
            timestamp,
            delayed_ms: None,
        }),
        last_event_id: cursor.to_owned(),
    };
    events.insert(8, heartbeat("1-7"));
    assert_eq!(faults(&verdict_for(None, events.clone())), [0; 6]);
    events.insert(9, heartbeat("1-8"));
    events.swap(9, 10);
    assert_eq!(faults(&verdict_for(None, events.clone())), [0; 6]);
    events.swap(9, 10);
    assert_eq!(faults(&verdict_for(None, events)), [0, 0, 1, 0, 0, 0]);
}

#[test]
fn a_record_that_nobody_published_so_is_told() {
    let altered = sent().into_iter().map(|(seq, record)| {
        event(seq, record, |line| {
            if seq == 4 { line.replace("x\"", "\"") } else { line }
        })
    });
    assert_eq!(faults(&verdict_for(None, altered)), [1, 0, 0, 1, 0, 0]);
    let mut never_acknowledged = sent();
    never_acknowledged.push((9, numbered(1, 1, 0)));
    assert_eq!(faults(&verdict(never_acknowledged)), [0, 0, 0, 1, 0, 0]);
}

#[test]
fn an_id_other_than_the_acknowledged_is_told() {
    let mut moved = sent();
    moved[8].0 = 9;
    assert_eq!(faults(&verdict(moved)), [0, 0, 0, 0, 1, 0]);
}

#[test]
fn a_gap_is_told() {
    let gap = Received {
        event: ServerEvent::Gap(Gap {
            channel: "logs:etl:w:a".parse().unwrap(),
            from: RecordId::ZERO,
            to: RecordId::new(1, 0),
            reason: GapReason::Restart,
        }),
        last_event_id: String::new(),
    };
    let all = sent()
        .into_iter()
        .map(|(seq, record)| event(seq, record, |line| line));
    let told = verdict_for(None, [gap].into_iter().chain(all));
    assert_eq!(faults(&told), [0, 0, 0, 0, 0, 1]);
    assert!(told.examples[0].contains("restart"), "{told:?}");
}
