//! [`Fields`]: what a record says beside its message.

use std::{borrow::Cow, collections::HashMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::json::{self, ValueError};

/// What a record says beside its message: a JSON object, kept as the text it was sent as.
///
/// Always compact JSON on one line that every JSON reader can take (see [`ValueError`]); each name
/// occurs once. Numbers keep the digits that were sent, names the order. Empty fields are left out
/// of a record.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fields(Option<Box<str>>);

impl Fields {
    /// Of an object that is known to be compact JSON on one line with each name once, as a record has it that comes from
    /// the gateway. Other text would be passed on as it is.
    #[must_use]
    pub fn of_compact(object: &str) -> Self {
        Self((object != "{}").then(|| object.into()))
    }

    /// Whether there is no field.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The object as JSON text; `{}` where there is no field.
    #[must_use]
    pub fn as_json(&self) -> &str {
        self.0.as_deref().unwrap_or("{}")
    }

    /// The fields as a JSON value, for looking into them.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Map<String, serde_json::Value> {
        serde_json::from_str(self.as_json()).unwrap_or_default()
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_json())
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(self.as_json()).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Fields {
    /// Takes a JSON object from `serde_json`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = FieldsBuilder::default();
                while let Some(name) = map.next_key::<String>()? {
                    fields.set(name.into(), map.next_value()?);
                }
                fields.build().map_err(A::Error::custom)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// Collects fields; a name given again replaces what it had, as in any JSON reader.
#[derive(Default)]
pub(crate) struct FieldsBuilder<'a> {
    fields: Vec<(Cow<'a, str>, &'a RawValue)>,
    /// Where each name is, once there are so many that looking through them all would cost.
    places: HashMap<Cow<'a, str>, usize>,
}

const FEW: usize = 32;

impl<'a> FieldsBuilder<'a> {
    pub(crate) fn set(&mut self, name: Cow<'a, str>, value: &'a RawValue) {
        match self.place(&name) {
            Some(place) => self.fields[place].1 = value,
            None => {
                if self.fields.len() >= FEW {
                    if self.places.is_empty() {
                        self.places = self
                            .fields
                            .iter()
                            .map(|(name, _)| name.clone())
                            .zip(0..)
                            .collect();
                    }
                    self.places.insert(name.clone(), self.fields.len());
                }
                self.fields.push((name, value));
            }
        }
    }

    fn place(&self, name: &str) -> Option<usize> {
        if self.fields.len() > FEW {
            return self.places.get(name).copied();
        }
        self.fields.iter().position(|(known, _)| known == name)
    }

    pub(crate) fn build(self) -> Result<Fields, ValueError> {
        if self.fields.is_empty() {
            return Ok(Fields::default());
        }
        let mut text =
            String::with_capacity(self.fields.iter().map(|(n, v)| n.len() + v.get().len() + 4).sum());
        for (name, value) in &self.fields {
            text.push(if text.is_empty() { '{' } else { ',' });
            text.push_str(
                &serde_json::to_string(name).map_err(|e| ValueError::Unreadable(json::reason(&e)))?,
            );
            text.push(':');
            json::append_compact(&mut text, value.get())?;
        }
        text.push('}');
        Ok(Fields(Some(text.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(json: &str) -> Fields {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn fields_are_kept_as_sent_on_one_line() {
        let sent = "{ \"b\": 12345678901234567890123,\n \"a\": {\"x\": [1.10, \"y z\"]} }";
        assert_eq!(
            fields(sent).as_json(),
            r#"{"b":12345678901234567890123,"a":{"x":[1.10,"y z"]}}"#
        );
    }

    #[test]
    fn fields_round_trip() {
        for json in ["{}", r#"{"a":null}"#, r#"{"quote\"\n":"é\u0000"}"#] {
            let once = fields(json);
            assert_eq!(serde_json::to_string(&once).unwrap(), once.as_json());
            assert_eq!(fields(once.as_json()), once);
            assert_eq!(Fields::of_compact(once.as_json()), once);
        }
        assert!(fields("{}").is_empty());
    }

    #[test]
    fn the_last_of_two_equal_names_counts_however_many_there_are() {
        for count in [1, 31, 32, 33, 34, 500] {
            let names: Vec<String> = (0..count).map(|n| format!("\"k{n}\":{n}")).collect();
            let again: Vec<String> = (0..count).map(|n| format!("\"k{n}\":{}", n + 1)).collect();
            let twice = fields(&format!("{{{},{}}}", names.join(","), again.join(",")));
            assert_eq!(twice, fields(&format!("{{{}}}", again.join(","))), "{count}");
        }
    }
}
