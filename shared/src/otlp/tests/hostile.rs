//! What nobody's exporter sends.

use super::*;
use crate::problem::code;

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length >= 0x80 {
        field.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    field.push(u8::try_from(length).unwrap());
    field.extend_from_slice(bytes);
    field
}

#[test]
fn a_request_that_ends_early_is_refused_or_has_fewer_records() {
    let record = LogRecord {
        body: value(ProtoValue::ArrayValue(ArrayValue {
            values: vec![text("a").unwrap(), AnyValue::default()],
        })),
        time_unix_nano: 1,
        trace_id: vec![1; 16],
        ..LogRecord::default()
    };
    let body = request(vec![record.clone(), record]).encode_to_vec();
    for end in 1..body.len() {
        assert!(
            matches!(parse_protobuf(&body[..end]), Err(BodyError::NoRequest(_))),
            "{end}"
        );
    }
    let body = to_json(&request(vec![LogRecord::default()]));
    for end in 0..body.len() {
        assert!(
            matches!(parse_json(&body[..end]), Err(BodyError::BrokenJson(_))),
            "{end}"
        );
    }
}

#[test]
fn a_field_of_another_type_is_refused() {
    let of_record = |bytes: &[u8]| field(1, &field(2, &field(2, bytes)));
    for bytes in [
        &[8, 1][..],                     // The time is no varint,
        &[0x11, 1, 2, 3, 4, 5, 6, 7, 8], // the severity no fixed number,
        &[0x18, 1],                      // its text no number,
        &[0x28, 1],                      // nor the body,
        &[0x2a, 2, 8, 1],                // nor the text in it.
    ] {
        assert!(
            matches!(parse_protobuf(&of_record(bytes)), Err(BodyError::NoRequest(_))),
            "{bytes:?}"
        );
    }
    assert!(matches!(parse_protobuf(&[8, 1]), Err(BodyError::NoRequest(_))));
    for body in [
        "17",
        "[]",
        "null",
        r#"{"resourceLogs":{}}"#,
        r#"{"resourceLogs":[7]}"#,
        r#"{"resourceLogs":[[]]}"#,
        r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":7}]}]}"#,
        r#"{"resourceLogs":[{"resource":{"attributes":[{"key":7}]}}]}"#,
        r#"{"resourceLogs":[],"resourceLogs":[]}"#,
    ] {
        assert!(matches!(parse_json(body), Err(BodyError::NoRequest(_))), "{body}");
    }
}

#[test]
fn a_record_in_json_that_cannot_be_read_spoils_no_other() {
    let good = to_json(&request(vec![LogRecord::default()]));
    for (bad, expected) in [
        ("7", code::INVALID_BODY),
        ("[]", code::INVALID_BODY),
        (r#"{"timeUnixNano":"soon"}"#, code::INVALID_BODY),
        (r#"{"timeUnixNano":1.5}"#, code::INVALID_BODY),
        (r#"{"severityNumber":{}}"#, code::INVALID_BODY),
        (r#"{"body":"text"}"#, code::INVALID_BODY),
        (
            r#"{"body":{"intValue":"18446744073709551615"}}"#,
            code::INVALID_BODY,
        ),
        (r#"{"body":{"stringValue":"\ud800"}}"#, code::INVALID_BODY),
    ] {
        let body = good.replace(r#""logRecords":["#, &format!(r#""logRecords":[{bad},"#));
        let entries = parse_json(&body).unwrap();
        assert_eq!(entries[0].as_ref().unwrap_err().code(), expected, "{bad}");
        assert!(entries[1].is_ok(), "{bad}");
    }
}

#[test]
fn what_nests_too_deep_is_refused_and_overflows_no_stack() {
    let of = |value: AnyValue| {
        let record = LogRecord {
            attributes: vec![attribute("deep", Some(value))],
            ..LogRecord::default()
        };
        let entries = parse_protobuf(&request(vec![record, LogRecord::default()]).encode_to_vec()).unwrap();
        assert!(entries[1].is_ok());
        entries[0].clone().map(|entry| entry.fields)
    };
    let fields = of(nested(64)).unwrap();
    assert!(serde_json::from_str::<crate::Fields>(fields.as_json()).is_ok());
    assert_eq!(of(nested(65)).unwrap_err().code(), code::TOO_DEEP);
    // Deeper than prost would write.
    let mut value = Vec::new();
    for _ in 0..100_000 {
        value = field(5, &field(1, &value));
        if value.len() > 400_000 {
            break;
        }
    }
    let body = field(1, &field(2, &field(2, &field(5, &value))));
    assert_eq!(
        parse_protobuf(&body).unwrap()[0].as_ref().unwrap_err().code(),
        code::TOO_DEEP
    );
    assert!(parse_json(&nested_json(30)).unwrap()[0].is_ok());
    for depth in [60, 10_000] {
        let entries = parse_json(&nested_json(depth)).unwrap();
        assert_eq!(entries[0].as_ref().unwrap_err().code(), code::TOO_DEEP, "{depth}");
    }
}

#[test]
fn records_of_two_bytes_are_counted_before_they_cost_anything() {
    let many = [0x12, 0].repeat(MAX_RECORDS_PER_PUBLICATION + 1);
    assert_eq!(
        parse_protobuf(&field(1, &field(2, &many))),
        Err(BodyError::TooManyRecords)
    );
    let as_many_as_may = &many[2..];
    let entries = parse_protobuf(&field(1, &field(2, as_many_as_may))).unwrap();
    assert_eq!(entries.len(), MAX_RECORDS_PER_PUBLICATION);
    let json = format!(
        r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{}{{}}]}}]}}]}}"#,
        "{},".repeat(MAX_RECORDS_PER_PUBLICATION)
    );
    assert_eq!(parse_json(&json), Err(BodyError::TooManyRecords));
    // Nothing is kept of resources and scopes without records.
    assert_eq!(parse_protobuf(&[0x0a, 0].repeat(1_000_000)), Ok(Vec::new()));
    assert_eq!(
        parse_protobuf(&field(1, &[0x12, 0].repeat(1_000_000))),
        Ok(Vec::new())
    );
}

