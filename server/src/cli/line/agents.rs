//! Lines of programs that collect the lines of others, and write each of them into an object of their own: journald
//! (`journalctl -o json`) and Docker's json-file driver.

use std::borrow::Cow;

use logs_shared::{Level, Timestamp};
use serde_json::{Map, Value};

use super::log_data;

/// The line of a program, and what whoever collected it says of it.
pub(super) struct Wrapped<'a> {
    line: Cow<'a, str>,
    timestamp: Option<Timestamp>,
    /// Where the line itself says nothing.
    level: Option<Level>,
    /// Whether the level was given by the program, so that it counts more than a word that looks like one.
    is_given: bool,
    fields: Vec<(&'a str, &'a Value)>,
}

/// What journald says of the sender that tells lines apart. Its other names with `_` in front are the same for every line of
/// a program, or of the machine, or are journald's own.
const KEPT: [&str; 5] = [
    "_SYSTEMD_UNIT",
    "_SYSTEMD_USER_UNIT",
    "_HOSTNAME",
    "_PID",
    "_COMM",
];
/// What is taken into the record itself, or says nothing to people.
const TAKEN: [&str; 5] = [
    "MESSAGE",
    "PRIORITY",
    "SYSLOG_TIMESTAMP",
    "SYSLOG_RAW",
    "SYSLOG_FACILITY",
];

impl<'a> Wrapped<'a> {
    /// What is in the object, where it is one of theirs.
    pub(super) fn of(object: &'a Map<String, Value>) -> Option<Self> {
        of_docker(object).or_else(|| of_journald(object))
    }

    /// The line's own `logData`, with what its collector adds: the line's own words win.
    pub(super) fn log_data(&self) -> String {
        let inner = log_data(&self.line);
        let Ok(mut log_data) = serde_json::from_str::<Map<String, Value>>(&inner) else {
            return inner;
        };
        if self.is_given && !self.line.trim_start().starts_with('{') {
            log_data.remove("level");
        }
        let mut add = |name: &str, value: Value| {
            log_data.entry(name).or_insert(value);
        };
        if let Some(timestamp) = self.timestamp {
            add("timestamp", timestamp.to_string().into());
        }
        if let Some(level) = self.level {
            add("level", level.as_str().into());
        }
        for (name, value) in &self.fields {
            add(name, (*value).clone());
        }
        Value::from(log_data).to_string()
    }
}

/// `{"log":"a line\n","stream":"stdout","time":"2025-09-25T10:30:00.123456789Z"}`, and `attrs` where the driver was told so.
fn of_docker(object: &Map<String, Value>) -> Option<Wrapped<'_>> {
    let (log, time) = (object.get("log")?.as_str()?, object.get("time")?.as_str()?);
    let others = |name: &str| ["log", "stream", "time", "attrs"].contains(&name);
    if !object.contains_key("stream") || !object.keys().all(|name| others(name)) {
        return None;
    }
    let fields = ["stream", "attrs"].into_iter();
    Some(Wrapped {
        line: Cow::Borrowed(log.trim_end_matches(['\r', '\n'])),
        timestamp: time.parse().ok(),
        level: None,
        is_given: false,
        fields: fields
            .filter_map(|name| Some((name, object.get(name)?)))
            .collect(),
    })
}

