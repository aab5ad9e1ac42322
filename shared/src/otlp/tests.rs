//! Both encodings give the same entries, and neither costs more than what was sent is worth. What is sent is encoded by code
//! that is made from the protocol's own schema.

mod hostile;
mod places;

use std::fmt::Write;

use opentelemetry_proto::tonic::{
    collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse},
    common::v1::{
        AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value::Value as ProtoValue,
    },
    logs::v1::{LogRecord, ResourceLogs, ScopeLogs},
    resource::v1::Resource,
};
use proptest::prelude::*;
use prost::Message as _;
use serde_json::{Value, json};

use super::*;
use crate::{Level, append_text};

fn now() -> Timestamp {
    Timestamp::from_unix_ms(1_758_796_200_000).unwrap()
}

fn text(text: &str) -> Option<AnyValue> {
    value(ProtoValue::StringValue(text.to_owned()))
}

fn value(value: ProtoValue) -> Option<AnyValue> {
    Some(AnyValue { value: Some(value) })
}

fn attribute(key: &str, value: Option<AnyValue>) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value,
        ..KeyValue::default()
    }
}

/// A request with these records of the service `etl` in the workspace `w`.
fn request(log_records: Vec<LogRecord>) -> ExportLogsServiceRequest {
    let attributes = vec![
        attribute("service.name", text("etl")),
        attribute("workspace.id", text("w")),
    ];
    of_resource(attributes, log_records)
}

fn of_resource(attributes: Vec<KeyValue>, log_records: Vec<LogRecord>) -> ExportLogsServiceRequest {
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: Some(Resource {
                attributes,
                ..Resource::default()
            }),
            scope_logs: vec![ScopeLogs {
                log_records,
                ..ScopeLogs::default()
            }],
            ..ResourceLogs::default()
        }],
    }
}

type Parsed = Result<Vec<Result<LogEntry, EntryError>>, BodyError>;

fn parse_protobuf(body: &[u8]) -> Parsed {
    parse(body, Encoding::Protobuf, &AttributeNames::default(), now())
}

fn parse_json(body: &str) -> Parsed {
    parse(body.as_bytes(), Encoding::Json, &AttributeNames::default(), now())
}

/// The one entry of a request, which is the same in both encodings.
fn entry(request: &ExportLogsServiceRequest) -> LogEntry {
    let entries = parse_protobuf(&request.encode_to_vec()).unwrap();
    assert_eq!(parse_json(&to_json(request)).unwrap(), entries);
    let [entry] = <[_; 1]>::try_from(entries).unwrap();
    entry.unwrap()
}

/// A request in OTLP's JSON.
fn to_json(request: &ExportLogsServiceRequest) -> String {
    let scope_logs = |of: &ScopeLogs| {
        let scope = of.scope.clone().unwrap_or_default();
        json!({
            "scope": {"name": scope.name, "version": scope.version, "attributes": pairs(&scope.attributes)},
            "logRecords": of.log_records.iter().map(record_json).collect::<Vec<_>>(),
        })
    };
    let resource_logs = |of: &ResourceLogs| {
        json!({
            "resource": {"attributes": pairs(&of.resource.clone().unwrap_or_default().attributes)},
            "scopeLogs": of.scope_logs.iter().map(scope_logs).collect::<Vec<_>>(),
            "schemaUrl": "https://example.com/schema",
        })
    };
    let all: Vec<_> = request.resource_logs.iter().map(resource_logs).collect();
    json!({ "resourceLogs": all }).to_string()
}

fn record_json(record: &LogRecord) -> Value {
    json!({
        "timeUnixNano": record.time_unix_nano.to_string(),
        "observedTimeUnixNano": record.observed_time_unix_nano,
        "severityNumber": record.severity_number,
        "severityText": record.severity_text,
        "body": record.body.as_ref().map(any_json),
        "attributes": pairs(&record.attributes),
        "droppedAttributesCount": record.dropped_attributes_count,
        "flags": record.flags,
        "traceId": model::hex(&record.trace_id).to_uppercase(),
        "spanId": model::hex(&record.span_id),
        "eventName": record.event_name,
        "aFieldOfTheFuture": {"a": [1]},
    })
}

fn pairs(pairs: &[KeyValue]) -> Vec<Value> {
    let pair = |pair: &KeyValue| json!({"key": pair.key, "value": pair.value.as_ref().map(any_json)});
    pairs.iter().map(pair).collect()
}

