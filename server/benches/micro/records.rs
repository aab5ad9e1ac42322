//! What a record costs on its way in and out: taking a publication apart, and making an event.

use divan::{Bencher, black_box, counter::ItemsCount};
use logs_shared::{
    RecordId, Timestamp,
    publish::{BodyKind, Publication},
    sse,
};

use crate::{
    common::{PUBLICATION, entry},
    set_up,
};

/// Records of a batch.
const BATCH: usize = 100;

#[divan::bench]
fn parse_one(bencher: Bencher<'_, '_>) {
    parse(bencher, PUBLICATION, BodyKind::Json, 1);
}

#[divan::bench]
fn parse_ndjson_of_100(bencher: Bencher<'_, '_>) {
    parse(bencher, &[PUBLICATION; BATCH].join("\n"), BodyKind::Ndjson, BATCH);
}

#[divan::bench]
fn parse_array_of_100(bencher: Bencher<'_, '_>) {
    let array = format!("[{}]", [PUBLICATION; BATCH].join(","));
    parse(bencher, &array, BodyKind::Json, BATCH);
}

fn parse(bencher: Bencher<'_, '_>, body: &str, kind: BodyKind, records: usize) {
    let publication = Publication::parse(body.as_bytes(), kind, Timestamp::MAX);
    assert_eq!(
        publication.map(|publication| publication.entries.len()),
        Ok(records)
    );
    bencher
        .counter(ItemsCount::new(records))
        .bench(|| Publication::parse(black_box(body.as_bytes()), kind, Timestamp::MAX));
}

/// The part before the record's id is known, which is done for each publisher.
#[divan::bench]
fn encode(bencher: Bencher<'_, '_>) {
    let entry = set_up(entry());
    bencher.bench(|| black_box(&entry).encode());
}

/// The rest, which the one writer does.
#[divan::bench]
fn write_event(bencher: Bencher<'_, '_>) {
    let json = set_up(entry()).encode();
    let (id, mut event) = (RecordId::new(1_758_796_200_123, 17), Vec::new());
    bencher.bench_local(|| {
        event.clear();
        sse::start_event(&mut event, None, Some(id));
        black_box(&json).write_json(id, &mut event);
        sse::end_event(&mut event);
        event.len()
    });
}
