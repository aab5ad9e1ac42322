//! What a record costs on its way in and out: taking a publication apart, and making an event.

use divan::{Bencher, black_box, counter::ItemsCount};
use logs_shared::{
    LogEntry, RecordId, Timestamp,
    publish::{BodyKind, Publication},
    sse,
};

/// Records of a batch.
const BATCH: usize = 100;
/// What a service sends for one record.
const PUBLICATION: &str = r#"{"service":"etl","workspace_id":"ws-1","workflow_id":"run-7","logData":{"level":"INFO","message":"step 3 of 7: 1,204 rows loaded into the warehouse","timestamp":"2025-09-25T10:30:00.123Z","step":3,"duration_ms":48.5,"table":"orders","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}}"#;

fn main() {
    divan::main();
}

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
    let entry = entry();
    bencher.bench(|| black_box(&entry).encode());
}

/// The rest, which the one writer does.
#[divan::bench]
fn write_event(bencher: Bencher<'_, '_>) {
    let (json, id, mut event) = (entry().encode(), RecordId::new(1_758_796_200_123, 17), Vec::new());
    bencher.bench_local(|| {
        event.clear();
        sse::start_event(&mut event, None, Some(id));
        black_box(&json).write_json(id, &mut event);
        sse::end_event(&mut event);
        event.len()
    });
}

fn entry() -> LogEntry {
    let publication = Publication::parse(PUBLICATION.as_bytes(), BodyKind::Json, Timestamp::MAX);
    let entry = publication
        .ok()
        .and_then(|publication| publication.entries.into_iter().next());
    match entry {
        Some(Ok(entry)) => entry,
        other => panic!("the publication is refused: {other:?}"),
    }
}