fn any_json(value: &AnyValue) -> Value {
    match &value.value {
        None => json!({}),
        Some(ProtoValue::StringValue(text)) => json!({ "stringValue": text }),
        Some(ProtoValue::BoolValue(value)) => json!({ "boolValue": value }),
        // As text or as number: both occur.
        Some(ProtoValue::IntValue(number)) if number % 2 == 0 => json!({ "intValue": number }),
        Some(ProtoValue::IntValue(number)) => json!({ "intValue": number.to_string() }),
        Some(ProtoValue::DoubleValue(number)) if number.is_finite() => json!({ "doubleValue": number }),
        Some(ProtoValue::DoubleValue(number)) => {
            let mut name = number.to_string().replace("inf", "Infinity");
            name.truncate(9);
            json!({ "doubleValue": name })
        }
        Some(ProtoValue::ArrayValue(list)) => {
            json!({"arrayValue": {"values": list.values.iter().map(any_json).collect::<Vec<_>>()}})
        }
        Some(ProtoValue::KvlistValue(list)) => json!({"kvlistValue": {"values": pairs(&list.values)}}),
        Some(ProtoValue::BytesValue(bytes)) => {
            let mut text = String::new();
            model::Any::Bytes(bytes).append_json(&mut text);
            json!({"bytesValue": text.trim_matches('"')})
        }
        Some(_) => json!({}),
    }
}

#[test]
fn everything_that_a_record_says_is_kept() {
    let list = ProtoValue::ArrayValue(ArrayValue {
        values: vec![text("a").unwrap(), value(ProtoValue::IntValue(1)).unwrap()],
    });
    let map = ProtoValue::KvlistValue(KeyValueList {
        values: vec![attribute("deep", value(list.clone())), attribute("nothing", None)],
    });
    let mut request = request(vec![LogRecord {
        time_unix_nano: 1_544_712_660_300_000_001,
        observed_time_unix_nano: 1_544_712_662_000_000_000,
        severity_number: 10,
        severity_text: "Information".to_owned(),
        body: text("Zeile 1\nZeile 2 — ✓"),
        attributes: vec![
            attribute("http.route", text("/x/\"y\"")),
            attribute("big", value(ProtoValue::IntValue(9_007_199_254_740_993))),
            attribute("share", value(ProtoValue::DoubleValue(0.25))),
            attribute("is_last", value(ProtoValue::BoolValue(false))),
            attribute("list", value(list)),
            attribute("map", value(map)),
            attribute("bytes", value(ProtoValue::BytesValue(vec![0, 255, 16]))),
            attribute("workflow.id", text("run-7")),
        ],
        dropped_attributes_count: 2,
        flags: 1,
        trace_id: (0..16).map(|n| n * 16 + 11).collect(),
        span_id: vec![0xee; 8],
        event_name: "order.placed".to_owned(),
    }]);
    let of = &mut request.resource_logs[0];
    let host = attribute("host.name", text("node-1"));
    of.resource.as_mut().unwrap().attributes.push(host);
    let sdk = attribute("telemetry.sdk.language", text("python"));
    of.resource.as_mut().unwrap().attributes.push(sdk);
    of.scope_logs[0].scope = Some(InstrumentationScope {
        name: "shop.orders".to_owned(),
        version: "1.2".to_owned(),
        attributes: vec![attribute("kind", text("library"))],
        ..InstrumentationScope::default()
    });
    let entry = entry(&request);
    assert_eq!(entry.channel.as_str(), "logs:etl:w:run-7");
    assert_eq!(entry.timestamp.to_string(), "2018-12-13T14:51:00.300Z");
    assert_eq!(
        (entry.level, entry.message.as_str()),
        (Level::Info, "Zeile 1\nZeile 2 — ✓")
    );
    let expected = concat!(
        r#"{"http.route":"/x/\"y\"","big":9007199254740993,"share":0.25,"is_last":false,"list":["a",1],"#,
        r#""map":{"deep":["a",1],"nothing":null},"bytes":"AP8Q","event_name":"order.placed","#,
        r#""severity_text":"Information","severity_number":10,"trace_id":"0b1b2b3b4b5b6b7b8b9babbbcbdbebfb","#,
        r#""span_id":"eeeeeeeeeeeeeeee","trace_flags":1,"dropped_attributes_count":2,"#,
        r#""observed_timestamp":"2018-12-13T14:51:02.000Z","scope":"shop.orders","scope_version":"1.2","#,
        r#""scope_attributes":{"kind":"library"},"resource":{"host.name":"node-1"}}"#
    );
    assert_eq!(entry.fields.as_json(), expected);
}

