//! A publication's body: what is taken becomes a record that every reader can take, and can be published again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use logs_shared::{
    LogEntry, LogRecord, RecordId, Timestamp,
    api::MAX_RECORD_BYTES,
    publish::{BodyKind, Publication},
};
use serde_json::value::RawValue;

/// The longest sentence a refusal may be, in bytes: what it names of a body is cut.
const LONGEST_SENTENCE: usize = 4_096;

fuzz_target!(|body: &[u8]| {
    for kind in [BodyKind::Json, BodyKind::Ndjson] {
        match Publication::parse(body, kind, now()) {
            Ok(publication) => {
                look_at(&publication);
                if kind == BodyKind::Ndjson {
                    lines_and_an_array_are_the_same(body, &publication);
                }
            }
            Err(error) => assert!(error.to_string().len() <= LONGEST_SENTENCE, "{error}"),
        }
    }
});

fn look_at(publication: &Publication) {
    assert!(!publication.entries.is_empty());
    assert!(publication.is_batch || publication.entries.len() == 1);
    for entry in &publication.entries {
        match entry {
            Ok(entry) => {
                readers_can_take(entry);
                can_be_published_again(entry);
            }
            Err(error) => {
                assert!(!error.code().is_empty());
                assert!(error.to_string().len() <= LONGEST_SENTENCE, "{error}");
            }
        }
    }
}

fn now() -> Timestamp {
    Timestamp::from_unix_ms(1_758_796_200_000).unwrap()
}

fn readers_can_take(entry: &LogEntry) {
    let encoded = entry.encode();
    assert!(encoded.max_len() <= MAX_RECORD_BYTES);
    let record = LogRecord {
        id: RecordId::new(u64::MAX, u64::MAX),
        entry: entry.clone(),
    };
    let json = record.to_json();
    assert_eq!(json.len(), encoded.max_len());
    assert!(!json.contains(['\n', '\r']), "{json}");
    assert_eq!(serde_json::from_str::<LogRecord>(&json).unwrap(), record);
    // As a browser reads it, all of it.
    serde_json::from_str::<serde_json::Value>(&json).unwrap();
}

fn can_be_published_again(entry: &LogEntry) {
    let LogEntry {
        channel,
        timestamp,
        level,
        message,
        fields,
    } = entry;
    let message = serde_json::Value::from(message.as_str());
    // A level or a timestamp that could not be read is among the fields, and of two with one name the later counts.
    let fields = fields.as_json().trim_start_matches('{');
    let comma = if fields == "}" { "" } else { "," };
    let body = format!(
        r#"{{"channel":"{channel}","logData":{{"message":{message},"level":"{level}","timestamp":"{timestamp}"{comma}{fields}}}"#
    );
    let again = Publication::parse(body.as_bytes(), BodyKind::Json, now()).unwrap();
    assert_eq!(again.entries, [Ok(entry.clone())], "{body}");
}

fn lines_and_an_array_are_the_same(body: &[u8], publication: &Publication) {
    let text = std::str::from_utf8(body).unwrap();
    let lines: Vec<_> = { text.lines().map(str::trim) }
        .filter(|line| !line.is_empty())
        .collect();
    if lines
        .iter()
        .all(|line| serde_json::from_str::<&RawValue>(line).is_ok())
    {
        let array = format!("[{}]", lines.join(","));
        let array = Publication::parse(array.as_bytes(), BodyKind::Json, now()).unwrap();
        assert_eq!(&array, publication);
    }
}
