//! `POST /v1/logs`: what an exporter of OpenTelemetry is told.

use axum::{body::Body, http::Request};
use flate2::{Compression, write::GzEncoder};
use logs_gateway::config::Settings;
use logs_shared::api::{OTLP_LOGS_PATH, SERVICE_TOKEN_HEADER};
use opentelemetry_proto::tonic::{
    collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse},
    common::v1::{AnyValue, KeyValue, any_value::Value as ProtoValue},
    logs::v1::{LogRecord, ResourceLogs, ScopeLogs},
    resource::v1::Resource,
};
use prost::Message;
use serde_json::{Value, json};

use crate::app::{Answer, TOKEN, TestApp, settings};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// `google.rpc.Status`
#[derive(Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// A request with these messages, of `logs:etl:w:x`.
pub(crate) fn request(messages: &[&str]) -> Value {
    let attributes = [
        ("service.name", "etl"),
        ("workspace.id", "w"),
        ("workflow.id", "x"),
    ]
    .map(|(name, value)| json!({"key": name, "value": {"stringValue": value}}));
    let records: Vec<_> = messages
        .iter()
        .map(|message| json!({"severityNumber": 13, "body": {"stringValue": message}}))
        .collect();
    json!({"resourceLogs": [{"resource": {"attributes": attributes}, "scopeLogs": [{"logRecords": records}]}]})
}

/// The same in protobuf, of the workspace `workspace`.
fn protobuf(workspace: &str, messages: &[&str]) -> Vec<u8> {
    let text = |text: &str| {
        let value = Some(ProtoValue::StringValue(text.to_owned()));
        Some(AnyValue { value })
    };
    let attribute = |(key, value): (&str, &str)| KeyValue {
        key: key.to_owned(),
        value: text(value),
        ..KeyValue::default()
    };
    let pairs = [
        ("service.name", "etl"),
        ("workspace.id", workspace),
        ("workflow.id", "x"),
    ];
    let log_records = messages.iter().map(|message| LogRecord {
        body: text(message),
        severity_number: 13,
        ..LogRecord::default()
    });
    let scope_logs = vec![ScopeLogs {
        log_records: log_records.collect(),
        ..ScopeLogs::default()
    }];
    let resource = Some(Resource {
        attributes: pairs.into_iter().map(attribute).collect(),
        ..Resource::default()
    });
    let resource_logs = vec![ResourceLogs {
        resource,
        scope_logs,
        ..ResourceLogs::default()
    }];
    ExportLogsServiceRequest { resource_logs }.encode_to_vec()
}

/// Status and code of a refusal in JSON. Checks that it has the form of one.
pub(crate) fn refusal(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.headers["content-type"], JSON);
    let status = answer.json();
    assert!(status["code"].as_u64().is_some_and(|code| code > 0), "{status}");
    (
        answer.status.as_u16(),
        code_in(status["message"].as_str().expect("a message")),
    )
}

/// The code that a message ends with.
fn code_in(message: &str) -> String {
    let (_, code) = message
        .rsplit_once('(')
        .unwrap_or_else(|| panic!("{message} has no code"));
    code.trim_end_matches(')').to_owned()
}

/// The same of one in protobuf.
fn refusal_in_protobuf(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.headers["content-type"], PROTOBUF);
    let status = Status::decode(answer.body.as_slice()).expect("a status");
    assert!(status.code > 0);
    (answer.status.as_u16(), code_in(&status.message))
}

async fn export(app: &TestApp, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    let mut request = Request::post(OTLP_LOGS_PATH);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(request.body(body.into()).expect("a request")).await
}

async fn export_as(app: &TestApp, token: &str, kind: &str, body: impl Into<Body>) -> Answer {
    export(
        app,
        &[(SERVICE_TOKEN_HEADER, token), ("content-type", kind)],
        body,
    )
    .await
}