#[test]
fn a_record_that_says_nothing_is_one() {
    let entry = entry(&request(vec![LogRecord::default()]));
    assert_eq!(
        (entry.timestamp, entry.level, entry.message.as_str()),
        (now(), Level::Info, "")
    );
    assert_eq!(entry.fields.as_json(), "{}");
    assert_eq!(entry.channel.as_str(), "logs:etl:w");
    for body in [
        "{}",
        r#"{"resourceLogs":null}"#,
        r#"{"resourceLogs":[{"scopeLogs":[{}]}]}"#,
    ] {
        assert_eq!(parse_json(body), Ok(Vec::new()), "{body}");
    }
    assert_eq!(parse_protobuf(b""), Ok(Vec::new()));
}

#[test]
fn every_severity_has_a_level_and_loses_nothing() {
    let of = |severity_number, text: &str| {
        let entry = entry(&request(vec![LogRecord {
            severity_number,
            severity_text: text.to_owned(),
            ..LogRecord::default()
        }]));
        (entry.level, entry.fields.as_json().to_owned())
    };
    let expected = [
        Level::Trace,
        Level::Debug,
        Level::Info,
        Level::Warn,
        Level::Error,
        Level::Fatal,
    ];
    for (level, first) in expected.into_iter().zip((1..).step_by(4)) {
        assert_eq!(of(first, level.as_str()), (level, "{}".to_owned()));
        for number in first + 1..first + 4 {
            assert_eq!(
                of(number, ""),
                (level, format!("{{\"severity_number\":{number}}}"))
            );
        }
    }
    let kept = |text: &str| format!("{{\"severity_text\":\"{text}\"}}");
    assert_eq!(of(21, "CRITICAL"), (Level::Fatal, kept("CRITICAL")));
    assert_eq!(of(0, "warning"), (Level::Warn, kept("warning")));
    assert_eq!(of(0, "error"), (Level::Error, "{}".to_owned()));
    assert_eq!(of(0, "loud"), (Level::Info, kept("loud")));
    assert_eq!(of(25, ""), (Level::Info, "{\"severity_number\":25}".to_owned()));
    assert_eq!(of(-1, "").0, Level::Info);
}

#[test]
fn a_body_that_is_no_text_is_its_json() {
    let of = |body| {
        entry(&request(vec![LogRecord {
            body,
            ..LogRecord::default()
        }]))
        .message
    };
    let map = KeyValueList {
        values: vec![
            attribute("a", value(ProtoValue::IntValue(1))),
            attribute("a", text("last")),
        ],
    };
    assert_eq!(of(value(ProtoValue::KvlistValue(map))), r#"{"a":"last"}"#);
    assert_eq!(of(value(ProtoValue::IntValue(-5))), "-5");
    assert_eq!(of(value(ProtoValue::DoubleValue(f64::INFINITY))), "\"Infinity\"");
    assert_eq!(of(Some(AnyValue { value: None })), "");
    let named = LogRecord {
        event_name: "job.done".to_owned(),
        ..LogRecord::default()
    };
    assert_eq!(entry(&request(vec![named])).message, "job.done");
}

#[test]
fn of_two_attributes_with_one_name_the_last_counts_and_what_the_record_says_wins() {
    for count in [1, 40] {
        let mut attributes: Vec<_> = (0..count)
            .map(|n| attribute(&format!("k{n}"), text("first")))
            .collect();
        attributes.extend((0..count).map(|n| attribute(&format!("k{n}"), text("last"))));
        attributes.push(attribute("trace_id", text("mine")));
        let entry = entry(&request(vec![LogRecord {
            attributes,
            trace_id: vec![1; 16],
            ..LogRecord::default()
        }]));
        let fields = entry.fields.to_value();
        assert_eq!(fields.len(), count + 1);
        assert_eq!(fields["k0"], "last");
        assert_eq!(fields["trace_id"], "01".repeat(16));
    }
    // What the channel says already is not said again by the first of them.
    let names = ["service.name", "service.name", "workspace.id"];
    let names = names.iter().zip(["first", "last", "w"]);
    let resource = names.map(|(name, value)| attribute(name, text(value))).collect();
    let entry = entry(&of_resource(resource, vec![LogRecord::default()]));
    assert_eq!(entry.channel.to_string(), "logs:last:w");
    assert_eq!(entry.fields.as_json(), "{}");
}

#[test]
fn answers_are_read_by_who_asks() {
    let refused = Answer::Stored {
        rejected: 300,
        message: "no \"workspace\"".to_owned(),
    };
    let read = ExportLogsServiceResponse::decode(&*refused.encode(Encoding::Protobuf)).unwrap();
    let partial = read.partial_success.unwrap();
    assert_eq!(
        (partial.rejected_log_records, &*partial.error_message),
        (300, "no \"workspace\"")
    );
    let json: Value = serde_json::from_slice(&refused.encode(Encoding::Json)).unwrap();
    let expected =
        json!({"partialSuccess": {"rejectedLogRecords": "300", "errorMessage": "no \"workspace\""}});
    assert_eq!(json, expected);
    let all = Answer::Stored {
        rejected: 0,
        message: String::new(),
    };
    assert_eq!(
        (all.encode(Encoding::Protobuf), all.encode(Encoding::Json)),
        (Vec::new(), b"{}".to_vec())
    );
    let status = Answer::Refused {
        code: 16,
        message: "x".repeat(200),
    };
    let mut expected = vec![8, 16, 18, 200, 1];
    expected.extend([b'x'; 200]);
    assert_eq!(status.encode(Encoding::Protobuf), expected);
}

fn any_value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        ".{0,8}".prop_map(ProtoValue::StringValue),
        any::<bool>().prop_map(ProtoValue::BoolValue),
        any::<i64>().prop_map(ProtoValue::IntValue),
        any::<f64>().prop_map(ProtoValue::DoubleValue),
        proptest::collection::vec(any::<u8>(), 0..8).prop_map(ProtoValue::BytesValue),
    ];
    let leaf = proptest::option::of(leaf).prop_map(|value| AnyValue { value });
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|values| AnyValue {
                value: Some(ProtoValue::ArrayValue(ArrayValue { values }))
            }),
            proptest::collection::vec(("[a-c]{0,2}", inner), 0..4).prop_map(|pairs| {
                let values = pairs
                    .into_iter()
                    .map(|(name, value)| attribute(&name, Some(value)));
                AnyValue {
                    value: Some(ProtoValue::KvlistValue(KeyValueList {
                        values: values.collect(),
                    })),
                }
            }),
        ]
    })
}