#[test]
fn what_a_resource_says_is_not_kept_a_hundred_thousand_times() {
    let resource = vec![
        attribute("service.name", text("etl")),
        attribute("workspace.id", text("w")),
        attribute("long", text(&"x".repeat(200_000))),
    ];
    let request = of_resource(resource, vec![LogRecord::default(); 1_000]);
    assert_eq!(parse_protobuf(&request.encode_to_vec()), Err(BodyError::TooMuch));
    assert_eq!(parse_json(&to_json(&request)), Err(BodyError::TooMuch));
    let longer = vec![attribute("longer", text(&"x".repeat(LONGEST_PART)))];
    let request = of_resource(longer, Vec::new());
    assert_eq!(parse_protobuf(&request.encode_to_vec()), Err(BodyError::TooMuch));
}

#[test]
fn what_a_resource_says_is_not_looked_through_a_hundred_thousand_times() {
    let records = [0x12, 0].repeat(MAX_RECORDS_PER_PUBLICATION);
    let with = |resource: &[u8]| field(1, &[field(1, resource), field(2, &records)].concat());
    let named = |name: &str| field(1, &field(1, name.as_bytes()));
    // Each record would be too large, and written to see that it is.
    let large = KeyValue::encode_to_vec(&attribute("long", text(&"x".repeat(MAX_RECORD_BYTES))));
    let names = [("service.name", "etl"), ("workspace.id", "w")];
    let names = names.map(|(name, value)| field(1, &attribute(name, text(value)).encode_to_vec()));
    let large = [names.concat(), field(1, &large)].concat();
    assert_eq!(parse_protobuf(&with(&large)), Err(BodyError::TooMuch));
    // None has a service, which is looked for among many names.
    let many: Vec<u8> = (0..100_000)
        .flat_map(|number| named(&format!("{number}")))
        .collect();
    assert_eq!(parse_protobuf(&with(&many)), Err(BodyError::TooMuch));
    // One name a million times is one.
    let repeated = named("").repeat(LONGEST_PART / 5);
    let entries = parse_protobuf(&with(&repeated)).unwrap();
    assert_eq!(entries.len(), MAX_RECORDS_PER_PUBLICATION);
}

#[test]
fn a_record_that_is_too_large_spoils_no_other() {
    for length in [MAX_RECORD_BYTES, LONGEST_PART + 1] {
        let large = LogRecord {
            body: text(&"x".repeat(length)),
            ..LogRecord::default()
        };
        let request = request(vec![large, LogRecord::default()]);
        for entries in [
            parse_protobuf(&request.encode_to_vec()),
            parse_json(&to_json(&request)),
        ] {
            let entries = entries.unwrap();
            assert_eq!(entries[0].as_ref().unwrap_err().code(), code::RECORD_TOO_LARGE);
            assert!(entries[1].is_ok());
        }
    }
}

#[test]
fn a_text_in_another_encoding_is_marked_and_not_lost() {
    let mut body = request(vec![LogRecord {
        body: text("caf\u{e9}"),
        ..LogRecord::default()
    }])
    .encode_to_vec();
    let at = body.windows(2).position(|two| two == [0xc3, 0xa9]).unwrap();
    body[at] = b'?';
    let entries = parse_protobuf(&body).unwrap();
    assert_eq!(entries[0].as_ref().unwrap().message, "caf?\u{fffd}");
    let json = "{\"resourceLogs\":[\"\u{e9}\"]}".as_bytes();
    let broken = [&json[..18], &json[19..]].concat();
    let refused = parse(&broken, Encoding::Json, &AttributeNames::default(), now());
    assert!(matches!(refused, Err(BodyError::BrokenJson(_))), "{refused:?}");
}

proptest! {
    #[test]
    fn any_bytes_are_a_request_or_an_error(body in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = parse_protobuf(&body);
        let _ = parse(&body, Encoding::Json, &AttributeNames::default(), now());
    }
}
