//! What is asked of the stream, of history and of the list of channels.

use super::Row;
use axum::http::Method;
use logs_shared::api::{CHANNELS_PATH, HISTORY_PATH, STREAM_PATH};

fn stream(query: &str) -> Row {
    Row::new(Method::GET, format!("{STREAM_PATH}?{query}"))
}

/// Of a channel that is one.
fn followed(query: &str) -> Row {
    stream(&format!("channels=logs:etl:w&{query}"))
}

fn history(query: &str) -> Row {
    Row::new(Method::GET, format!("{HISTORY_PATH}?channels=logs:etl:w&{query}"))
}

fn channels(query: &str) -> Row {
    Row::new(Method::GET, format!("{CHANNELS_PATH}?{query}"))
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = selections();
    rows.extend(cursors());
    rows.extend(looking_back());
    rows
}

fn selections() -> Vec<Row> {
    let many: Vec<_> = (0..129).map(|n| format!("logs:etl:w{n}")).collect();
    let mut rows = vec![
        stream("").is(400, "missing_channels"),
        stream("&&&=&=x&%").is(400, "missing_channels"),
        stream("channels=").is(400, "missing_channels"),
        stream("channels=,,,").is(400, "missing_channels"),
        stream("service=etl").is(400, "missing_channels"),
        stream("workspace_id=w").is(400, "missing_channels"),
        stream(&format!("channels={}", many.join(","))).is(400, "too_many_channels"),
        stream(&format!("channels={}", many.join("&channels="))).is(400, "too_many_channels"),
        stream("service=etl&workspace_id=w:x").is(400, "invalid_channel"),
        followed("level=loud").is(400, "invalid_level"),
        followed("level=%00").is(400, "invalid_level"),
        followed("level=35").is(400, "invalid_level"),
        followed(&format!("level={}", "x".repeat(5_000))).is(400, "invalid_level"),
        followed("tail=-1").is(400, "invalid_query"),
        followed("tail=1.5").is(400, "invalid_query"),
        followed("tail=1e3").is(400, "invalid_query"),
        followed("tail=99999999999999999999999").is(400, "invalid_query"),
        followed("tail=%0d%0aid:%200-0").is(400, "invalid_query"),
        // What is too much is read as the most there may be.
        followed("tail=18446744073709551615").streams(),
        channels("workspace_id=w:x").is(400, "invalid_query"),
        channels("workspace_id=%00").is(400, "invalid_query"),
        channels("workspace_id=%ff").is(400, "invalid_query"),
        channels("workspace_id=%0d%0aset-cookie:%20a=b").is(400, "invalid_query"),
        channels("workspace_id=a&workspace_id=b").is(400, "invalid_query"),
        channels(&format!("workspace_id={}", "w".repeat(129))).is(400, "invalid_query"),
    ];
    for channel in [
        "etl",
        "logs:etl",
        "logs:**:w",
        "logs:etl:w*",
        "logs:etl:w:x:y",
        "logs:etl:%00",
        "logs:etl:%0d%0ax-a:%20b",
        "logs:etl:%1b[2J",
        "logs:etl:%c2%9b2J",
        "logs:etl:%ff%fe",
        "logs:etl:%e2%80%ae",
        "logs:etl:%zz",
        "logs%3Aetl",
        "logs:etl:..%2f..%2fetc",
        "logs:etl:%3cscript%3e",
    ] {
        rows.push(stream(&format!("channels={channel}")).is(400, "invalid_channel"));
    }
    rows
}

/// A browser whose cursor was refused would give up, so none is.
fn cursors() -> Vec<Row> {
    let from = |cursor: &[u8]| followed("").header("last-event-id", cursor);
    vec![
        from(b"yesterday").streams_with_gap(),
        from(b"1").streams_with_gap(),
        from(b"-").streams_with_gap(),
        from(b"-1-0").streams_with_gap(),
        from(b"1-2-3").streams_with_gap(),
        from(b"0x10-0").streams_with_gap(),
        from(b"99999999999999999999999-0").streams_with_gap(),
        from(b"\xff\xfe").streams_with_gap(),
        from("\u{202e}0-0".as_bytes()).streams_with_gap(),
        from("9".repeat(10_000).as_bytes()).streams_with_gap(),
        from(b"' OR 1=1 --").streams_with_gap(),
        followed("last_event_id=nonsense").streams_with_gap(),
        followed("last_event_id=%00").streams_with_gap(),
        followed("last_event_id=%0d%0aevent:%20close").streams_with_gap(),
        followed("since=nonsense").streams_with_gap(),
        followed("since=%ff").streams_with_gap(),
        followed("since=-99999999999999999999").streams_with_gap(),
        // One of the future is live.
        from(b"18446744073709551615-18446744073709551615").streams(),
        followed("since=9999-12-31T23:59:59Z").streams(),
        // None is none.
        from(b"").streams(),
    ]
}

fn looking_back() -> Vec<Row> {
    let mut rows = vec![
        Row::new(Method::GET, HISTORY_PATH).is(400, "missing_channels"),
        Row::new(Method::GET, format!("{HISTORY_PATH}?channels=etl")).is(400, "invalid_channel"),
        history("level=loud").is(400, "invalid_level"),
        // What is no expression is a text.
        history("q=%2F(").taken(),
        history("q=%ff%fe%00").taken(),
        history("limit=99999999").taken(),
        history("unknown=%00%ff").taken(),
        history("").header("accept", b"\xff").taken(),
    ];
    for query in [
        "limit=0",
        "limit=-1",
        "limit=ten",
        "limit=1e2",
        "limit=%20",
        "limit=99999999999999999999999",
        "after=yesterday",
        "before=-1-0",
        "since=1-2-3",
        "until=2025-13-45",
        "until=%00",
        "after=%0d%0a",
        "q=%2F(%2F",
        "q=%2F[%2F",
        "q=%2F(%3Fx%2F",
        "q=%2F(a)%5C1%2F",
        "q=%2Fa{100000}{100000}%2F",
        "q=%2F%1b[2J(%2F",
    ] {
        rows.push(history(query).is(400, "invalid_query"));
    }
    rows.push(history(&format!("q=%2F{}%2F", "(".repeat(10_000))).is(400, "invalid_query"));
    rows
}