/// An entry of the journal: names in capitals, every value a text, or an array of bytes where it is none.
fn of_journald(object: &Map<String, Value>) -> Option<Wrapped<'_>> {
    let micros: i64 = object.get("__REALTIME_TIMESTAMP")?.as_str()?.parse().ok()?;
    let line = match object.get("MESSAGE")? {
        Value::String(text) => Cow::Borrowed(text.as_str()),
        // journald gives none that is too long, or only some of it.
        Value::Null => Cow::Borrowed(""),
        Value::Array(bytes) => {
            let bytes: Option<Vec<u8>> = bytes
                .iter()
                .map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok()))
                .collect();
            String::from_utf8_lossy(&bytes?).into_owned().into()
        }
        _ => return None,
    };
    let priority = object.get("PRIORITY").and_then(Value::as_str);
    // What a service writes to its standard output has the same priority whatever it says.
    let is_output = object.get("_TRANSPORT").and_then(Value::as_str) == Some("stdout");
    let level = priority.and_then(level);
    let is_kept = |name: &str| KEPT.contains(&name) || !(name.starts_with('_') || TAKEN.contains(&name));
    let fields = object.iter().filter(|(name, _)| is_kept(name));
    Some(Wrapped {
        line,
        timestamp: Timestamp::from_unix_ms(micros.div_euclid(1_000)).ok(),
        level,
        is_given: level.is_some() && !is_output,
        fields: fields.map(|(name, value)| (name.as_str(), value)).collect(),
    })
}

/// The level of a priority of syslog's (RFC 5424, section 6.2.1).
fn level(priority: &str) -> Option<Level> {
    Some(match priority {
        "0" | "1" | "2" => Level::Fatal,
        "3" => Level::Error,
        "4" => Level::Warn,
        "5" | "6" => Level::Info,
        "7" => Level::Debug,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(line: &Value) -> Value {
        serde_json::from_str(&log_data(&line.to_string())).unwrap()
    }

    #[test]
    fn a_line_of_docker_is_the_line_of_its_container() {
        let time = "2025-09-25T10:30:00.123456789Z";
        let plain = json!({"log": "WARN low on disk\r\n", "stream": "stderr", "time": time});
        let expected = json!({
            "message": "WARN low on disk", "level": "WARN", "stream": "stderr",
            "timestamp": "2025-09-25T10:30:00.123Z",
        });
        assert_eq!(of(&plain), expected);
        let pino = r#"{"level":50,"time":1758796200000,"msg":"boom","stream":"mine"}"#;
        let labelled =
            json!({"log": format!("{pino}\n"), "stream": "stdout", "time": time, "attrs": {"tag": "web"}});
        let expected = json!({
            "level": 50, "timestamp": 1_758_796_200_000_u64, "message": "boom", "stream": "mine", "attrs": {"tag": "web"},
        });
        assert_eq!(of(&labelled), expected);
        // It only looks like one.
        let other = json!({"log": "x", "stream": "stdout", "time": time, "user": 7});
        assert_eq!(of(&other)["log"], "x");
    }

    #[test]
    fn an_entry_of_the_journal_is_the_line_of_its_unit() {
        let entry = |message: Value, priority: &str, transport: &str| {
            of(&json!({
                "MESSAGE": message, "PRIORITY": priority, "_TRANSPORT": transport,
                "__REALTIME_TIMESTAMP": "1758796200123456", "__CURSOR": "s=1", "_BOOT_ID": "b",
                "_SYSTEMD_UNIT": "etl.service", "_PID": "42", "SYSLOG_IDENTIFIER": "etl", "ROWS": "7",
            }))
        };
        let expected = json!({
            "message": "disk full", "level": "ERROR", "timestamp": "2025-09-25T10:30:00.123Z",
            "_SYSTEMD_UNIT": "etl.service", "_PID": "42", "SYSLOG_IDENTIFIER": "etl", "ROWS": "7",
        });
        assert_eq!(entry("disk full".into(), "3", "journal"), expected);
        assert_eq!(entry("WARNING: low".into(), "6", "stdout")["level"], "WARN");
        assert_eq!(entry("all is well".into(), "6", "stdout")["level"], "INFO");
        assert_eq!(entry("ERROR was said".into(), "7", "syslog")["level"], "DEBUG");
        assert_eq!(
            entry(json!([99, 97, 102, 233]), "6", "journal")["message"],
            "caf\u{fffd}"
        );
        assert_eq!(entry(Value::Null, "2", "kernel")["level"], "FATAL");
        let json = entry(r#"{"level":"error","msg":"boom"}"#.into(), "6", "stdout");
        assert_eq!(
            (&json["level"], &json["message"]),
            (&json!("error"), &json!("boom"))
        );
    }
}