async fn messages(app: &TestApp, channel: &str) -> Vec<String> {
    app.stream(&format!("channels={channel}&since=0-0"))
        .await
        .history()
        .await
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    std::io::Write::write_all(&mut encoder, bytes).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

#[tokio::test]
async fn both_encodings_are_stored_plain_and_packed_and_answered_in_kind() {
    let app = TestApp::new();
    let json = request(&["json"]).to_string();
    for (kind, body, answer) in [
        (JSON, json.into_bytes(), "{}"),
        ("application/x-protobuf; x=y", protobuf("w", &["protobuf"]), ""),
    ] {
        for coding in ["Identity", "GZip"] {
            let packed = coding != "Identity";
            let mut headers = vec![("authorization", "Bearer test-token"), ("content-type", kind)];
            headers.push(("content-encoding", coding));
            let body = if packed { zipped(&body) } else { body.clone() };
            let told = export(&app, &headers, body).await;
            assert_eq!(
                (told.status.as_u16(), &*told.body),
                (200, answer.as_bytes()),
                "{kind}"
            );
            assert_eq!(
                told.headers["content-type"],
                kind.split(';').next().unwrap_or_default()
            );
        }
    }
    let mut stream = app.stream("channels=logs:etl:w:x&since=0-0").await;
    let record = stream.next_record().await;
    assert_eq!((record.level.as_str(), record.message.as_str()), ("WARN", "json"));
    assert_eq!(
        messages(&app, "logs:etl:w:x").await,
        ["json", "json", "protobuf", "protobuf"]
    );
}

#[tokio::test]
async fn what_is_not_stored_of_a_request_is_told_with_what_is() {
    let app = TestApp::new();
    let mut body = request(&["a", "b", "c"]);
    let records = &mut body["resourceLogs"][0]["scopeLogs"][0]["logRecords"];
    records[1]["attributes"] = json!([{"key": "workspace.id", "value": {"stringValue": "w2"}}]);
    records[2]["body"] = json!("no value");
    // The token is for one workspace.
    let answer = export_as(&app, "etl-token", JSON, body.to_string()).await;
    assert_eq!(answer.status, 200);
    let partial = &answer.json()["partialSuccess"];
    assert_eq!(partial["rejectedLogRecords"], "2");
    let message = partial["errorMessage"].as_str().expect("a message");
    for part in [
        "record 1: ",
        "logs:etl:w2:x (forbidden_channel)",
        "record 2: ",
        "(invalid_body)",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(messages(&app, "logs:etl:w:x").await, ["a"]);
    let mut bytes = protobuf("w", &["d"]);
    bytes.extend(protobuf("w2", &["e"]));
    let answer = export_as(&app, "etl-token", PROTOBUF, bytes).await;
    let answer = ExportLogsServiceResponse::decode(answer.body.as_slice()).expect("a response");
    let partial = answer.partial_success.expect("a rejection");
    assert_eq!(partial.rejected_log_records, 1);
    assert!(
        partial.error_message.contains("forbidden_channel"),
        "{}",
        partial.error_message
    );
    let rejected = app.get("/metrics").await;
    let text = String::from_utf8(rejected.body).expect("text");
    assert!(
        text.lines()
            .any(|line| line.contains("forbidden_channel") && line.ends_with(" 2")),
        "{text}"
    );
}

#[tokio::test]
async fn what_is_refused_as_a_whole_is_told_as_otlp_tells_it() {
    let app = TestApp::with(Settings {
        max_body_bytes: Some("2048".to_owned()),
        ..settings()
    });
    let good = request(&["m"]).to_string();
    let unplaced = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [{}]}]}]}).to_string();
    for (token, body, status, code) in [
        (TOKEN, "{".to_owned(), 400, "broken_json"),
        (TOKEN, "[]".to_owned(), 400, "invalid_body"),
        (TOKEN, unplaced, 400, "missing_channels"),
        (TOKEN, " ".repeat(3_000), 413, "body_too_large"),
        ("wr0ng", good.clone(), 401, "invalid_token"),
    ] {
        let answer = export_as(&app, token, JSON, body).await;
        assert_eq!(refusal(&answer), (status, code.to_owned()));
        assert!(answer.headers.get("retry-after").is_none());
    }
    for (token, body, status, code) in [
        (TOKEN, vec![10, 200, 1], 400, "invalid_body"),
        (TOKEN, vec![0; 3_000], 413, "body_too_large"),
        ("etl-token", protobuf("w2", &["m"]), 403, "forbidden_channel"),
        ("wr0ng", protobuf("w", &["m"]), 401, "invalid_token"),
    ] {
        let answer = export_as(&app, token, PROTOBUF, body).await;
        assert_eq!(refusal_in_protobuf(&answer), (status, code.to_owned()));
    }
    // Packed, it is small.
    let bomb = zipped(&vec![b' '; 1 << 20]);
    assert!(bomb.len() < 2_048);
    let headers = [
        (SERVICE_TOKEN_HEADER, TOKEN),
        ("content-type", PROTOBUF),
        ("content-encoding", "gzip"),
    ];
    let answer = export(&app, &headers, bomb).await;
    assert_eq!(refusal_in_protobuf(&answer), (413, "body_too_large".to_owned()));
    let answer = export(&app, &headers, "not packed").await;
    assert_eq!(refusal_in_protobuf(&answer), (400, "invalid_body".to_owned()));
    // What cannot be answered in kind is answered as elsewhere.
    for headers in [
        [("content-type", "text/plain"), ("x-y", "z")],
        [("content-type", JSON), ("content-encoding", "zstd")],
    ] {
        let headers = [&[(SERVICE_TOKEN_HEADER, TOKEN)], &headers[..]].concat();
        let answer = export(&app, &headers, good.clone()).await;
        assert_eq!(answer.refusal(), (415, "unsupported_media_type".to_owned()));
    }
}

