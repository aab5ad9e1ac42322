//! [`Conditions`]: which of a channel's records a reader wants, by their fields.

use std::{borrow::Cow, collections::BTreeMap, fmt, sync::Arc};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    Fields,
    api::{MAX_CONDITION_NAME_CHARS, MAX_CONDITION_TEXT_CHARS, MAX_CONDITIONS},
    json::{Name, Object, scalar_text},
    query::shown,
};

/// Which of a channel's records a reader wants, by their fields: names, each with the text wanted of it.
///
/// A condition holds where the record has a field of that name that is a string equal to the text, or a
/// number, boolean or null that is sent as exactly that text: `42` is `42` and not `42.0`. All of them
/// must hold; where there is none, every record is wanted. Sorted by name, each name once, at most 8. A
/// clone shares the texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Conditions(Arc<[(Box<str>, Box<str>)]>);

/// Why conditions cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// They are not given as an object.
    #[error("where is an object of field names and values, not {0}")]
    NotAnObject(String),
    /// There are more than are taken.
    #[error("where has {0} conditions; at most {MAX_CONDITIONS} are taken")]
    TooMany(usize),
    /// A name is longer than is taken.
    #[error("the field name {0:?} is longer than {MAX_CONDITION_NAME_CHARS} characters")]
    LongName(String),
    /// A text is longer than is taken.
    #[error("the text wanted of the field {0:?} is longer than {MAX_CONDITION_TEXT_CHARS} characters")]
    LongText(String),
    /// A value is none that a field can be compared with.
    #[error(
        "the field {name:?} can be compared with a text, a number, true, false or null, not with {value}"
    )]
    Value {
        /// The condition's name.
        name: String,
        /// Its value, cut where it is long.
        value: String,
    },
}

impl Conditions {
    /// These conditions. Of two with one name the later counts, as in any JSON reader.
    ///
    /// # Errors
    /// There are too many, or a name or a text is too long.
    pub fn new<N, T>(conditions: impl IntoIterator<Item = (N, T)>) -> Result<Self, ConditionError>
    where
        N: Into<Box<str>>,
        T: Into<Box<str>>,
    {
        let mut sorted: BTreeMap<Box<str>, Box<str>> = BTreeMap::new();
        for (name, text) in conditions {
            let (name, text) = (name.into(), text.into());
            check(&name, &text)?;
            sorted.insert(name, text);
        }
        if sorted.len() > MAX_CONDITIONS {
            return Err(ConditionError::TooMany(sorted.len()));
        }
        Ok(Self(sorted.into_iter().collect()))
    }

    /// This one condition.
    ///
    /// # Errors
    /// Its name or its text is too long.
    pub fn one(name: &str, text: &str) -> Result<Self, ConditionError> {
        check(name, text)?;
        Ok(Self(Arc::new([(name.into(), text.into())])))
    }

    /// Reads an object of names and values; null stands for none.
    pub(crate) fn read(raw: &RawValue) -> Result<Self, ConditionError> {
        if raw.get() == "null" {
            return Ok(Self::default());
        }
        let Ok(Object(conditions)) = serde_json::from_str(raw.get()) else {
            return Err(ConditionError::NotAnObject(shown(raw.get())));
        };
        let as_text = |(name, value): (Cow<'_, str>, &RawValue)| match scalar_text(value) {
            Some(text) => Ok((name.into_owned(), text.into_owned())),
            None => Err(ConditionError::Value {
                name: shown(&name),
                value: shown(value.get()),
            }),
        };
        Self::new(
            conditions
                .into_iter()
                .map(as_text)
                .collect::<Result<Vec<_>, _>>()?,
        )
    }

    /// Whether every record is wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Name and wanted text of each, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (&**name, &**text))
    }

    /// Whether a record with these fields is wanted.
    #[must_use]
    pub fn matches(&self, fields: &Fields) -> bool {
        self.is_empty() || (!fields.is_empty() && self.hold_in(fields.as_json()))
    }

    /// Whether a record is wanted, by its JSON as [`LogEntry::encode`](crate::LogEntry::encode) makes it.
    /// Looks at nothing but its fields and builds none of them.
    #[must_use]
    pub fn matches_json(&self, record: &str) -> bool {
        #[derive(Deserialize)]
        struct OnlyFields<'a> {
            #[serde(borrow, default)]
            fields: Option<&'a RawValue>,
        }
        self.is_empty()
            || serde_json::from_str::<OnlyFields<'_>>(record)
                .is_ok_and(|record| record.fields.is_some_and(|fields| self.hold_in(fields.get())))
    }

    /// Whether all hold in this object, in which each name occurs once.
    fn hold_in(&self, object: &str) -> bool {
        struct Held<'c>(&'c Conditions);
        impl<'de> Visitor<'de> for Held<'_> {
            type Value = usize;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<usize, A::Error> {
                let mut held = 0;
                while let Some(Name(name)) = map.next_key()? {
                    let value: &RawValue = map.next_value()?;
                    held += usize::from(self.0.wanted_of(&name).is_some_and(|text| is(value, text)));
                }
                Ok(held)
            }
        }
        serde_json::Deserializer::from_str(object)
            .deserialize_map(Held(self))
            .is_ok_and(|held| held == self.0.len())
    }

    fn wanted_of(&self, name: &str) -> Option<&str> {
        // They are few: looking through them all costs less than anything cleverer.
        self.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, text)| text)
    }
}

fn check(name: &str, text: &str) -> Result<(), ConditionError> {
    if name.chars().count() > MAX_CONDITION_NAME_CHARS {
        return Err(ConditionError::LongName(shown(name)));
    }
    if text.chars().count() > MAX_CONDITION_TEXT_CHARS {
        return Err(ConditionError::LongText(shown(name)));
    }
    Ok(())
}