fn log_record() -> impl Strategy<Value = LogRecord> {
    (
        (any::<u64>(), any::<u64>(), any::<i32>(), ".{0,8}"),
        proptest::option::of(any_value()),
        proptest::collection::vec(("[a-z.]{0,3}", any_value()), 0..6),
        (
            any::<u32>(),
            any::<u32>(),
            proptest::collection::vec(any::<u8>(), 0..20),
            ".{0,8}",
        ),
    )
        .prop_map(
            |((time, observed, number, text), body, attributes, (dropped, flags, id, event))| LogRecord {
                time_unix_nano: time,
                observed_time_unix_nano: observed,
                severity_number: number,
                severity_text: text,
                body,
                attributes: attributes
                    .into_iter()
                    .map(|(name, value)| attribute(&name, Some(value)))
                    .collect(),
                dropped_attributes_count: dropped,
                flags,
                trace_id: id.clone(),
                span_id: id,
                event_name: event,
            },
        )
}

proptest! {
    #[test]
    fn both_encodings_give_the_same_entries(records in proptest::collection::vec(log_record(), 0..4)) {
        let request = request(records);
        let entries = parse_protobuf(&request.encode_to_vec()).unwrap();
        prop_assert_eq!(entries.len(), request.resource_logs[0].scope_logs[0].log_records.len());
        for entry in &entries {
            let fields = entry.as_ref().unwrap().fields.as_json();
            // As a publication would be looked at.
            let again: crate::Fields = serde_json::from_str(fields).unwrap();
            prop_assert_eq!(again.as_json(), fields);
        }
        prop_assert_eq!(parse_json(&to_json(&request)).unwrap(), entries);
    }
}

/// Lists within lists.
fn nested(depth: usize) -> AnyValue {
    (0..depth).fold(AnyValue::default(), |inner, _| AnyValue {
        value: Some(ProtoValue::ArrayValue(ArrayValue { values: vec![inner] })),
    })
}

fn nested_json(depth: usize) -> String {
    let mut json = String::new();
    for _ in 0..depth {
        json.push_str(r#"{"arrayValue":{"values":["#);
    }
    json.push_str(r#"{"intValue":1}"#);
    for _ in 0..depth {
        json.push_str("]}}");
    }
    let mut name = String::new();
    append_text(&mut name, "deep");
    let mut body = String::new();
    let _ = write!(
        body,
        r#"{{"resourceLogs":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"etl"}}}},{{"key":"workspace.id","value":{{"stringValue":"w"}}}}]}},"scopeLogs":[{{"logRecords":[{{"attributes":[{{"key":{name},"value":{json}}}]}}]}}]}}]}}"#
    );
    body
}
