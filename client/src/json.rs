//! [`read_row`]: what comes over the wire, read without a library: one is a tenth of what a browser loads.

use std::{borrow::Cow, sync::Arc};

use logs_shared::{
    Fields, Interest, Level, LogEntry, LogRecord, Timestamp, api, append_text,
    event::{Gap, GapReason},
};

use crate::{buffer::Row, value::Value};

/// Deeper values are not read. The gateway keeps none: a record is an object, and its fields are one in it.
const MAX_DEPTH: usize = api::MAX_DEPTH + 2;

/// A record or a gap, by its JSON. None of what cannot be read: it comes from a newer gateway.
pub(crate) fn read_row(json: &str) -> Option<Row> {
    let json = compact(json)?;
    let record = record(&json).map(|record| Row::Record(Arc::new(record)));
    record.or_else(|| gap(&json).map(Row::Gap))
}

/// A record, by its JSON.
pub(crate) fn read_record(json: &str) -> Option<LogRecord> {
    record(&compact(json)?)
}

fn record(json: &str) -> Option<LogRecord> {
    let [id, channel, timestamp, level, message] =
        Value::new(json).texts(["id", "channel", "timestamp", "level", "message"])?;
    let fields = Value::new(json).children().filter(|(name, _)| name == "fields");
    let fields = match fields.last() {
        Some((_, fields)) if fields.is_object() => Fields::of_compact(fields.json()),
        Some(_) => return None,
        None => Fields::default(),
    };
    let level = level?;
    Some(LogRecord {
        id: id?.parse().ok()?,
        entry: LogEntry {
            channel: channel?.parse().ok()?,
            timestamp: Timestamp::from_date_time(&timestamp?).ok()?,
            level: Level::ALL.into_iter().find(|known| known.as_str() == level)?,
            message: message?.into_owned(),
            fields,
        },
    })
}

fn gap(json: &str) -> Option<Gap> {
    let [channel, from, to, reason] = Value::new(json).texts(["channel", "from", "to", "reason"])?;
    Some(Gap {
        channel: channel?.parse().ok()?,
        from: from?.parse().ok()?,
        to: to?.parse().ok()?,
        reason: match &*reason? {
            "retention" => GapReason::Retention,
            "restart" => GapReason::Restart,
            "unknown_cursor" => GapReason::UnknownCursor,
            _ => GapReason::Other,
        },
    })
}

/// What a stream is to follow, as a JSON array.
pub(crate) fn write_interests(interests: &[Interest]) -> String {
    let mut json = String::from("[");
    for interest in interests {
        if json.len() > 1 {
            json.push(',');
        }
        if interest.is_everything() {
            append_text(&mut json, interest.pattern.as_str());
            continue;
        }
        json.push_str("{\"channel\":");
        append_text(&mut json, interest.pattern.as_str());
        if let Some(level) = interest.level {
            json.push_str(",\"level\":");
            append_text(&mut json, level.as_str());
        }
        let mut before = ",\"where\":{";
        for (name, text) in interest.conditions.iter() {
            json.push_str(before);
            append_text(&mut json, name);
            json.push(':');
            append_text(&mut json, text);
            before = ",";
        }
        json.push_str(if before == "," { "}}" } else { "}" });
    }
    json.push(']');
    json
}

/// A JSON text without the white space between its tokens; none of what is no JSON, or nests too deep.
fn compact(json: &str) -> Option<Cow<'_, str>> {
    let mut reader = Reader {
        json,
        at: 0,
        kept: String::new(),
        kept_from: 0,
    };
    reader.space();
    reader.value(0)?;
    reader.space();
    if reader.at < json.len() {
        return None;
    }
    let Reader {
        mut kept, kept_from, ..
    } = reader;
    if kept_from == 0 {
        return Some(Cow::Borrowed(json));
    }
    kept.push_str(&json[kept_from..]);
    Some(Cow::Owned(kept))
}

struct Reader<'a> {
    json: &'a str,
    at: usize,
    /// What was read before `kept_from`, without white space.
    kept: String,
    kept_from: usize,
}

impl Reader<'_> {
    fn next(&self) -> u8 {
        // No token has a byte 0: the end is where none of them goes on.
        self.json.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.next() == byte).then(|| self.at += 1)
    }

    /// Passes white space.
    fn space(&mut self) {
        let start = self.at;
        while matches!(self.next(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
        if self.at > start {
            self.kept.push_str(&self.json[self.kept_from..start]);
            self.kept_from = self.at;
        }
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        match self.next() {
            b'"' => self.text(),
            b'{' => self.list(depth, b'}'),
            b'[' => self.list(depth, b']'),
            b'-' | b'0'..=b'9' => self.number(),
            _ => {
                let words = ["true", "false", "null"];
                let rest = &self.json.as_bytes()[self.at..];
                let word = words.into_iter().find(|word| rest.starts_with(word.as_bytes()))?;
                self.at += word.len();
                Some(())
            }
        }
    }

    /// An object, or an array, by what ends it.
    fn list(&mut self, depth: usize, end: u8) -> Option<()> {
        if depth == MAX_DEPTH {
            return None;
        }
        self.at += 1;
        self.space();
        if self.eat(end).is_some() {
            return Some(());
        }
        loop {
            if end == b'}' {
                self.text()?;
                self.space();
                self.eat(b':')?;
                self.space();
            }
            self.value(depth + 1)?;
            self.space();
            if self.eat(end).is_some() {
                return Some(());
            }
            self.eat(b',')?;
            self.space();
        }
    }

    fn number(&mut self) -> Option<()> {
        // A minus, or nothing.
        let _ = self.eat(b'-');
        if self.eat(b'0').is_none() {
            self.digits()?;
        }
        if self.eat(b'.').is_some() {
            self.digits()?;
        }
        if self.eat(b'e').or_else(|| self.eat(b'E')).is_some() {
            let _ = self.eat(b'+').or_else(|| self.eat(b'-'));
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.next().is_ascii_digit() {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn text(&mut self) -> Option<()> {
        self.eat(b'"')?;
        loop {
            match self.next() {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => {
                    let (_, len) = escaped(&self.json[self.at..])?;
                    self.at += len;
                }
                // Also the end.
                0..0x20 => return None,
                _ => self.at += 1,
            }
        }
    }
}

/// The character that an escape at the start of a text stands for, and the escape's length. None of half a character.
pub(crate) fn escaped(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?.bytes();
        digits
            .rev()
            .zip([0, 4, 8, 12])
            .try_fold(0, |unit, (digit, place)| {
                Some(unit | char::from(digit).to_digit(16)? << place)
            })
    };
    let simple = match text.as_bytes().get(1)? {
        b'b' => '\u{8}',
        b't' => '\t',
        b'n' => '\n',
        b'f' => '\u{c}',
        b'r' => '\r',
        byte @ (b'"' | b'\\' | b'/') => char::from(*byte),
        _ => {
            let first = unit(0)?;
            if let Some(whole) = char::from_u32(first) {
                return Some((whole, 6));
            }
            let second = unit(6).filter(|second| first < 0xDC00 && second & 0xFC00 == 0xDC00)?;
            let pair = 0x1_0000 + ((first & 0x3FF) << 10) + (second & 0x3FF);
            return char::from_u32(pair).map(|pair| (pair, 12));
        }
    };
    Some((simple, 2))
}

#[cfg(test)]
mod tests;
