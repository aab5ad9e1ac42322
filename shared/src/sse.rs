//! Server-Sent Events as the WHATWG HTML standard frames them (section 9.2): writing and reading.

use crate::RecordId;

/// Appends one event. `data` is one line.
///
/// Without a `name` a browser gives it to `onmessage`; with an `id` it becomes what the browser
/// resumes from.
pub fn write_event(out: &mut Vec<u8>, name: Option<&str>, id: Option<RecordId>, data: &str) {
    start_event(out, name, id);
    out.extend_from_slice(data.as_bytes());
    end_event(out);
}

/// Appends an event's lines up to where its data stands.
pub fn start_event(out: &mut Vec<u8>, name: Option<&str>, id: Option<RecordId>) {
    use std::io::Write;
    // Writing to a vector does not fail.
    if let Some(name) = name {
        let _ = writeln!(out, "event: {name}");
    }
    if let Some(id) = id {
        let _ = writeln!(out, "id: {id}");
    }
    out.extend_from_slice(b"data: ");
}

/// Ends an event after its data.
pub fn end_event(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\n\n");
}

/// One event as it was received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The `event:` field; empty means `message`.
    pub name: String,
    /// The `data:` lines, joined by line feeds.
    pub data: String,
}

/// Reads events from a stream's bytes, in whatever pieces they arrive.
///
/// Follows the standard's parsing rules: any of the three line ends, a leading byte order mark,
/// comments, fields without a colon, `id` with a NUL ignored, events without data dropped.
#[derive(Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    after_cr: bool,
    begun: bool,
    event: Event,
    has_data: bool,
    /// What the next end of an event makes the last event id.
    id: String,
    last_event_id: String,
    retry_ms: Option<u64>,
}

impl Parser {
    /// The last event id the stream set: what a reconnecting reader sends. Empty until one was set. An id counts when its
    /// event has come whole.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// What the stream last gave as `retry:`, in milliseconds.
    #[must_use]
    pub const fn retry_ms(&self) -> Option<u64> {
        self.retry_ms
    }

    /// Takes the next bytes, and gives each event that they complete to `each`, with the last event
    /// id as it stood at that event.
    pub fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(Event, &str)) {
        for &byte in bytes {
            let after_cr = std::mem::replace(&mut self.after_cr, byte == b'\r');
            match byte {
                b'\n' if after_cr => {}
                b'\n' | b'\r' => {
                    let mut line = std::mem::take(&mut self.line);
                    if let Some(event) = self.end_of_line(&line) {
                        each(event, &self.last_event_id);
                    }
                    line.clear();
                    self.line = line;
                }
                _ => self.line.push(byte),
            }
        }
    }

    fn end_of_line(&mut self, line: &[u8]) -> Option<Event> {
        let text = String::from_utf8_lossy(line);
        let mut text = &*text;
        if !std::mem::replace(&mut self.begun, true) {
            text = text.strip_prefix('\u{feff}').unwrap_or(text);
        }
        if text.is_empty() {
            // Not earlier: who is cut in the middle of an event has not had it, and must not resume after it.
            self.last_event_id.clone_from(&self.id);
            let event = std::mem::take(&mut self.event);
            return std::mem::take(&mut self.has_data).then_some(event);
        }
        let (field, value) = text.split_once(':').unwrap_or((text, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            "retry" if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) => {
                self.retry_ms = value.parse().ok();
            }
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(pieces: &[&[u8]]) -> Vec<(String, String, String)> {
        let mut parser = Parser::default();
        let mut events = Vec::new();
        for piece in pieces {
            parser.feed(piece, |event, id| {
                events.push((event.name, event.data, id.to_owned()));
            });
        }
        events
    }

    fn event(name: &str, data: &str, id: &str) -> (String, String, String) {
        (name.to_owned(), data.to_owned(), id.to_owned())
    }

    #[test]
    fn written_events_are_framed_as_the_standard_says() {
        let mut out = Vec::new();
        write_event(&mut out, Some("heartbeat"), Some(RecordId::new(5, 1)), "{}");
        write_event(&mut out, None, None, "x");
        assert_eq!(out, b"event: heartbeat\nid: 5-1\ndata: {}\n\ndata: x\n\n");
        assert_eq!(
            parse(&[&out]),
            [event("heartbeat", "{}", "5-1"), event("", "x", "5-1")]
        );
    }

    #[test]
    fn the_standards_own_rules_hold() {
        let stream = "\u{feff}: comment\r\ndata: a\rdata:b\n\nid: 7\ndata\n\nid: 8\u{0}\nretry: 12\nretry: x\n\nevent: lost\n\ndata:  c\n\nid\ndata: d\n\ndata: unfinished\n";
        let mut parser = Parser::default();
        let mut events = Vec::new();
        parser.feed(stream.as_bytes(), |event, id| {
            events.push((event.name, event.data, id.to_owned()));
        });
        assert_eq!(
            events,
            [
                event("", "a\nb", ""),
                event("", "", "7"),
                event("", " c", "7"),
                event("", "d", "")
            ]
        );
        assert_eq!(parser.retry_ms(), Some(12));
    }

    /// The gateway was killed in the middle of a record's line. The reader came back with that record's id, and
    /// never got it.
    #[test]
    fn an_event_that_did_not_come_whole_does_not_move_the_cursor() {
        let mut parser = Parser::default();
        parser.feed(b"id: 4-0\ndata: a\n\nid: 5-0\ndata: {\"type\":\"lo", |_, _| {});
        assert_eq!(parser.last_event_id(), "4-0");
        parser.feed(b"g\"}\n\n", |_, id| assert_eq!(id, "5-0"));
        assert_eq!(parser.last_event_id(), "5-0");
    }

    proptest! {
        #[test]
        fn how_the_bytes_are_cut_changes_nothing(
            events in prop::collection::vec(("[a-z]{0,4}", 0..9_u64, "[^\r\n\u{0}]{0,12}"), 0..8),
            cuts in prop::collection::vec(0..200_usize, 0..6),
        ) {
            let mut bytes = Vec::new();
            for (name, ms, data) in &events {
                let name = (!name.is_empty()).then_some(name.as_str());
                write_event(&mut bytes, name, Some(RecordId::new(*ms, 0)), data);
            }
            let expected: Vec<_> =
                events.iter().map(|(name, ms, data)| event(name, data, &RecordId::new(*ms, 0).to_string())).collect();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).chain([0, bytes.len()]).collect();
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
            prop_assert_eq!(parse(&pieces), expected);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = parse(&[&bytes]);
        }
    }
}
