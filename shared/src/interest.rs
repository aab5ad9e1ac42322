//! [`Interest`]: one entry of what a stream follows.

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

use crate::{
    ChannelError, ChannelPattern, Conditions, Level, LogEntry,
    conditions::ConditionError,
    json::{Object, scalar_text},
    problem::code,
    query::shown,
};

/// One entry of what a stream follows. A record is sent, once, when any entry of the stream matches it.
///
/// In JSON the pattern's text where it wants everything, otherwise
/// `{"channel":…,"level":…,"where":{"run_id":"42"}}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interest {
    /// In which channels.
    pub pattern: ChannelPattern,
    /// Only records at least this grave.
    pub level: Option<Level>,
    /// Only records with these fields.
    pub conditions: Conditions,
}

/// Why an entry cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InterestError {
    /// It is neither a text nor an object.
    #[error("{0} is neither a channel nor an object that names one")]
    Shape(String),
    /// It is an object without a channel.
    #[error("name the channel: {{\"channel\":\"logs:etl:workspace123:workflow456\", …}}")]
    MissingChannel,
    /// Its channel is none.
    #[error("{text:?} is no channel: {error}")]
    Channel {
        /// The offending text, cut where it is long.
        text: String,
        /// What is wrong with it.
        error: ChannelError,
    },
    /// Its level is none.
    #[error("the level {0} is not one of TRACE, DEBUG, INFO, WARN, ERROR, FATAL")]
    Level(String),
    /// Its conditions are none.
    #[error(transparent)]
    Conditions(#[from] ConditionError),
    /// It says something that is not known. Passing over it could send what nobody asked for.
    #[error("{0:?} is not known here: an entry has channel, level and where")]
    UnknownName(String),
}

impl InterestError {
    /// The stable code of the refusal.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Channel { .. } => code::INVALID_CHANNEL,
            Self::MissingChannel => code::MISSING_CHANNELS,
            Self::Level(_) => code::INVALID_LEVEL,
            Self::Shape(_) | Self::Conditions(_) | Self::UnknownName(_) => code::INVALID_INTEREST,
        }
    }
}

pub(crate) const CHANNEL: &str = "channel";
const LEVEL: &str = "level";
const WHERE: &str = "where";

impl Interest {
    /// Everything in these channels that is at least so grave.
    #[must_use]
    pub fn new(pattern: ChannelPattern, level: Option<Level>) -> Self {
        Self {
            pattern,
            level,
            conditions: Conditions::default(),
        }
    }

    /// Whether it wants everything in its channels.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.level.is_none() && self.conditions.is_empty()
    }

    /// Whether it wants this record.
    #[must_use]
    pub fn matches(&self, entry: &LogEntry) -> bool {
        self.level.is_none_or(|level| entry.level >= level)
            && self.pattern.matches(&entry.channel)
            && self.conditions.matches(&entry.fields)
    }

    /// Reads one from JSON.
    ///
    /// # Errors
    /// [`InterestError`], which names the offending value.
    pub fn read(raw: &RawValue) -> Result<Self, InterestError> {
        if let Ok(text) = serde_json::from_str::<String>(raw.get()) {
            return Ok(Self::new(parse_pattern(&text)?, None));
        }
        let Ok(Object(parts)) = serde_json::from_str(raw.get()) else {
            return Err(InterestError::Shape(shown(raw.get())));
        };
        let (mut pattern, mut level, mut conditions) = (None, None, Conditions::default());
        for (name, value) in parts {
            match &*name {
                CHANNEL => pattern = Some(read_pattern(value)?),
                LEVEL => level = read_level(value)?,
                WHERE => conditions = Conditions::read(value)?,
                _ => return Err(InterestError::UnknownName(shown(&name))),
            }
        }
        Ok(Self {
            pattern: pattern.ok_or(InterestError::MissingChannel)?,
            level,
            conditions,
        })
    }
}

fn parse_pattern(text: &str) -> Result<ChannelPattern, InterestError> {
    text.parse().map_err(|error| InterestError::Channel {
        text: shown(text),
        error,
    })
}

fn read_pattern(raw: &RawValue) -> Result<ChannelPattern, InterestError> {
    match serde_json::from_str::<String>(raw.get()) {
        Ok(text) => parse_pattern(&text),
        Err(_) => parse_pattern(raw.get()),
    }
}

/// A name or pino's number; null stands for none.
fn read_level(raw: &RawValue) -> Result<Option<Level>, InterestError> {
    if raw.get() == "null" {
        return Ok(None);
    }
    scalar_text(raw)
        .and_then(|text| text.parse().ok())
        .map(Some)
        .ok_or_else(|| InterestError::Level(shown(raw.get())))
}

/// The patterns of a stream's set, in its order, each once.
#[must_use]
pub fn patterns(set: &[Interest]) -> Vec<ChannelPattern> {
    let mut patterns: Vec<ChannelPattern> = Vec::with_capacity(set.len());
    for Interest { pattern, .. } in set {
        if !patterns.contains(pattern) {
            patterns.push(pattern.clone());
        }
    }
    patterns
}

