//! What OTLP says of a record, in whichever encoding it came. Texts are borrowed from the body where they can be.

use std::borrow::Cow;

use crate::append_text;

/// Names with values, in the order they were sent.
pub(super) type Attributes<'a> = Vec<(Cow<'a, str>, Any<'a>)>;

/// `LogRecord`, without what nothing is made of.
#[derive(Debug, Default)]
pub(super) struct Record<'a> {
    /// Nanoseconds since 1970; 0 where it is not said.
    pub(super) time: u64,
    /// When whoever collects first saw it.
    pub(super) observed: u64,
    pub(super) severity_number: i32,
    pub(super) severity_text: Cow<'a, str>,
    pub(super) body: Option<Any<'a>>,
    pub(super) attributes: Attributes<'a>,
    pub(super) dropped_attributes: u32,
    pub(super) flags: u32,
    /// In hexadecimal; empty where it is not said.
    pub(super) trace_id: Cow<'a, str>,
    pub(super) span_id: Cow<'a, str>,
    pub(super) event_name: Cow<'a, str>,
}

/// `InstrumentationScope`: which part of a program speaks.
#[derive(Debug, Default)]
pub(super) struct Scope<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) version: Cow<'a, str>,
    pub(super) attributes: Attributes<'a>,
}

/// `AnyValue`
#[derive(Debug, Default)]
pub(super) enum Any<'a> {
    #[default]
    Null,
    Text(Cow<'a, str>),
    Bool(bool),
    Int(i64),
    Double(f64),
    Bytes(&'a [u8]),
    List(Vec<Self>),
    Map(Attributes<'a>),
}

impl Any<'_> {
    /// What may name something: a text or a number.
    pub(super) fn as_name(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(Cow::Borrowed(text)),
            Self::Int(number) => Some(number.to_string().into()),
            _ => None,
        }
    }

    /// How deep lists and maps nest in it; a text has 0.
    pub(super) fn depth(&self) -> usize {
        match self {
            Self::List(items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
            Self::Map(pairs) => 1 + pairs.iter().map(|(_, value)| value.depth()).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// Appends it as JSON. Whole numbers keep every digit; a number that JSON does not have is its name as a text, as in
    /// protobuf's JSON; bytes are base64.
    pub(super) fn append_json(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Text(text) => append_text(out, text),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Int(number) => out.push_str(&number.to_string()),
            Self::Double(number) => append_double(out, *number),
            Self::Bytes(bytes) => append_base64(out, bytes),
            Self::List(items) => {
                out.push('[');
                for (position, item) in items.iter().enumerate() {
                    if position > 0 {
                        out.push(',');
                    }
                    item.append_json(out);
                }
                out.push(']');
            }
            Self::Map(pairs) => append_object(out, pairs.iter()),
        }
    }
}

/// Appends these attributes as a JSON object. Of a name that is there twice the last counts.
pub(super) fn append_object<'p, 'a: 'p>(
    out: &mut String,
    pairs: impl Iterator<Item = &'p (Cow<'a, str>, Any<'a>)> + Clone,
) {
    let last = super::mapping::last_of_each(pairs.clone().map(|(name, _)| &**name));
    out.push('{');
    let mut is_first = true;
    for (position, (name, value)) in pairs.enumerate() {
        if !last.is_last(name, position) {
            continue;
        }
        if !std::mem::take(&mut is_first) {
            out.push(',');
        }
        append_text(out, name);
        out.push(':');
        value.append_json(out);
    }
    out.push('}');
}

fn append_double(out: &mut String, number: f64) {
    let name = match number {
        n if n.is_nan() => "\"NaN\"",
        f64::INFINITY => "\"Infinity\"",
        f64::NEG_INFINITY => "\"-Infinity\"",
        finite => {
            // The shortest digits that read as the same number.
            return out.push_str(&serde_json::to_string(&finite).unwrap_or_default());
        }
    };
    out.push_str(name);
}

/// RFC 4648, section 4.
fn append_base64(out: &mut String, bytes: &[u8]) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    out.push('"');
    for three in bytes.chunks(3) {
        let all = three
            .iter()
            .fold(0_usize, |all, byte| all << 8 | usize::from(*byte))
            << (8 * (3 - three.len()));
        for place in 0..4 {
            if place > three.len() {
                out.push('=');
            } else {
                out.push(char::from(ALPHABET[all >> (18 - 6 * place) & 63]));
            }
        }
    }
    out.push('"');
}

/// Bytes as hexadecimal digits; nothing where all are 0, which is how OpenTelemetry says that there is no id.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    if bytes.iter().any(|byte| *byte != 0) {
        for byte in bytes {
            // Writing to a text does not fail.
            let _ = write!(text, "{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(value: &Any<'_>) -> String {
        let mut out = String::new();
        value.append_json(&mut out);
        out
    }

    #[test]
    fn bytes_are_base64() {
        // RFC 4648, section 10.
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(json(&Any::Bytes(bytes.as_bytes())), format!("\"{text}\""));
        }
        assert_eq!(json(&Any::Bytes(&[0xfb, 0xff, 0xfe])), "\"+//+\"");
    }

    #[test]
    fn numbers_keep_their_digits() {
        assert_eq!(json(&Any::Int(9_007_199_254_740_993)), "9007199254740993");
        assert_eq!(json(&Any::Int(i64::MIN)), "-9223372036854775808");
        assert_eq!(json(&Any::Double(0.1)), "0.1");
        assert_eq!(json(&Any::Double(f64::NEG_INFINITY)), "\"-Infinity\"");
        assert_eq!(json(&Any::Double(f64::NAN)), "\"NaN\"");
    }

    #[test]
    fn an_id_of_zeros_is_none() {
        assert_eq!(hex(&[0; 16]), "");
        assert_eq!(hex(&[0, 0xab, 1]), "00ab01");
    }
}
