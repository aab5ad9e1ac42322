//! Small pieces of JSON work that several types share.

use std::{borrow::Cow, fmt, marker::PhantomData, str::FromStr};

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::api::MAX_DEPTH;

/// A type that is in JSON what it is as text.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::json::from_text(deserializer)
            }
        }
    };
}
pub(crate) use serde_as_text;

/// Deserializes a type from its text form.
pub(crate) fn from_text<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: fmt::Display,
{
    struct Text<T>(PhantomData<T>);

    impl<T> Visitor<'_> for Text<T>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        type Value = T;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }

    deserializer.deserialize_str(Text(PhantomData))
}

/// Appends a text as a JSON string: escaped are quotes, backslashes and what JSON lets stand in no string.
///
/// By hand, because it is part of what a browser loads; in runs, because it is part of every record.
pub fn append_text(out: &mut String, text: &str) {
    const HEX: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    out.push('"');
    let mut kept_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if !matches!(byte, 0..0x20 | b'"' | b'\\') {
            continue;
        }
        out.push_str(&text[kept_from..at]);
        kept_from = at + 1;
        out.push('\\');
        match byte {
            0x08 => out.push('b'),
            b'\t' => out.push('t'),
            b'\n' => out.push('n'),
            0x0c => out.push('f'),
            b'\r' => out.push('r'),
            0..0x20 => {
                out.push_str("u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
            _ => out.push(char::from(byte)),
        }
    }
    out.push_str(&text[kept_from..]);
    out.push('"');
}

/// Why a JSON value cannot be kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Readers would fail on it: a lone surrogate, a number beyond what JSON readers take.
    #[error("{0}")]
    Unreadable(String),
    /// Readers could overflow their stacks on it.
    #[error("values nest deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

/// Appends `raw`, which is well-formed JSON, without the white space between its tokens.
///
/// The result has no line break (one would end the SSE `data:` line it is put in), and every JSON
/// reader can take it: strings are valid Unicode, numbers are in range, nesting is at most
/// [`MAX_DEPTH`]. Otherwise the text is as it was sent: numbers keep their digits.
///
/// # Errors
/// [`ValueError`], and then nothing that was appended may be used.
pub(crate) fn append_compact(out: &mut String, raw: &str) -> Result<(), ValueError> {
    check(raw)?;
    if !raw.bytes().any(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r')) {
        out.push_str(raw);
        return Ok(());
    }
    let mut in_string = false;
    let mut escaped = false;
    let mut kept_from = 0;
    for (at, byte) in raw.bytes().enumerate() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if byte == b'"' {
            in_string = true;
        } else if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            out.push_str(&raw[kept_from..at]);
            kept_from = at + 1;
        }
    }
    out.push_str(&raw[kept_from..]);
    Ok(())
}

fn check(raw: &str) -> Result<(), ValueError> {
    let mut too_deep = false;
    let mut deserializer = serde_json::Deserializer::from_str(raw);
    let result = Check {
        depth: 0,
        too_deep: &mut too_deep,
    }
    .deserialize(&mut deserializer);
    match result {
        Ok(()) => Ok(()),
        Err(_) if too_deep => Err(ValueError::TooDeep),
        Err(error) => Err(ValueError::Unreadable(reason(&error))),
    }
}

/// A name, borrowed where it has no escapes. (serde's own `Cow` borrows only where a field says so.)
#[derive(Deserialize)]
pub(crate) struct Name<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// An object taken apart, its names in the order they were sent, its values not looked at.
pub(crate) struct Object<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parts;
        impl<'de> Visitor<'de> for Parts {
            type Value = Object<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut parts = Vec::new();
                while let Some(Name(name)) = map.next_key()? {
                    parts.push((name, map.next_value()?));
                }
                Ok(Object(parts))
            }
        }
        deserializer.deserialize_map(Parts)
    }
}

/// A text as it reads, a number, boolean or null as it was sent; nothing for an object or an array.
pub(crate) fn scalar_text(raw: &RawValue) -> Option<Cow<'_, str>> {
    match raw.get().as_bytes().first()? {
        b'{' | b'[' => None,
        b'"' => serde_json::from_str::<Name<'_>>(raw.get())
            .ok()
            .map(|Name(text)| text),
        _ => Some(Cow::Borrowed(raw.get())),
    }
}

/// What serde_json says, without its position: that counts from the start of a part the sender never saw alone.
pub(crate) fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// Visits a whole value as a reader would and keeps nothing of it.
struct Check<'a> {
    depth: usize,
    too_deep: &'a mut bool,
}

impl Check<'_> {
    fn deeper<E: Error>(&mut self) -> Result<Check<'_>, E> {
        if self.depth == MAX_DEPTH {
            *self.too_deep = true;
            return Err(E::custom("too deep"));
        }
        Ok(Check {
            depth: self.depth + 1,
            too_deep: self.too_deep,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Check<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Check<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(self.deeper()?)?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while map.next_key_seed(self.deeper()?)?.is_some() {
            map.next_value_seed(self.deeper()?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn texts_are_written_as_any_writer_would(text in "[\\x00-\\x7f\u{e9}\u{1f600}]{0,40}") {
            let mut out = String::new();
            append_text(&mut out, &text);
            prop_assert_eq!(out, serde_json::to_string(&text).unwrap());
        }
    }

    fn compact(raw: &str) -> Result<String, ValueError> {
        let mut out = String::new();
        append_compact(&mut out, raw).map(|()| out)
    }

    #[test]
    fn space_goes_from_between_tokens_and_stays_within_strings() {
        let raw = "{ \"a b\" :\r\n [ 1 ,\t\"x \\\" y\\\\\" , { } ] }";
        assert_eq!(compact(raw).unwrap(), r#"{"a b":[1,"x \" y\\",{}]}"#);
    }

    #[test]
    fn numbers_keep_their_digits() {
        let raw = "[12345678901234567890123,1.10,1E2,-0]";
        assert_eq!(compact(raw).unwrap(), raw);
    }

    #[test]
    fn what_a_reader_would_fail_on_is_refused() {
        assert!(matches!(compact(r#""\ud800""#), Err(ValueError::Unreadable(_))));
        assert!(matches!(
            compact(r#"{"\ud800":1}"#),
            Err(ValueError::Unreadable(_))
        ));
        assert!(matches!(compact("1e999"), Err(ValueError::Unreadable(_))));
        let deep = |n: usize| "[".repeat(n) + &"]".repeat(n);
        assert_eq!(compact(&deep(MAX_DEPTH)).unwrap(), deep(MAX_DEPTH));
        assert_eq!(compact(&deep(MAX_DEPTH + 1)), Err(ValueError::TooDeep));
        assert_eq!(compact(&deep(100_000)), Err(ValueError::TooDeep));
    }
}
