//! What is sent to be published.

use super::{Row, WRONG_TOKEN};
use crate::app::{TOKEN, gzip};
use axum::http::Method;
use logs_shared::api::PUBLISH_PATH;

fn publish(body: impl AsRef<[u8]>) -> Row {
    Row::new(Method::POST, PUBLISH_PATH)
        .header("x-service-token", TOKEN)
        .body(body)
}

fn json(body: impl AsRef<[u8]>) -> Row {
    publish(body).header("content-type", "application/json")
}

fn lines(body: impl AsRef<[u8]>) -> Row {
    publish(body).header("content-type", "application/x-ndjson")
}

fn to(channel: &str) -> String {
    format!(r#"{{"channel":"{channel}","logData":"m"}}"#)
}

fn log_data(log_data: &str) -> String {
    format!(r#"{{"channel":"logs:etl:w","logData":{log_data}}}"#)
}

const OK: &str = r#"{"channel":"logs:etl:w","logData":"m"}"#;

fn utf16(text: &str) -> Vec<u8> {
    let units = text.encode_utf16().flat_map(u16::to_le_bytes);
    [0xff, 0xfe].into_iter().chain(units).collect()
}

fn packed(text: &str) -> Vec<u8> {
    gzip(text)
}

/// Packed twice, and only one of the two is named.
fn packed_twice() -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&gzip(OK)).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = bodies();
    rows.extend(channels());
    rows.extend(packing());
    rows.extend(headers());
    rows
}

