//! [`Json`]: a JSON text whose objects keep the order they were written in.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// A JSON value. What was written first stays first, because that is how it is to be read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// What is not there.
static NOTHING: Json = Json::Null;

impl Json {
    /// The part of an object, or null where there is none.
    pub(super) fn at(&self, name: &str) -> &Json {
        let found = self.parts().iter().find(|(other, _)| other == name);
        found.map_or(&NOTHING, |(_, value)| value)
    }

    /// What a reference within this document names, as `#/components/schemas/Level`.
    pub(super) fn named(&self, reference: &str) -> &Json {
        let steps = reference.trim_start_matches("#/").split('/');
        steps.fold(self, |at, step| at.at(step))
    }

    /// The parts of an object; none of anything else.
    pub(super) fn parts(&self) -> &[(String, Json)] {
        match self {
            Self::Object(parts) => parts,
            _ => &[],
        }
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(&self) -> &[Json] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// A text; the empty one of anything else.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            _ => "",
        }
    }

    /// Whether there is anything.
    pub(super) fn is_there(&self) -> bool {
        !matches!(self, Self::Null)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Json, A::Error> {
        let mut parts = Vec::new();
        while let Some(part) = object.next_entry()? {
            parts.push(part);
        }
        Ok(Json::Object(parts))
    }
}

impl fmt::Display for Json {
    /// On one line; indented with `{:#}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(self, f, 0)
    }
}

fn write(value: &Json, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
    let text = |f: &mut fmt::Formatter<'_>, text: &str| {
        f.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
    };
    let (marks, parts): (_, Vec<(Option<&str>, &Json)>) = match value {
        Json::Null => return f.write_str("null"),
        Json::Bool(value) => return write!(f, "{value}"),
        Json::Number(number) => return write!(f, "{number}"),
        Json::Text(value) => return text(f, value),
        Json::List(items) => ("[]", items.iter().map(|item| (None, item)).collect()),
        Json::Object(parts) => (
            "{}",
            parts
                .iter()
                .map(|(name, part)| (Some(name.as_str()), part))
                .collect(),
        ),
    };
    let (open, close) = marks.split_at(1);
    let line = |f: &mut fmt::Formatter<'_>, depth: usize| match f.alternate() {
        true => write!(f, "\n{:1$}", "", 2 * depth),
        false => Ok(()),
    };
    f.write_str(open)?;
    for (place, (name, part)) in parts.iter().enumerate() {
        if place > 0 {
            f.write_str(if f.alternate() { "," } else { ", " })?;
        }
        line(f, depth + 1)?;
        if let Some(name) = name {
            text(f, name)?;
            f.write_str(": ")?;
        }
        write(part, f, depth + 1)?;
    }
    if !parts.is_empty() {
        line(f, depth)?;
    }
    f.write_str(close)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_first_stays_first() {
        let text = r#"{"b": [1, -2, 0.5, null, true, "x\n\"y\""], "a": {}, "B": {"c": {"d": "e"}}}"#;
        let json: Json = serde_json::from_str(text).unwrap();
        assert_eq!(json.to_string(), text);
        let again: Json = serde_json::from_str(&format!("{json:#}")).unwrap();
        assert_eq!(again, json);
        assert_eq!(format!("{:#}", json.at("B").at("c")), "{\n  \"d\": \"e\"\n}");
        assert_eq!(json.named("#/B/c/d").text(), "e");
        assert!(!json.at("no").at("such").is_there());
    }
}
