//! The parser of Server-Sent Events, beside a plain reading of the standard (WHATWG HTML, section 9.2.6).

#![no_main]

use libfuzzer_sys::fuzz_target;
use logs_shared::sse::{Parser, write_event};

/// An event's name, data, and the last event id as it stood then.
type Seen = (String, String, String);

fuzz_target!(|bytes: &[u8]| {
    let mut whole = Parser::default();
    let events = feed(&mut whole, bytes);
    let standard = Standard::read(bytes);
    assert_eq!(events, standard.events, "as the standard has it");
    assert_eq!(whole.retry_ms(), standard.retry_ms);
    assert_eq!(
        whole.last_event_id(),
        standard.last_event_id,
        "a reader that is cut here comes back with the id of the last event that came whole"
    );

    for size in [1, 2, 3, 7] {
        let mut in_pieces = Parser::default();
        let seen: Vec<_> = bytes
            .chunks(size)
            .flat_map(|piece| feed(&mut in_pieces, piece))
            .collect();
        assert_eq!(seen, events, "how the bytes are cut changes nothing");
        assert_eq!(in_pieces.last_event_id(), whole.last_event_id());
    }

    for (name, data, _) in &events {
        if !data.contains('\n') {
            let mut written = Vec::new();
            write_event(
                &mut written,
                Some(name).filter(|name| !name.is_empty()).map(|name| &**name),
                None,
                data,
            );
            let again = feed(&mut Parser::default(), &written);
            assert_eq!(
                again,
                [(name.clone(), data.clone(), String::new())],
                "what is written is read"
            );
        }
    }
});

fn feed(parser: &mut Parser, bytes: &[u8]) -> Vec<Seen> {
    let mut events = Vec::new();
    parser.feed(bytes, |event, id| {
        events.push((event.name, event.data, id.to_owned()))
    });
    events
}

/// The standard, word by word and with the whole stream at hand.
#[derive(Default)]
struct Standard {
    events: Vec<Seen>,
    last_event_id: String,
    retry_ms: Option<u64>,
}

impl Standard {
    fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let mut read = Self::default();
        let (mut name, mut data, mut id) = (String::new(), String::new(), String::new());
        // What stands after the last line end is no line yet.
        let lines = text.rsplit_once('\n').map_or("", |(lines, _)| lines);
        let has_line = text.contains('\n');
        for line in lines.split('\n').take(if has_line { usize::MAX } else { 0 }) {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "" if line.is_empty() => {
                    read.last_event_id.clone_from(&id);
                    let (name, data) = (std::mem::take(&mut name), std::mem::take(&mut data));
                    if let Some(data) = data.strip_suffix('\n') {
                        read.events.push((name, data.to_owned(), id.clone()));
                    }
                }
                "event" => value.clone_into(&mut name),
                "data" => data = data + value + "\n",
                "id" if !value.contains('\0') => value.clone_into(&mut id),
                "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                    read.retry_ms = value.parse().ok();
                }
                _ => {}
            }
        }
        read
    }
}
