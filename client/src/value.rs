//! [`Value`]: a field's value as it was sent.

use std::borrow::Cow;

use logs_shared::LogRecord;

use crate::json::escaped;

/// A JSON value, looked into without changing it: names in the order they were sent, numbers with the
/// digits they were sent with.
///
/// It is compact JSON that was checked when it came, as [`Fields`](logs_shared::Fields) keeps it; of any
/// other text it makes something, and nothing fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value<'a>(&'a str);

impl<'a> Value<'a> {
    /// A record's fields.
    pub(crate) fn of(record: &'a LogRecord) -> Self {
        Self(record.fields.as_json())
    }

    /// A value by its JSON.
    pub(crate) const fn new(json: &'a str) -> Self {
        Self(json)
    }

    /// Its JSON.
    pub(crate) const fn json(self) -> &'a str {
        self.0
    }

    /// Whether it is an object.
    pub(crate) fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    /// Whether it is a text.
    pub(crate) fn is_text(self) -> bool {
        self.0.starts_with('"')
    }

    /// A text as it reads, a number, boolean or null as it was sent; nothing for an object or an array.
    pub(crate) fn scalar(self) -> Option<Cow<'a, str>> {
        match self.0.as_bytes().first()? {
            b'{' | b'[' => None,
            _ => Some(unquote(self.0)),
        }
    }

    /// What an object has under these names, where it is a text; of equal names the last. None where it is no object.
    pub(crate) fn texts<const N: usize>(self, names: [&str; N]) -> Option<[Option<Cow<'a, str>>; N]> {
        let mut texts = [const { None }; N];
        for (name, value) in self.is_object().then(|| self.children())? {
            if let Some(place) = names.iter().position(|wanted| *wanted == name) {
                texts[place] = value.scalar().filter(|_| value.is_text());
            }
        }
        Some(texts)
    }

    /// Whether an object has this text or, as it was sent, number, boolean or null under this name.
    pub(crate) fn has(self, name: &str, text: &str) -> bool {
        self.children()
            .any(|(known, value)| known == name && value.scalar().is_some_and(|value| value == text))
    }

    /// What an object or array has, in order; an array's elements have their index for a name.
    pub(crate) fn children(self) -> impl Iterator<Item = (Cow<'a, str>, Value<'a>)> {
        let is_object = self.is_object();
        let has_children = is_object || self.0.starts_with('[');
        let mut rest = if has_children {
            self.0.get(1..).unwrap_or_default()
        } else {
            ""
        };
        let mut index = 0_usize;
        std::iter::from_fn(move || {
            let name = if is_object {
                let (name, after) = token(rest)?;
                rest = after.strip_prefix(':')?;
                unquote(name)
            } else {
                Cow::Owned(index.to_string())
            };
            let (value, after) = token(rest)?;
            rest = after.strip_prefix(',').unwrap_or_default();
            index += 1;
            Some((name, Self(value)))
        })
    }
}

/// The first value of a text that starts with one, and what comes after it.
fn token(text: &str) -> Option<(&str, &str)> {
    let (mut depth, mut in_text, mut is_escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        let is_end = match byte {
            _ if is_escaped => {
                is_escaped = false;
                false
            }
            b'\\' if in_text => {
                is_escaped = true;
                false
            }
            b'"' => {
                in_text = !in_text;
                false
            }
            _ if in_text => false,
            b'{' | b'[' => {
                depth += 1;
                false
            }
            b'}' | b']' if depth > 0 => {
                depth -= 1;
                false
            }
            b',' | b':' | b'}' | b']' => depth == 0,
            _ => false,
        };
        if is_end {
            return (at > 0).then(|| text.split_at(at));
        }
    }
    (!text.is_empty()).then_some((text, ""))
}

/// A JSON string as it reads; anything else as it is.
fn unquote(json: &str) -> Cow<'_, str> {
    let inner = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) if !inner.contains('\\') => Cow::Borrowed(inner),
        Some(mut rest) => {
            let mut text = String::with_capacity(rest.len());
            while !rest.is_empty() {
                let plain = rest.bytes().position(|byte| byte == b'\\').unwrap_or(rest.len());
                let (before, after) = rest.split_at(plain);
                text.push_str(before);
                if after.is_empty() {
                    break;
                }
                // What was checked has no others.
                let Some((character, len)) = escaped(after) else {
                    return Cow::Borrowed(json);
                };
                text.push(character);
                rest = after.get(len..).unwrap_or_default();
            }
            Cow::Owned(text)
        }
        None => Cow::Borrowed(json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(json: &str) -> Vec<(String, &str)> {
        Value::new(json)
            .children()
            .map(|(name, value)| (name.into_owned(), value.json()))
            .collect()
    }

    #[test]
    fn names_keep_their_order_and_numbers_their_digits() {
        let json = r#"{"z":12345678901234567890,"a":{"y":[1.10,{"b":"}"}]},"q\"\\":"x,\"]","e":{}}"#;
        assert_eq!(
            seen(json),
            [
                ("z".into(), "12345678901234567890"),
                ("a".into(), r#"{"y":[1.10,{"b":"}"}]}"#),
                ("q\"\\".into(), r#""x,\"]""#),
                ("e".into(), "{}"),
            ]
        );
        assert_eq!(
            seen("[1,[2,3],\"\"]"),
            [("0".into(), "1"), ("1".into(), "[2,3]"), ("2".into(), "\"\"")]
        );
    }

    #[test]
    fn values_without_children_have_none() {
        for json in [
            "{}", "[]", "1", "null", "\"[1]\"", "", "{", "[", "{\"a\"", "{\"a\":",
        ] {
            assert!(seen(json).is_empty(), "{json}");
        }
    }

    #[test]
    fn scalars_read_as_they_were_meant() {
        let scalar = |json| Value::new(json).scalar().map(Cow::into_owned);
        assert_eq!(scalar(r#""a\nA😀""#).as_deref(), Some("a\nA😀"));
        assert_eq!(scalar("1.10").as_deref(), Some("1.10"));
        assert_eq!(scalar("[]"), None);
    }
}