impl From<ChannelPattern> for Interest {
    fn from(pattern: ChannelPattern) -> Self {
        Self::new(pattern, None)
    }
}

impl Serialize for Interest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_everything() {
            return self.pattern.serialize(serializer);
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(CHANNEL, &self.pattern)?;
        if let Some(level) = self.level {
            map.serialize_entry(LEVEL, &level)?;
        }
        if !self.conditions.is_empty() {
            map.serialize_entry(WHERE, &self.conditions)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Interest {
    /// Takes it from `serde_json`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::read(&raw).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(json: &str) -> Result<Interest, InterestError> {
        Interest::read(&RawValue::from_string(json.to_owned()).unwrap())
    }

    #[test]
    fn an_entry_is_a_text_or_an_object() {
        let everything = Interest::from("logs:etl:*:*".parse::<ChannelPattern>().unwrap());
        for json in [
            r#""logs:etl:*:*""#,
            r#"{"channel":"logs:etl:*:*"}"#,
            r#"{"level":null,"where":null,"channel":"logs:etl:*:*"}"#,
            r#"{"where":{},"channel":"logs:etl:*:*"}"#,
        ] {
            assert_eq!(read(json), Ok(everything.clone()), "{json}");
        }
        let some = Interest {
            pattern: everything.pattern.clone(),
            level: Some(Level::Warn),
            conditions: Conditions::new([("run_id", "42"), ("ok", "true")]).unwrap(),
        };
        for json in [
            r#"{"channel":"logs:etl:*:*","level":"WARN","where":{"ok":"true","run_id":"42"}}"#,
            r#"{"channel":"logs:etl:*:*","level":40,"where":{"run_id":42,"ok":true}}"#,
        ] {
            assert_eq!(read(json), Ok(some.clone()), "{json}");
        }
        assert_eq!(
            serde_json::to_string(&[everything, some]).unwrap(),
            r#"["logs:etl:*:*",{"channel":"logs:etl:*:*","level":"WARN","where":{"ok":"true","run_id":"42"}}]"#
        );
    }

    #[test]
    fn what_cannot_be_read_has_its_code_and_names_the_offending_value() {
        let cases = [
            ("5", code::INVALID_INTEREST, "5"),
            ("null", code::INVALID_INTEREST, "null"),
            (r#"["logs:etl:w"]"#, code::INVALID_INTEREST, "logs:etl:w"),
            ("{}", code::MISSING_CHANNELS, "channel"),
            (r#""etl""#, code::INVALID_CHANNEL, "etl"),
            (r#"{"channel":"logs:e tl:w"}"#, code::INVALID_CHANNEL, "e tl"),
            (r#"{"channel":7}"#, code::INVALID_CHANNEL, "7"),
            (
                r#"{"channel":"logs:etl:w","level":"loud"}"#,
                code::INVALID_LEVEL,
                "loud",
            ),
            (
                r#"{"channel":"logs:etl:w","level":35}"#,
                code::INVALID_LEVEL,
                "35",
            ),
            (
                r#"{"channel":"logs:etl:w","level":["WARN"]}"#,
                code::INVALID_LEVEL,
                "WARN",
            ),
            (
                r#"{"channel":"logs:etl:w","where":5}"#,
                code::INVALID_INTEREST,
                "5",
            ),
            (
                r#"{"channel":"logs:etl:w","levle":"WARN"}"#,
                code::INVALID_INTEREST,
                "levle",
            ),
        ];
        for (json, code, named) in cases {
            let error = read(json).unwrap_err();
            assert_eq!(error.code(), code, "{json}");
            assert!(error.to_string().contains(named), "{error}");
        }
    }

    pub(crate) fn interest() -> impl Strategy<Value = Interest> {
        (
            "logs:([a-z]{1,3}|\\*):[A-Za-z0-9._-]{1,9}(:(\\*|[a-z]{1,3}))?",
            prop::option::of(prop::sample::select(&Level::ALL[..])),
            prop::collection::btree_map(
                "\\PC{0,9}",
                any::<String>().prop_map(|text| text.chars().take(256).collect::<String>()),
                0..9,
            ),
        )
            .prop_map(|(pattern, level, conditions)| Interest {
                pattern: pattern.parse().unwrap(),
                level,
                conditions: Conditions::new(conditions).unwrap(),
            })
    }

    proptest! {
        #[test]
        fn every_interest_round_trips(interest in interest()) {
            let json = serde_json::to_string(&interest).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Interest>(&json).unwrap(), &interest);
            prop_assert_eq!(&serde_json::from_value::<Interest>(json!(interest)).unwrap(), &interest);
        }

        #[test]
        fn any_json_is_an_interest_or_an_error(text in "\\PC{0,40}", name in "(channel|level|where|x)") {
            for value in [json!(text), json!({ &name: text }), json!({ "channel": "logs:etl:w", &name: { &text: text } })] {
                if let Ok(interest) = serde_json::from_value::<Interest>(value.clone()) {
                    prop_assert_eq!(serde_json::from_value::<Interest>(json!(interest)).unwrap(), interest);
                }
            }
        }
    }
}