/// Broken, of another kind, deep, large, of another encoding.
fn bodies() -> Vec<Row> {
    let deep = |depth: usize| log_data(&format!(r#"{{"a":{}1{}}}"#, "[".repeat(depth), "]".repeat(depth)));
    let objects = log_data(&format!("{}1{}", r#"{"a":"#.repeat(200), "}".repeat(200)));
    vec![
        json("").is(400, "empty_batch"),
        json("   \n\t ").is(400, "empty_batch"),
        json("[]").is(400, "empty_batch"),
        lines("\n\r\n \n").is(400, "empty_batch"),
        json("{").is(400, "broken_json"),
        json("nul").is(400, "broken_json"),
        json(&OK[..OK.len() - 1]).is(400, "broken_json"),
        json(format!("{OK}{OK}")).is(400, "broken_json"),
        json(format!("{OK},")).is(400, "broken_json"),
        json(r#"{'channel':'logs:etl:w','logData':'m'}"#).is(400, "broken_json"),
        json("17").is(400, "invalid_body"),
        json("null").is(400, "invalid_body"),
        json("\"m\"").is(400, "invalid_body"),
        json("[17]").is(400, "invalid_body"),
        json("[[]]").is(400, "invalid_body"),
        json("[null]").is(400, "invalid_body"),
        json(r#"{"channel":7,"logData":"m"}"#).is(400, "invalid_body"),
        json(r#"{"channel":{"a":1},"logData":"m"}"#).is(400, "invalid_body"),
        json(r#"{"service":["etl"],"workspace_id":"w","logData":"m"}"#).is(400, "invalid_body"),
        // The same name twice says nothing for certain, and readers of JSON differ in what they make of it.
        json(r#"{"channel":"logs:etl:w","channel":"logs:faas:w","logData":"m"}"#).is(400, "invalid_body"),
        json(r#"{"channel":"logs:etl:w","logData":"m","logData":"n"}"#).is(400, "invalid_body"),
        json(r#"{"service":"etl","workspace_id":"w","workflow_id":"a","function_id":"b","logData":"m"}"#)
            .is(400, "invalid_body"),
        json(r#"{"channel":"logs:etl:w"}"#).is(400, "invalid_log_data"),
        json(log_data("7")).is(400, "invalid_log_data"),
        json(log_data("null")).is(400, "invalid_log_data"),
        json(log_data("true")).is(400, "invalid_log_data"),
        json(log_data("[]")).is(400, "empty_batch"),
        json(log_data("[7]")).is(400, "invalid_log_data"),
        json(log_data(r#""\ud800""#)).is(400, "invalid_log_data"),
        json(log_data(r#"{"a":"\udc00"}"#)).is(400, "invalid_log_data"),
        json(log_data(r#"{"a":1e999}"#)).is(400, "invalid_log_data"),
        json(log_data("\"a\nb\"")).is(400, "broken_json"),
        json(deep(100)).is(400, "too_deep"),
        json(deep(10_000)).is(400, "too_deep"),
        json(objects).is(400, "too_deep"),
        json("[".repeat(100_000)).is(400, "broken_json"),
        json(log_data(&format!("\"{}\"", "x".repeat(300_000)))).is(400, "record_too_large"),
        json(log_data(&format!(r#"{{"{}":1}}"#, "x".repeat(300_000)))).is(400, "record_too_large"),
        json("x".repeat(1_100_000)).is(413, "body_too_large"),
        json(" ".repeat(1_100_000)).is(413, "body_too_large"),
        json(b"{\"channel\":\"logs:etl:w\",\"logData\":\"\xff\"}").is(400, "broken_json"),
        json(b"\xc0\xaf").is(400, "broken_json"),
        json(utf16(OK)).is(400, "broken_json"),
        // RFC 8259, section 8.1: none is sent, and a reader may refuse one.
        json(format!("\u{feff}{OK}")).is(400, "broken_json"),
        json(format!("{OK}\0")).is(400, "broken_json"),
        json("\0").is(400, "broken_json"),
        // One line that is broken spoils no other.
        lines(format!("{{oops\n{OK}")).first_refused("broken_json"),
        lines(format!("{}\n{OK}", to("logs:etl:*"))).first_refused("invalid_channel"),
        lines(format!("[{OK}]\n{OK}")).first_refused("invalid_body"),
    ]
}

/// No channel, and what is none.
fn channels() -> Vec<Row> {
    let by_parts = |service: &str, workspace: &str| {
        json(format!(
            r#"{{"service":"{service}","workspace_id":"{workspace}","logData":"m"}}"#
        ))
    };
    let mut rows = vec![
        json("{}").is(400, "missing_channels"),
        json(r#"{"logData":"m"}"#).is(400, "missing_channels"),
        json(r#"{"service":"etl","logData":"m"}"#).is(400, "missing_channels"),
        json(r#"{"workspace_id":"w","logData":"m"}"#).is(400, "missing_channels"),
        json(r#"{"service":null,"workspace_id":null,"logData":"m"}"#).is(400, "missing_channels"),
        by_parts("", "w").is(400, "invalid_channel"),
        by_parts("etl:w", "x").is(400, "invalid_channel"),
        by_parts("..", "\\u0000").is(400, "invalid_channel"),
        by_parts("*", "w").is(400, "invalid_channel"),
    ];
    for channel in [
        "",
        "etl:w",
        "logs:etl",
        "logs:etl:w:x:y",
        "logs:etl:",
        "logs:*:w",
        "logs:etl:w:*",
        "LOGS:etl:w",
        " logs:etl:w",
        "logs:etl:w/../x",
        "logs:etl:w\\u0000",
        "logs:etl:w\\r\\nid: 0-0",
        "logs:etl:\\u001b[2J",
        "logs:etl:\\u009b2J",
        "logs:etl:\\u202ew",
        "logs:etl:ｗ",
        "logs:étl:w",
        "logs:etl:w,logs:etl:v",
    ] {
        rows.push(json(to(channel)).is(400, "invalid_channel"));
    }
    rows.push(json(to(&format!("logs:etl:{}", "w".repeat(129)))).is(400, "invalid_channel"));
    rows.push(json(to(&format!("logs:etl:{}", "w".repeat(500_000)))).is(400, "invalid_channel"));
    rows
}

/// Packed bodies that are none, or unpack into a flood.
fn packing() -> Vec<Row> {
    let packed_as = |encoding: &'static str, body: &[u8]| json(body).header("content-encoding", encoding);
    let whole = packed(OK);
    let mut damaged = whole.clone();
    let last = damaged.len() - 6;
    damaged[last] ^= 0xff;
    vec![
        packed_as("gzip", b"no gzip").is(400, "invalid_body"),
        packed_as("gzip", &[0x1f, 0x8b]).is(400, "invalid_body"),
        packed_as("gzip", &whole[..whole.len() / 2]).is(400, "invalid_body"),
        packed_as("gzip", &whole[..whole.len() - 4]).is(400, "invalid_body"),
        packed_as("gzip", &damaged).is(400, "invalid_body"),
        packed_as("gzip", &packed(&" ".repeat(64 * 1024 * 1024))).is(413, "body_too_large"),
        packed_as("gzip", &packed_twice()).is(400, "broken_json"),
        packed_as("gzip", OK.as_bytes()).is(400, "invalid_body"),
        packed_as("gzip, gzip", &packed_twice()).is(415, "unsupported_media_type"),
        packed_as("br", b"x").is(415, "unsupported_media_type"),
        packed_as("deflate", b"x").is(415, "unsupported_media_type"),
        packed_as("zstd", b"x").is(415, "unsupported_media_type"),
        packed_as("\"><script>", b"x").is(415, "unsupported_media_type"),
        // Few bytes that would be many records, or many refusals.
        packed_as(
            "gzip",
            &packed(&log_data(&format!("[{}0]", "0,".repeat(400_000)))),
        )
        .is(413, "too_many_records"),
        packed_as("gzip", &packed(&format!("[{}0]", "0,".repeat(400_000)))).is(413, "too_many_records"),
        lines(packed(&"x\n".repeat(400_000)))
            .header("content-encoding", "gzip")
            .is(413, "too_many_records"),
        // Packed, and nobody said so.
        json(&whole).is(400, "broken_json"),
    ]
}

/// Types, tokens and keys.
fn headers() -> Vec<Row> {
    let of_type = |kind: &'static str| publish(OK).header("content-type", kind);
    let keyed = |key: Vec<u8>| json(OK).header("idempotency-key", key);
    let anonymous = || Row::new(Method::POST, PUBLISH_PATH).body(OK);
    vec![
        of_type("text/plain").is(415, "unsupported_media_type"),
        of_type("text/html").is(415, "unsupported_media_type"),
        of_type("multipart/form-data; boundary=x").is(415, "unsupported_media_type"),
        of_type("application/x-www-form-urlencoded").is(415, "unsupported_media_type"),
        of_type("").is(415, "unsupported_media_type"),
        of_type(";").is(415, "unsupported_media_type"),
        publish(OK)
            .header("content-type", b"application/\xff")
            .is(415, "unsupported_media_type"),
        publish(OK)
            .header("content-type", "x".repeat(20_000))
            .is(415, "unsupported_media_type"),
        publish(OK)
            .header("content-type", "a\u{85}\u{9b}2J/b")
            .is(415, "unsupported_media_type"),
        keyed(Vec::new()).is(400, "invalid_idempotency_key"),
        keyed(b"   ".to_vec()).is(400, "invalid_idempotency_key"),
        keyed(b"a\tb".to_vec()).is(400, "invalid_idempotency_key"),
        keyed(b"caf\xc3\xa9".to_vec()).is(400, "invalid_idempotency_key"),
        keyed(vec![b'x'; 256]).is(400, "invalid_idempotency_key"),
        json(OK)
            .header("idempotency-key", "one")
            .header("idempotency-key", "two")
            .is(400, "invalid_idempotency_key"),
        json(OK)
            .header("x-large", "x".repeat(40_000))
            .is(431, "headers_too_large"),
        anonymous().is(401, "missing_token"),
        anonymous().header("x-service-token", "").is(401, "invalid_token"),
        anonymous()
            .header("x-service-token", WRONG_TOKEN)
            .is(401, "invalid_token"),
        anonymous()
            .header("x-service-token", b"\xff\xfe")
            .is(401, "missing_token"),
        anonymous()
            .header("x-service-token", "x".repeat(20_000))
            .is(401, "invalid_token"),
        anonymous()
            .header("authorization", "Basic dGVzdC10b2tlbjo=")
            .is(401, "missing_token"),
        anonymous()
            .header("authorization", "Bearer")
            .is(401, "missing_token"),
        anonymous()
            .header("authorization", "Bearer ")
            .is(401, "invalid_token"),
        anonymous()
            .header("authorization", format!("Bearer {WRONG_TOKEN}"))
            .is(401, "invalid_token"),
        anonymous()
            .header("authorization", TOKEN)
            .is(401, "missing_token"),
        anonymous()
            .header("cookie", format!("token={TOKEN}"))
            .is(401, "missing_token"),
    ]
}
