//! What is read and written here is what a JSON library reads and writes.

use logs_shared::{Conditions, RecordId};
use proptest::prelude::*;

use super::*;

/// Any JSON value, not deep.
fn any_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any_text().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            proptest::collection::vec((any_text(), inner), 0..5)
                .prop_map(|parts| serde_json::Value::Object(parts.into_iter().collect())),
        ]
    })
}

fn any_text() -> impl Strategy<Value = String> {
    "[\\x00-\\x7f\u{e9}\u{1f600}\"\\\\{}:,\\[\\]]{0,12}"
}

/// A text with its characters written as escapes, where they may be.
fn escape_all(text: &str) -> String {
    let units = text.encode_utf16().map(|unit| format!("\\u{unit:04X}"));
    format!("\"{}\"", units.collect::<String>())
}

const WIRE: &str = r#"{"type":"log","id":"17-2","channel":"logs:etl:w:x","service":"etl","workspace_id":"w","workflow_id":"x","timestamp":"2025-09-25T10:30:00.123Z","level":"WARN","message":"a\nb","fields":{"n":12345678901234567890,"f":1.10,"o":{"k":[1,"}"]}}}"#;

#[test]
fn a_record_is_read_with_its_digits() {
    let record = read_record(WIRE).unwrap();
    assert_eq!(record.id, RecordId::new(17, 2));
    assert_eq!(
        record.fields.as_json(),
        r#"{"n":12345678901234567890,"f":1.10,"o":{"k":[1,"}"]}}"#
    );
    assert_eq!(record.to_json(), WIRE);
}

#[test]
fn what_is_no_record_and_no_gap_is_skipped() {
    let wrong = [
        ("{\"type\"", "[\"type\""),
        ("\"17-2\"", "17"),
        ("17-2", "17"),
        ("logs:etl", "etl"),
        ("2025-09-25T", "yesterday "),
        ("WARN", "LOUD"),
        ("\"a\\nb\"", "null"),
        ("\"a\\nb\"", "\"a\nb\""),
        ("\"a\\nb\"", "\"\\ud800\""),
        ("\"a\\nb\"", "\"\\u+123\""),
        ("1.10", "1."),
        ("1.10", "01"),
        ("1.10", "nul"),
        ("}}}", "}}"),
        ("}}}", "}}}}"),
        ("}}}", "}},}"),
        ("\"fields\":{", "\"fields\":null,\"x\":{"),
    ];
    for (from, to) in wrong.into_iter() {
        assert_ne!(WIRE.replacen(from, to, 1), WIRE, "{from}");
        assert_eq!(read_row(&WIRE.replacen(from, to, 1)), None, "{from} {to}");
    }
    assert_eq!(read_row(""), None);
    assert_eq!(read_row(&"[".repeat(100_000)), None);
}

#[test]
fn a_gap_is_read_also_with_a_reason_that_is_new() {
    for reason in ["retention", "restart", "unknown_cursor", "moonrise"] {
        let json =
            format!(r#"{{"channel":"logs:*:w:*","from":"1-0","to":"2-0","reason":"{reason}","type":"gap"}}"#);
        let gap: Gap = serde_json::from_str(&json).unwrap();
        assert_eq!(read_row(&json), Some(Row::Gap(gap)));
    }
}

proptest! {
    #[test]
    fn records_are_read_as_the_library_reads_them(
        ms: u64, seq: u64, message in any_text(), level in 0..6_usize,
        fields in proptest::collection::btree_map(any_text(), any_value(), 0..5),
        escaped: bool,
    ) {
        let fields = serde_json::to_string(&fields).unwrap();
        let message = if escaped { escape_all(&message) } else { serde_json::to_string(&message).unwrap() };
        let level = Level::ALL[level];
        let json = format!(
            r#"{{"message":{message},"fields":{fields},"id":"{ms}-{seq}","channel":"logs:etl:w","timestamp":"2025-09-25T10:30:00.123Z","level":"{level}"}}"#
        );
        let expected: LogRecord = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(read_record(&json), Some(expected));
    }

    #[test]
    fn white_space_goes_from_between_tokens(value in any_value()) {
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        prop_assert_eq!(compact(&pretty).map(Cow::into_owned), Some(value.to_string()));
    }

    #[test]
    fn what_is_taken_is_json(value in any_value(), at: prop::sample::Index, put in "[\\x00-\\x7f]{0,2}", out in 0..3_usize) {
        let mut text: Vec<char> = value.to_string().chars().collect();
        let at = at.index(text.len());
        text.splice(at..(at + out).min(text.len()), put.chars());
        let text: String = text.into_iter().collect();
        let is_json = match serde_json::from_str::<serde_json::Value>(&text) {
            Ok(_) => true,
            // The range of numbers is the gateway's to check.
            Err(error) if error.to_string().starts_with("number out of range") => return Ok(()),
            Err(_) => false,
        };
        prop_assert_eq!(compact(&text).is_some(), is_json, "{}", text);
    }

    #[test]
    fn interests_are_written_as_the_library_writes_them(
        level in 0..7_usize, name in any_text(), text in any_text(), is_where: bool, twice: bool,
    ) {
        let mut conditions = vec![];
        if is_where {
            conditions.push((name.as_str(), text.as_str()));
            conditions.push(("b", "c"));
        }
        let interest = Interest {
            pattern: "logs:*:w:*".parse().unwrap(),
            level: Level::ALL.get(level).copied(),
            conditions: Conditions::new(conditions).unwrap(),
        };
        let interests = vec![interest; 1 + usize::from(twice)];
        prop_assert_eq!(write_interests(&interests), serde_json::to_string(&interests).unwrap());
    }
}
