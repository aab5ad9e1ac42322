//! A stream's bytes, however they are cut: the events are those that the standard says.

#![no_main]

use libfuzzer_sys::fuzz_target;
use logs_shared::sse::{Event, Parser, write_event};

/// What a stream said: its events, each with the last event id as it stood then, and what holds at its end.
#[derive(Debug, Default, PartialEq)]
struct Said {
    events: Vec<(Event, String)>,
    last_event_id: String,
    retry_ms: Option<u64>,
}

fuzz_target!(|bytes: &[u8]| {
    let said = parse(std::iter::once(bytes));
    assert_eq!(said, as_the_standard_says(bytes));
    for piece in [1, 2, 3, 7, 64] {
        assert_eq!(said, parse(bytes.chunks(piece)), "in pieces of {piece}");
    }
    for (event, _) in &said.events {
        written_is_read_again(event);
    }
});

fn parse<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Said {
    let mut parser = Parser::default();
    let mut events = Vec::new();
    for piece in pieces {
        parser.feed(piece, |event, id| events.push((event, id.to_owned())));
    }
    Said {
        events,
        last_event_id: parser.last_event_id().to_owned(),
        retry_ms: parser.retry_ms(),
    }
}

/// WHATWG HTML section 9.2.6, word by word and without a thought for speed.
fn as_the_standard_says(bytes: &[u8]) -> Said {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut said = Said::default();
    // What comes after the last line end is no line.
    let Some((lines, _)) = text.rsplit_once('\n') else {
        return said;
    };
    let (mut name, mut data) = (String::new(), String::new());
    for line in lines.split('\n') {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" if line.is_empty() => {
                let name = std::mem::take(&mut name);
                let mut data = std::mem::take(&mut data);
                if data.pop().is_some() {
                    said.events
                        .push((Event { name, data }, said.last_event_id.clone()));
                }
            }
            "event" => name = value.to_owned(),
            "data" => {
                data.push_str(value);
                data.push('\n');
            }
            "id" if !value.contains('\0') => said.last_event_id = value.to_owned(),
            "retry" if !value.is_empty() && value.chars().all(|c| c.is_ascii_digit()) => {
                said.retry_ms = value.parse().ok();
            }
            _ => {}
        }
    }
    said
}

fn written_is_read_again(event: &Event) {
    if event.data.contains('\n') {
        return;
    }
    let mut written = Vec::new();
    let name = Some(event.name.as_str()).filter(|name| !name.is_empty());
    write_event(&mut written, name, None, &event.data);
    assert_eq!(
        parse(std::iter::once(&*written)).events,
        [(event.clone(), String::new())]
    );
}
