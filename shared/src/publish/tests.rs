use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_700_000_000_000;

#[test]
fn a_publication_has_an_end() {
    let most = MAX_RECORDS_PER_PUBLICATION;
    let unrolled = |records: usize| {
        let log_data = vec!["\"\""; records].join(",");
        format!(r#"{{"channel":"logs:etl:w","logData":[{log_data}]}}"#)
    };
    let bodies = |records: usize| {
        [
            (unrolled(records), BodyKind::Json),
            (format!("[{}]", vec!["7"; records].join(",")), BodyKind::Json),
            (format!("[{},7]", unrolled(records - 1)), BodyKind::Json),
            ("oops\n".repeat(records), BodyKind::Ndjson),
            (format!("7\n{}", unrolled(records - 1)), BodyKind::Ndjson),
        ]
    };
    for (body, kind) in bodies(most) {
        assert_eq!(parse(&body, kind).map(|all| all.entries.len()), Ok(most));
    }
    for (body, kind) in bodies(most + 1) {
        assert_eq!(parse(&body, kind), Err(BodyError::TooManyRecords));
    }
}

fn parse(body: &str, kind: BodyKind) -> Result<Publication, BodyError> {
    Publication::parse(body.as_bytes(), kind, Timestamp::from_unix_ms(NOW).unwrap())
}

fn one(log_data: &str) -> Result<LogEntry, EntryError> {
    let body = format!(r#"{{"channel":"logs:etl:w","logData":{log_data}}}"#);
    let mut entries = parse(&body, BodyKind::Json).unwrap().entries;
    assert_eq!(entries.len(), 1);
    entries.remove(0)
}

#[test]
fn a_channel_is_named_by_parts_or_whole() {
    let channel = |body: &str| {
        parse(body, BodyKind::Json).unwrap().entries[0]
            .clone()
            .map(|e| e.channel.to_string())
    };
    let parts = r#""service":"etl","workspace_id":"w""#;
    assert_eq!(
        channel(&format!(r#"{{{parts},"logData":"m"}}"#)).unwrap(),
        "logs:etl:w"
    );
    for name in ["workflow_id", "resource_id", "function_id"] {
        assert_eq!(
            channel(&format!(r#"{{{parts},"{name}":"x","logData":"m"}}"#)).unwrap(),
            "logs:etl:w:x"
        );
    }
    assert_eq!(
        channel(r#"{"channel":"logs:etl:w:x","logData":"m"}"#).unwrap(),
        "logs:etl:w:x"
    );
    assert_eq!(
        channel(&format!(r#"{{{parts},"workflow_id":null,"logData":"m"}}"#)).unwrap(),
        "logs:etl:w"
    );
    assert_eq!(
        channel(r#"{"logData":"m"}"#).unwrap_err().code(),
        code::MISSING_CHANNELS
    );
    assert_eq!(
        channel(r#"{"service":"etl","logData":"m"}"#).unwrap_err().code(),
        code::MISSING_CHANNELS
    );
    assert_eq!(
        channel(r#"{"channel":"logs:*:w","logData":"m"}"#)
            .unwrap_err()
            .code(),
        code::INVALID_CHANNEL
    );
    assert_eq!(
        channel(r#"{"service":5,"logData":"m"}"#).unwrap_err().code(),
        code::INVALID_BODY
    );
}

#[test]
fn log_data_becomes_an_entry() {
    let entry =
        one(r#"{"message":"done","level":"warning","timestamp":1758796200000,"rows":42,"nested":{"a":[1]}}"#)
            .unwrap();
    assert_eq!(entry.message, "done");
    assert_eq!(entry.level, Level::Warn);
    assert_eq!(entry.timestamp.unix_ms(), 1_758_796_200_000);
    assert_eq!(entry.fields.as_json(), r#"{"rows":42,"nested":{"a":[1]}}"#);
}

#[test]
fn what_is_absent_has_a_default() {
    let entry = one("\"just \\u0041 text\"").unwrap();
    assert_eq!(
        (entry.message.as_str(), entry.level, entry.timestamp.unix_ms()),
        ("just A text", Level::Info, NOW)
    );
    let entry = one(r#"{"level":null,"timestamp":null}"#).unwrap();
    assert_eq!(
        (entry.message.as_str(), entry.level, entry.timestamp.unix_ms()),
        ("", Level::Info, NOW)
    );
    assert!(entry.fields.is_empty());
}

#[test]
fn a_message_that_is_no_text_becomes_its_json_text() {
    for (message, text) in [
        ("42", "42"),
        ("{ \"a\": 1 }", "{\"a\":1}"),
        ("null", "null"),
        ("[true]", "[true]"),
    ] {
        assert_eq!(one(&format!("{{\"message\":{message}}}")).unwrap().message, text);
    }
}

#[test]
fn an_unknown_level_or_time_is_kept_beside_the_default() {
    let entry = one(r#"{"message":"m","level":"loud","timestamp":"yesterday","a":1}"#).unwrap();
    assert_eq!((entry.level, entry.timestamp.unix_ms()), (Level::Info, NOW));
    assert_eq!(
        entry.fields.as_json(),
        r#"{"a":1,"level":"loud","timestamp":"yesterday"}"#
    );
    assert_eq!(
        one(r#"{"level":35}"#).unwrap().fields.as_json(),
        r#"{"level":35}"#
    );
    assert_eq!(one(r#"{"level":50}"#).unwrap().level, Level::Error);
    assert_eq!(
        one(r#"{"level":{"x":1}}"#).unwrap().fields.as_json(),
        r#"{"level":{"x":1}}"#
    );
}

#[test]
fn what_is_no_record_is_refused_with_its_code() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(65), "]".repeat(65));
    let large = format!("{{\"message\":\"{}\"}}", "x".repeat(MAX_RECORD_BYTES));
    let escaped = format!("{{\"message\":\"{}\"}}", "\\u0001".repeat(MAX_RECORD_BYTES / 6));
    let cases = [
        ("42", code::INVALID_LOG_DATA),
        ("null", code::INVALID_LOG_DATA),
        (r#"{"a":"\ud800"}"#, code::INVALID_LOG_DATA),
        (r#"{"message":"\ud800"}"#, code::INVALID_LOG_DATA),
        (&deep, code::TOO_DEEP),
        (&large, code::RECORD_TOO_LARGE),
        (&escaped, code::RECORD_TOO_LARGE),
    ];
    for (log_data, code) in cases {
        assert_eq!(one(log_data).unwrap_err().code(), code, "{}", shown(log_data));
    }
    let fits = format!("{{\"message\":\"{}\"}}", "x".repeat(MAX_RECORD_BYTES - 250));
    assert!(one(&fits).is_ok());
}

#[test]
fn records_are_counted_without_blank_lines_and_with_arrays_unrolled() {
    let line = |log_data: &str| format!(r#"{{"channel":"logs:etl:w","logData":{log_data}}}"#);
    let body = [
        line("\"a\""),
        String::new(),
        "{oops".into(),
        line("[\"b\",7,\"c\"]"),
        "  ".into(),
        "5".into(),
    ]
    .join("\r\n");
    let publication = parse(&body, BodyKind::Ndjson).unwrap();
    let told: Vec<_> = publication
        .entries
        .iter()
        .map(|e| e.as_ref().map_or_else(|e| e.code(), |e| &e.message))
        .collect();
    assert_eq!(
        told,
        [
            "a",
            code::BROKEN_JSON,
            "b",
            code::INVALID_LOG_DATA,
            "c",
            code::INVALID_BODY
        ]
    );
    assert!(publication.is_batch);
}

#[test]
fn what_could_hold_several_records_is_a_batch() {
    let object = r#"{"channel":"logs:etl:w","logData":"m"}"#;
    assert!(!parse(object, BodyKind::Json).unwrap().is_batch);
    assert!(parse(&format!(" [{object}]"), BodyKind::Json).unwrap().is_batch);
    assert!(parse(object, BodyKind::Ndjson).unwrap().is_batch);
    assert!(
        parse(r#"{"channel":"logs:etl:w","logData":["m"]}"#, BodyKind::Json)
            .unwrap()
            .is_batch
    );
}

#[test]
fn a_body_of_which_nothing_can_be_told_is_refused_whole() {
    let cases = [
        ("", code::EMPTY_BATCH),
        (" \n", code::EMPTY_BATCH),
        ("[]", code::EMPTY_BATCH),
        (r#"{"channel":"logs:etl:w","logData":[]}"#, code::EMPTY_BATCH),
        ("{", code::BROKEN_JSON),
        ("[{},", code::BROKEN_JSON),
        ("{} {}", code::BROKEN_JSON),
        ("nonsense", code::BROKEN_JSON),
        ("5", code::INVALID_BODY),
        ("\"text\"", code::INVALID_BODY),
    ];
    for (body, code) in cases {
        assert_eq!(parse(body, BodyKind::Json).unwrap_err().code(), code, "{body}");
    }
    let now = Timestamp::default();
    assert_eq!(
        Publication::parse(b"{\"a\":\"\xff\"}", BodyKind::Json, now)
            .unwrap_err()
            .code(),
        code::BROKEN_JSON
    );
    assert_eq!(
        parse("\n\n", BodyKind::Ndjson).unwrap_err().code(),
        code::EMPTY_BATCH
    );
}

proptest! {
    #[test]
    fn any_bytes_are_taken_apart_or_refused(body: Vec<u8>) {
        let now = Timestamp::default();
        let _ = Publication::parse(&body, BodyKind::Json, now);
        let _ = Publication::parse(&body, BodyKind::Ndjson, now);
    }

    #[test]
    fn any_log_data_is_a_record_or_refused(log_data in "[\\[\\]{}:,\"a0.e\\\\u-]{0,24}") {
        let body = format!("{{\"channel\":\"logs:etl:w\",\"logData\":{log_data}}}");
        let _ = parse(&body, BodyKind::Json);
    }

    #[test]
    fn what_is_accepted_can_be_read_again(message: String, name: String, value: i64) {
        let log_data = serde_json::json!({ "message": message, (name): value, "x": [message] });
        if let Ok(entry) = one(&log_data.to_string()) {
            let record = crate::LogRecord { id: RecordId::new(1, 1), entry };
            prop_assert_eq!(serde_json::from_str::<crate::LogRecord>(&record.to_json()).unwrap(), record);
        }
    }
}

#[test]
fn two_names_of_one_part_of_a_channel_are_both_told() {
    let body = r#"{"service":"etl","workspace_id":"w","workflow_id":"a","function_id":"b","logData":"m"}"#;
    let publication = Publication::parse(body.as_bytes(), BodyKind::Json, Timestamp::default()).unwrap();
    let error = publication.entries[0].as_ref().unwrap_err();
    let sentence = error.to_string();
    assert!(sentence.contains("workflow_id and function_id"), "{sentence}");
    let null = body.replace("\"a\"", "null");
    let publication = Publication::parse(null.as_bytes(), BodyKind::Json, Timestamp::default()).unwrap();
    assert_eq!(
        publication.entries[0].as_ref().unwrap().channel.as_str(),
        "logs:etl:w:b"
    );
}
