//! What is sent to change an open stream.

use super::Row;
use axum::http::Method;
use logs_shared::api::STREAMS_PATH;

pub(super) fn rows(stream_id: &str) -> Vec<Row> {
    let own = format!("{STREAMS_PATH}/{stream_id}");
    let patch = |body: &str| Row::new(Method::PATCH, own.clone()).body(body);
    let other = |id: &str| Row::new(Method::PATCH, format!("{STREAMS_PATH}/{id}")).body("{}");
    let entry = |entry: &str| patch(&format!(r#"{{"add":[{entry}]}}"#));
    let many = vec!["\"logs:etl:w\""; 1_025].join(",");
    let long_name = format!(r#"{{"{}":[]}}"#, "x".repeat(100_000));
    vec![
        patch("").is(400, "broken_json"),
        patch("{").is(400, "broken_json"),
        patch("[]").is(400, "invalid_body"),
        patch("null").is(400, "invalid_body"),
        patch("\"add\"").is(400, "invalid_body"),
        patch(r#"{"add":"logs:etl:w"}"#).is(400, "invalid_body"),
        patch(r#"{"add":null}"#).is(400, "invalid_body"),
        patch(r#"{"add":{}}"#).is(400, "invalid_body"),
        patch(r#"{"insert":[]}"#).is(400, "invalid_body"),
        patch(r#"{"add":[],"add":[]}"#).is(400, "invalid_body"),
        patch("{\"\u{9b}2J\u{7f}\":[]}").is(400, "invalid_body"),
        patch(&long_name).is(400, "invalid_body"),
        patch(&"[".repeat(10_000)).is(400, "broken_json"),
        patch(&format!(r#"{{"add":[{many}]}}"#)).is(400, "too_many_channels"),
        patch(&" ".repeat(1024 * 1024 + 1)).is(413, "body_too_large"),
        patch("{}")
            .header("content-type", "text/plain")
            .is(415, "unsupported_media_type"),
        patch("{}")
            .header("content-type", "application/x-ndjson")
            .is(415, "unsupported_media_type"),
        patch("{}")
            .header("content-encoding", "br")
            .is(415, "unsupported_media_type"),
        patch("{}")
            .header("content-encoding", "gzip")
            .is(400, "invalid_body"),
        entry("7").first_refused("invalid_interest"),
        entry("null").first_refused("invalid_interest"),
        entry("{}").first_refused("missing_channels"),
        entry("\"etl\"").first_refused("invalid_channel"),
        entry("\"logs:etl:\\u0000\"").first_refused("invalid_channel"),
        entry(r#"{"channel":7}"#).first_refused("invalid_channel"),
        entry(r#"{"channel":"logs:etl:w","level":"loud"}"#).first_refused("invalid_level"),
        entry(r#"{"channel":"logs:etl:w","where":7}"#).first_refused("invalid_interest"),
        entry(r#"{"channel":"logs:etl:w","where":{"a":{"b":1}}}"#).first_refused("invalid_interest"),
        entry(r#"{"channel":"logs:etl:w","when":1}"#).first_refused("invalid_interest"),
        other("nobodys").is(404, "unknown_stream"),
        other("%00").is(404, "unknown_stream"),
        other("%ff").is(404, "unknown_stream"),
        other("..%2f..%2fadmin").is(404, "unknown_stream"),
        other("%0d%0ax-a:%20b").is(404, "unknown_stream"),
        other(&"x".repeat(10_000)).is(404, "unknown_stream"),
        Row::new(Method::PATCH, format!("{STREAMS_PATH}/"))
            .body("{}")
            .is(404, "not_found"),
    ]
}
