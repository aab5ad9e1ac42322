//! An event's data: what a reader can read is written on one line, and read again from a stream.

#![no_main]

use libfuzzer_sys::fuzz_target;
use logs_shared::{RecordId, ServerEvent, event::EVENT_NAMES, sse::Parser};

fuzz_target!(|data: &str| {
    let Ok(event) = ServerEvent::parse(data) else {
        return;
    };
    let json = event.to_json();
    assert!(!json.contains(['\n', '\r']), "{json}");
    assert_eq!(ServerEvent::parse(&json).unwrap(), event, "{json}");
    assert!(event.name().is_none_or(|name| EVENT_NAMES.contains(&name)));

    let mut written = Vec::new();
    event.write_sse(Some(RecordId::new(5, 1)), &mut written);
    let mut read = Vec::new();
    Parser::default().feed(&written, |received, id| {
        read.push((received.name, received.data, id.to_owned()));
    });
    let name = event.name().unwrap_or_default().to_owned();
    assert_eq!(read, [(name, json, "5-1".to_owned())]);
});
