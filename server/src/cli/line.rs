//! A line of some program's output, as `logData`: JSON is taken apart, otherwise level and time are guessed.

use logs_shared::{Level, Timestamp};
use serde_json::{Map, Value, value::RawValue};

use super::colour::without_escapes;

mod agents;

/// A line as `logData` in JSON. Always a record: what cannot be guessed is left to the gateway.
pub(super) fn log_data(line: &str) -> String {
    if line.trim_start().starts_with('{')
        && let Ok(object) = serde_json::from_str::<Map<String, Value>>(line)
    {
        if let Some(wrapped) = agents::Wrapped::of(&object) {
            return wrapped.log_data();
        }
        return from_object(line, object);
    }
    from_text(line)
}

/// The names under which loggers put what a record has a place for (pino, bunyan, zap, logrus, logstash, …).
const MESSAGE_NAMES: [&str; 2] = ["msg", "MESSAGE"];
const LEVEL_NAMES: [&str; 4] = ["severity", "lvl", "loglevel", "log.level"];
const TIMESTAMP_NAMES: [&str; 6] = ["time", "ts", "@timestamp", "datetime", "asctime", "t"];

fn from_object(line: &str, mut object: Map<String, Value>) -> String {
    let renamed = [
        ("message", &MESSAGE_NAMES[..]),
        ("level", &LEVEL_NAMES),
        ("timestamp", &TIMESTAMP_NAMES),
    ]
    .map(|(name, others)| {
        let other = others.iter().find(|other| object.contains_key(**other));
        (name, other.filter(|_| !object.contains_key(name)))
    });
    if renamed.iter().all(|(_, other)| other.is_none()) {
        // As it is, with every digit that was written.
        return serde_json::from_str::<&RawValue>(line)
            .map_or_else(|_| from_text(line), |raw| raw.get().to_owned());
    }
    for (name, other) in renamed {
        if let Some(value) = other.and_then(|other| object.remove(*other)) {
            object.insert(name.to_owned(), value);
        }
    }
    Value::from(object).to_string()
}

fn from_text(line: &str) -> String {
    let mut log_data = Map::new();
    let (timestamp, message) = split_timestamp(line);
    log_data.insert("message".to_owned(), message.into());
    if let Some(level) = guess_level(message) {
        log_data.insert("level".to_owned(), level.as_str().into());
    }
    if let Some(timestamp) = timestamp {
        log_data.insert("timestamp".to_owned(), timestamp.to_string().into());
    }
    Value::from(log_data).to_string()
}

/// A time at the start of the line, in brackets or not, of one or two words; and the rest.
fn split_timestamp(line: &str) -> (Option<Timestamp>, &str) {
    let start = line.trim_start().trim_start_matches('[');
    if !start.starts_with(|c: char| c.is_ascii_digit()) {
        return (None, line);
    }
    let end_of_word = |from: usize| {
        start[from..]
            .find([' ', '\t', ']'])
            .map_or(start.len(), |end| from + end)
    };
    let one = end_of_word(0);
    let two = if start[one..].starts_with([' ', '\t']) {
        end_of_word(one + 1)
    } else {
        one
    };
    for end in [two, one] {
        let text = &start[..end];
        // A bare number is a count as likely as a time, and a bare date is not when something happened.
        if text.contains('-')
            && text.contains(':')
            && let Ok(timestamp) = text.parse()
        {
            let rest = start[end..].trim_start_matches([']', ' ', '\t']);
            return (Some(timestamp), rest);
        }
    }
    (None, line)
}

/// How far into a line a level may stand: after that the word is part of what is said.
const LEVEL_WITHIN_WORDS: usize = 5;

