//! What a server does wrong is told, and what it does right is not.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use anyhow::Result;

use super::{From, Publishing, Readers, Spec, Step, run};
use crate::floor::{self, Mode};
use crate::outcome::Outcome;
use crate::targets;
use crate::wire::{Publish, Wire, message};

const BYTES: usize = 60;
const HEAD: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A server that answers every connection with these bytes, and keeps it open until the other end is gone.
fn answering(bytes: Vec<u8>) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let bytes = bytes.clone();
            thread::spawn(move || {
                let mut request = [0; 4096];
                if socket.read(&mut request).is_ok_and(|length| length > 0) {
                    let _ = socket.write_all(&bytes);
                    while socket.read(&mut request).is_ok_and(|length| length > 0) {}
                }
            });
        }
    });
    Ok(address)
}

/// A stream of records with these numbers, in chunks of so many bytes.
fn stream(numbers: &[u64], lane: usize, chunk: usize) -> Vec<u8> {
    let records = numbers
        .iter()
        .map(|number| format!("data: {}\n\n", message(1, *number, lane, BYTES)));
    let body: String = records.collect();
    let mut bytes = HEAD.as_bytes().to_vec();
    for part in body.as_bytes().chunks(chunk) {
        bytes.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
        bytes.extend_from_slice(part);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

fn wire(address: SocketAddr) -> Wire {
    let head = "POST / HTTP/1.1\r\ncontent-length: {length}\r\n\r\n".to_owned();
    Wire {
        address,
        subscribe: "GET / HTTP/1.1\r\n\r\n".to_owned(),
        resume: None,
        replay: Some("GET / HTTP/1.1\r\n\r\n".to_owned()),
        firehose: None,
        single: Publish {
            head,
            body: "{message}".to_owned(),
        },
        batch: None,
    }
}

fn readers(from: From, channels: usize, each: usize) -> Readers {
    Readers {
        from,
        first_channel: 0,
        channels,
        each,
        at_once: 10,
    }
}

fn publishing(channels: usize, publishers: usize, batch: usize, records: u64) -> Publishing {
    Publishing {
        first_channel: 0,
        channels,
        publishers,
        batch,
        rate: None,
        seconds: 60.0,
        records,
    }
}

fn outcome(wire: Wire, step: Step, published: u64) -> Outcome {
    let spec = Spec {
        wire,
        pids: Vec::new(),
        record_bytes: BYTES,
        published,
        quiet_ms: 200,
        steps: vec![step],
    };
    run(&spec).pop().unwrap()
}

/// What a reader of ten records is told of a server that sends this.
fn replayed(bytes: Vec<u8>) -> Outcome {
    let step = Step {
        readers: vec![readers(From::Replay, 1, 2)],
        ..Step::default()
    };
    outcome(wire(answering(bytes).unwrap()), step, 10)
}

fn counts(outcome: &Outcome) -> (u64, u64, u64, u64) {
    assert_eq!(outcome.trouble, None);
    (
        outcome.delivered,
        outcome.lost,
        outcome.repeated,
        outcome.out_of_order,
    )
}

#[test]
fn records_are_read_however_their_chunks_cut_them() {
    let numbers: Vec<u64> = (0..10).collect();
    for chunk in [1, 7, 39, 100, 10_000] {
        assert_eq!(
            counts(&replayed(stream(&numbers, 0, chunk))),
            (20, 0, 0, 0),
            "chunks of {chunk}"
        );
    }
}

#[test]
fn lost_repeated_and_swapped_records_are_told_for_each_reader() {
    let told = |numbers: &[u64]| counts(&replayed(stream(numbers, 0, 50)));
    assert_eq!(told(&[0, 1, 2, 4, 5, 6, 7, 8, 9]), (18, 2, 0, 0));
    assert_eq!(told(&[0, 1, 2, 3, 4, 5, 6]), (14, 6, 0, 0));
    assert_eq!(told(&[0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9]), (20, 0, 2, 0));
    assert_eq!(told(&[0, 1, 3, 2, 4, 5, 6, 7, 8, 9]), (20, 0, 0, 2));
}

#[test]
fn a_stream_that_ends_is_refused_or_cannot_be_read_is_trouble() {
    let mut ended = stream(&[0, 1], 0, 50);
    ended.extend_from_slice(b"0\r\n\r\n");
    let mut broken = stream(&[0, 1], 0, 50);
    broken.extend_from_slice(b"5\r\nhelloX");
    let mut garbled = HEAD.as_bytes().to_vec();
    garbled.extend_from_slice(b"40\r\nbench 0000000000000001 000000000x 00000 ");
    for (bytes, expected) in [
        (ended, "ended by the server"),
        (broken, "framing"),
        (garbled, "cannot be read"),
        (stream(&[0], 1, 50), "lane 1"),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n".to_vec(), "503"),
    ] {
        let trouble = replayed(bytes).trouble.unwrap_or_default();
        assert!(trouble.contains(expected), "{expected:?} is not in {trouble:?}");
    }
}

#[test]
fn a_publication_that_is_refused_is_trouble() {
    let step = Step {
        publishing: Some(publishing(1, 1, 1, 5)),
        ..Step::default()
    };
    let refused = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n".to_vec();
    let trouble = outcome(wire(answering(refused).unwrap()), step, 0)
        .trouble
        .unwrap_or_default();
    assert!(trouble.contains("401"), "{trouble:?}");
}

#[test]
fn what_is_acknowledged_and_sent_to_nobody_is_lost() {
    // Read as the head of a stream it is one that nothing comes on.
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec();
    let step = Step {
        readers: vec![readers(From::Live, 1, 3)],
        publishing: Some(publishing(1, 1, 1, 1)),
        ..Step::default()
    };
    assert_eq!(
        counts(&outcome(wire(answering(answer).unwrap()), step, 0)),
        (0, 3, 0, 0)
    );
}

#[test]
fn the_floor_brings_every_record_to_every_reader_of_its_channel() {
    for mode in [Mode::OneWrite, Mode::Batched] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let wire = targets::floor::wire(listener.local_addr().unwrap());
        // It ends with the process.
        thread::spawn(move || floor::go_on(mode, &listener));
        for (channels, publishers, batch) in [(1, 1, 1), (3, 2, 10), (2, 5, 1)] {
            let all = Readers {
                channels: 1,
                ..readers(From::Firehose, 1, 1)
            };
            let step = Step {
                readers: vec![readers(From::Live, channels, 4), all],
                publishing: Some(publishing(channels, publishers, batch, 3000)),
                ..Step::default()
            };
            let outcome = outcome(wire.clone(), step, 0);
            assert_eq!(
                counts(&outcome),
                (3000 * 5, 0, 0, 0),
                "{mode:?}, {channels}, {publishers}, {batch}"
            );
            assert_eq!(outcome.published, 3000);
        }
    }
}
