//! [`LogData`]: what a record says.

use std::fmt::Display;

use serde::Serialize;
use serde_json::Value;

use crate::Level;

/// What a record says: a message, a level and fields. Made of a text or of any JSON as well.
///
/// ```
/// use logs_publisher::{Level, LogData};
///
/// let data = LogData::new("loaded").level(Level::Warn).field("rows", 42);
/// let same = LogData::from(serde_json::json!({"message": "loaded", "level": "WARN", "rows": 42}));
/// # let _ = (data, same);
/// ```
#[derive(Clone, Debug, Default)]
pub struct LogData {
    level: Level,
    /// Each as JSON, where there is one.
    level_json: Option<String>,
    message: Option<String>,
    timestamp: Option<String>,
    /// `,"name":value` each.
    fields: String,
}

impl LogData {
    /// A message of level INFO.
    #[must_use]
    pub fn new(message: impl AsRef<str>) -> Self {
        Self {
            message: Some(json(message.as_ref())),
            ..Self::default()
        }
    }

    /// How grave it is.
    #[must_use]
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self.level_json = Some(level.json().to_owned());
        self
    }

    /// Something else about it; of two with one name the last counts. `message`, `level` and `timestamp` are not fields but
    /// what they say. What cannot be JSON becomes the text of why not; a number that JSON does not have (NaN) becomes null.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl Serialize) -> Self {
        self.set(name, json(&value));
        self
    }

    /// As [`Self::field`], with the text of a value.
    #[must_use]
    pub fn display(self, name: &str, value: impl Display) -> Self {
        self.field(name, value.to_string())
    }

    /// When it happened, in milliseconds since 1970; without, it is the time of the call.
    #[must_use]
    pub fn timestamp_ms(mut self, unix_ms: u64) -> Self {
        self.timestamp = Some(unix_ms.to_string());
        self
    }

    fn set(&mut self, name: &str, value: String) {
        match name {
            "message" => self.message = Some(value),
            "timestamp" => self.timestamp = Some(value),
            "level" => {
                self.level = Level::of(value.trim_matches('"'));
                self.level_json = Some(value);
            }
            _ => self.push_field(name, &value),
        }
    }

    /// The message, as JSON.
    #[cfg(feature = "tracing")]
    pub(crate) fn set_message(&mut self, json: String) {
        self.message = Some(json);
    }

    /// The fields of another too.
    #[cfg(feature = "tracing")]
    pub(crate) fn append_fields(&mut self, other: &Self) {
        self.fields.push_str(&other.fields);
    }

    pub(crate) fn push_field(&mut self, name: &str, value: &str) {
        self.fields.push(',');
        push_json(&mut self.fields, name);
        self.fields.push(':');
        self.fields.push_str(value);
    }

    /// Its level as the gateway will understand it.
    pub(crate) const fn grade(&self) -> Level {
        self.level
    }

    /// The line of a request for this channel, whose JSON text is given, with the time of the call where there is no other.
    pub(crate) fn line(&self, channel: &str, now_ms: u64) -> Vec<u8> {
        let parts = [&self.message, &self.timestamp, &self.level_json];
        let known: usize = parts
            .iter()
            .map(|part| part.as_ref().map_or(0, String::len))
            .sum();
        let mut line = String::with_capacity(channel.len() + known + self.fields.len() + 90);
        line.push_str(LINE_START);
        line.push_str(channel);
        line.push_str(",\"logData\":{\"timestamp\":");
        match self.timestamp.as_deref() {
            None | Some("null") => push_number(&mut line, now_ms),
            Some(given) => line.push_str(given),
        }
        for (name, value) in [
            (",\"level\":", &self.level_json),
            (",\"message\":", &self.message),
        ] {
            if let Some(value) = value {
                line.push_str(name);
                line.push_str(value);
            }
        }
        line.push_str(&self.fields);
        line.push_str("}}\n");
        line.into_bytes()
    }
}

/// How a line starts, up to the channel.
pub(crate) const LINE_START: &str = "{\"channel\":";

fn push_number(out: &mut String, number: u64) {
    use std::fmt::Write;
    // Writing to a text does not fail.
    let _ = write!(out, "{number}");
}

/// The JSON of a value; of what has none, the text of why.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> String {
    match serde_json::to_string(value) {
        Ok(json) => json,
        Err(error) => json(&format!("[no JSON: {error}]")),
    }
}

/// Appends a text as JSON.
pub(crate) fn push_json(out: &mut String, text: &str) {
    out.push_str(&json(text));
}

impl From<&str> for LogData {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

impl From<String> for LogData {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl From<Value> for LogData {
    /// An object's `message`, `level` and `timestamp` are those of the record, its other keys are fields. A text is a message, and
    /// so is the JSON of anything else.
    fn from(value: Value) -> Self {
        match value {
            Value::Object(map) => {
                let mut data = Self::default();
                for (name, value) in &map {
                    data.set(name, json(value));
                }
                data
            }
            Value::String(message) => Self::new(message),
            other => Self::new(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn log_data(data: &LogData) -> Value {
        let line = data.line("\"logs:a:b\"", 7);
        assert!(line.ends_with(b"}\n") && line.iter().filter(|&&byte| byte == b'\n').count() == 1);
        let line: Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(line["channel"], "logs:a:b");
        line["logData"].clone()
    }

    #[test]
    fn what_is_said_step_by_step_is_what_is_said_at_once() {
        let data = LogData::new("a \"b\"\n").level(Level::Warn).field("rows", 42);
        let expected = json!({"timestamp": 7, "level": "WARN", "message": "a \"b\"\n", "rows": 42});
        assert_eq!(log_data(&data), expected);
        let same = LogData::from(json!({"message": "a \"b\"\n", "level": "WARN", "rows": 42}));
        assert_eq!(log_data(&same), expected);
        assert_eq!((data.grade(), same.grade()), (Level::Warn, Level::Warn));
    }

    #[test]
    fn a_level_is_sent_as_it_was_given_and_graded_as_it_will_be_understood() {
        for (given, graded) in [
            (json!("critical"), Level::Fatal),
            (json!(40), Level::Warn),
            (json!({"a": 1}), Level::Info),
        ] {
            let data = LogData::new("m").field("level", &given);
            assert_eq!((log_data(&data)["level"].clone(), data.grade()), (given, graded));
        }
    }

    #[test]
    fn a_time_that_was_given_stays() {
        assert_eq!(log_data(&LogData::new("m").timestamp_ms(5))["timestamp"], 5);
        assert_eq!(
            log_data(&LogData::new("m").field("timestamp", "2025"))["timestamp"],
            "2025"
        );
        assert_eq!(
            log_data(&LogData::from(json!({"timestamp": null})))["timestamp"],
            7
        );
    }

    #[test]
    fn what_has_no_json_is_text() {
        struct Stubborn;
        impl Serialize for Stubborn {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("I will not"))
            }
        }
        let data = LogData::new("m").field("a", Stubborn).field("b", f64::NAN);
        let expected = json!({"timestamp": 7, "message": "m", "a": "[no JSON: I will not]", "b": null});
        assert_eq!(log_data(&data), expected);
        assert_eq!(log_data(&LogData::from(json!([1, 2])))["message"], "[1,2]");
    }
}