/// A level near the start: in capitals, in brackets, as `level=…`, or followed by a colon.
fn guess_level(line: &str) -> Option<Level> {
    let plain = without_escapes(line);
    plain
        .split_whitespace()
        .take(LEVEL_WITHIN_WORDS)
        .find_map(|word| {
            let named = word.strip_prefix("level=").or_else(|| word.strip_prefix("lvl="));
            let bare = named
                .unwrap_or(word)
                .trim_matches(|c: char| !c.is_ascii_alphanumeric());
            let is_word = bare.len() >= 3 && bare.bytes().all(|b| b.is_ascii_alphabetic());
            let in_capitals = bare.bytes().all(|b| b.is_ascii_uppercase());
            let marked = named.is_some() || word.starts_with(['[', '<', '(']) || word.ends_with(':');
            // rustc says `error[E0432]:`.
            let coded = word
                .split_once('[')
                .filter(|(_, code)| code.ends_with("]:"))
                .map(|(word, _)| word);
            match coded {
                Some(word) => word.parse().ok(),
                None if is_word && (in_capitals || marked) => bare.parse().ok(),
                None => None,
            }
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn guess(line: &str) -> (Option<String>, Option<String>, String) {
        let value: Value = serde_json::from_str(&log_data(line)).unwrap();
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        (
            text("timestamp"),
            text("level"),
            text("message").unwrap_or_default(),
        )
    }

    #[test]
    fn level_and_time_of_usual_lines_are_guessed() {
        let cases = [
            (
                "2026-05-20 10:11:12 status installed libc6:amd64",
                Some("2026-05-20T10:11:12.000Z"),
                None,
                "status installed libc6:amd64",
            ),
            (
                "2026-05-20 10:11:12,345 - root - WARNING - disk low",
                Some("2026-05-20T10:11:12.345Z"),
                Some("WARN"),
                "- root - WARNING - disk low",
            ),
            (
                "[2026-05-20T10:11:12Z] INFO started",
                Some("2026-05-20T10:11:12.000Z"),
                Some("INFO"),
                "INFO started",
            ),
            (
                "2026-05-20T10:11:12.5+02:00 [error] broken",
                Some("2026-05-20T08:11:12.500Z"),
                Some("ERROR"),
                "[error] broken",
            ),
            (
                "error[E0432]: unresolved import",
                None,
                Some("ERROR"),
                "error[E0432]: unresolved import",
            ),
            (
                "warning: unused variable",
                None,
                Some("WARN"),
                "warning: unused variable",
            ),
            (
                "\u{1b}[33mWARN\u{1b}[0m low",
                None,
                Some("WARN"),
                "\u{1b}[33mWARN\u{1b}[0m low",
            ),
            (
                "time=x level=debug msg=y",
                None,
                Some("DEBUG"),
                "time=x level=debug msg=y",
            ),
            (
                "   Compiling serde v1.0.0",
                None,
                None,
                "   Compiling serde v1.0.0",
            ),
            (
                "there was no error at all",
                None,
                None,
                "there was no error at all",
            ),
            ("42 rows read", None, None, "42 rows read"),
            (
                "2026-05-20 nothing happened",
                None,
                None,
                "2026-05-20 nothing happened",
            ),
        ];
        for (line, timestamp, level, message) in cases {
            assert_eq!(
                guess(line),
                (
                    timestamp.map(str::to_owned),
                    level.map(str::to_owned),
                    message.to_owned()
                ),
                "{line}"
            );
        }
    }

    #[test]
    fn json_is_taken_apart_under_the_names_loggers_use() {
        let pino = r#"{"level":50,"time":1758796200000,"pid":1,"msg":"boom"}"#;
        let value: Value = serde_json::from_str(&log_data(pino)).unwrap();
        assert_eq!(
            value,
            serde_json::json!({"level": 50, "timestamp": 1_758_796_200_000_u64, "pid": 1, "message": "boom"})
        );
        let own = r#"{"message":"m", "big":12345678901234567890123}"#;
        assert_eq!(log_data(own), own);
        assert_eq!(guess("{not json").2, "{not json");
    }

    proptest! {
        #[test]
        fn any_line_becomes_a_record(line in "\\PC{0,60}") {
            prop_assert!(serde_json::from_str::<Map<String, Value>>(&log_data(&line)).is_ok());
        }
    }
}