#[tokio::test]
async fn a_request_without_records_is_no_error() {
    let app = TestApp::new();
    for (kind, body) in [(PROTOBUF, ""), (JSON, "{}")] {
        assert_eq!(export_as(&app, TOKEN, kind, body).await.status, 200);
    }
}

#[tokio::test]
async fn what_will_pass_is_to_be_tried_again_and_nothing_else() {
    let app = TestApp::with(Settings {
        publish_rate: Some("3".to_owned()),
        max_channels_per_token: Some("1".to_owned()),
        ..settings()
    });
    let two = request(&["a", "b"]).to_string();
    assert_eq!(export_as(&app, TOKEN, JSON, two.clone()).await.status, 200);
    let answer = export_as(&app, TOKEN, JSON, two).await;
    assert_eq!(refusal(&answer), (429, "publish_rate_exceeded".to_owned()));
    assert_eq!(answer.headers["retry-after"], "1");
    // An exporter would send the same again and again.
    let four = request(&["a", "b", "c", "d"]).to_string();
    let answer = export_as(&app, TOKEN, JSON, four).await;
    assert_eq!(refusal(&answer), (413, "batch_over_rate".to_owned()));
    let answer = export_as(&app, TOKEN, PROTOBUF, protobuf("w2", &["m"])).await;
    assert_eq!(
        refusal_in_protobuf(&answer),
        (403, "too_many_token_channels".to_owned())
    );
}

#[tokio::test]
async fn the_attributes_that_name_a_channel_are_a_setting() {
    let app = TestApp::with(Settings {
        otlp_service: Some("team, service.name".to_owned()),
        otlp_workspace: Some("tenant".to_owned()),
        otlp_resource: Some("workspace.id".to_owned()),
        otlp_default_workspace: Some("everything".to_owned()),
        ..settings()
    });
    let answer = export_as(&app, TOKEN, JSON, request(&["m"]).to_string()).await;
    assert_eq!(answer.json(), json!({}));
    assert_eq!(messages(&app, "logs:etl:everything:w").await, ["m"]);
}