fn is(value: &RawValue, text: &str) -> bool {
    scalar_text(value).is_some_and(|value| value == text)
}

impl Serialize for Conditions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::{LogEntry, LogRecord, RecordId};

    fn read(json: &Value) -> Result<Conditions, ConditionError> {
        Conditions::read(&RawValue::from_string(json.to_string()).unwrap())
    }

    fn record(fields: &Value) -> LogRecord {
        LogRecord {
            id: RecordId::new(5, 0),
            entry: LogEntry {
                channel: "logs:etl:w".parse().unwrap(),
                timestamp: crate::Timestamp::default(),
                level: crate::Level::Info,
                message: r#"a "fields":{"run_id":"42"} of its own"#.to_owned(),
                fields: serde_json::from_str(&fields.to_string()).unwrap(),
            },
        }
    }

    #[test]
    fn a_condition_holds_for_a_text_and_for_what_is_sent_as_that_text() {
        let cases = [
            (json!({ "run_id": "42" }), json!({ "run_id": "42" }), true),
            (json!({ "run_id": "42" }), json!({ "run_id": 42 }), true),
            (json!({ "run_id": 42 }), json!({ "run_id": "42", "a": [] }), true),
            (json!({ "run_id": 42 }), json!({ "run_id": 42.0 }), false),
            (json!({ "run_id": "42" }), json!({ "run_id": "421" }), false),
            (json!({ "run_id": "42" }), json!({ "run_id": ["42"] }), false),
            (
                json!({ "run_id": "42" }),
                json!({ "nested": { "run_id": "42" } }),
                false,
            ),
            (json!({ "run_id": "42" }), json!({}), false),
            (json!({ "ok": true }), json!({ "ok": true }), true),
            (json!({ "ok": true }), json!({ "ok": "true" }), true),
            (json!({ "ok": null }), json!({ "ok": null }), true),
            (json!({ "ok": null }), json!({ "other": 1 }), false),
            (json!({ "a": 1, "b": 2 }), json!({ "b": 2, "c": 3, "a": 1 }), true),
            (json!({ "a": 1, "b": 2 }), json!({ "a": 1 }), false),
            (json!({ "q\"\n": "é\\" }), json!({ "q\"\n": "é\\" }), true),
            (json!({}), json!({}), true),
            (json!(null), json!({ "a": 1 }), true),
        ];
        for (conditions, fields, wanted) in cases {
            let conditions = read(&conditions).unwrap();
            let record = record(&fields);
            assert_eq!(
                conditions.matches(&record.fields),
                wanted,
                "{conditions:?} {fields}"
            );
            assert_eq!(
                conditions.matches_json(&record.to_json()),
                wanted,
                "{conditions:?} {fields}"
            );
        }
    }

    #[test]
    fn what_is_no_record_is_not_wanted() {
        let conditions = read(&json!({ "a": 1 })).unwrap();
        for json in ["", "{", "[]", "{}", r#"{"fields":null}"#, r#"{"fields":[1]}"#] {
            assert!(!conditions.matches_json(json), "{json}");
        }
    }

    #[test]
    fn limits_are_kept_and_the_offending_value_is_named() {
        let many = |count: usize| -> Value { (0..count).map(|n| (n.to_string(), json!(n))).collect() };
        assert_eq!(
            read(&many(MAX_CONDITIONS)).unwrap().iter().count(),
            MAX_CONDITIONS
        );
        assert_eq!(
            read(&many(MAX_CONDITIONS + 1)),
            Err(ConditionError::TooMany(MAX_CONDITIONS + 1))
        );
        assert!(Conditions::new([("é".repeat(128), "é".repeat(256))]).is_ok());
        let cases = [
            (json!({ "n".repeat(129): 1 }), "nnn…"),
            (json!({ "name": "t".repeat(257) }), "\"name\""),
            (json!({ "name": [1] }), "[1]"),
            (json!({ "name": { "a": 1 } }), "\"name\""),
            (json!(["name"]), "[\"name\"]"),
            (json!("name"), "\"name\""),
        ];
        for (conditions, named) in cases {
            let error = read(&conditions).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
        let lone_surrogate = RawValue::from_string(r#"{"a":"\ud800"}"#.to_owned()).unwrap();
        assert!(Conditions::read(&lone_surrogate).is_err());
    }

    proptest! {
        /// Whatever is wanted and whatever a record has: the same as looking into the values.
        #[test]
        fn both_ways_to_look_agree_with_the_values(
            wanted in prop::collection::btree_map("[ab]{1,2}", "(1|2|true|null|x\"y)", 0..4),
            fields in prop::collection::btree_map(
                "[ab]{1,2}",
                prop_oneof![
                    Just(json!(1)), Just(json!("1")), Just(json!(2)), Just(json!(true)), Just(Value::Null),
                    Just(json!("x\"y")), Just(json!([1])), Just(json!({ "a": 1 })),
                ],
                0..6,
            ),
        ) {
            let holds = |(name, text): (&String, &String)| match fields.get(name) {
                Some(Value::String(value)) => value == text,
                Some(Value::Array(_) | Value::Object(_)) | None => false,
                Some(value) => serde_json::from_str(text).is_ok_and(|wanted: Value| wanted == *value),
            };
            let expected = wanted.iter().all(holds);
            let conditions = Conditions::new(wanted).unwrap();
            let record = record(&json!(fields));
            prop_assert_eq!(conditions.matches(&record.fields), expected);
            prop_assert_eq!(conditions.matches_json(&record.to_json()), expected);
        }
    }
}
