//! Protobuf's wire format: numbered fields, one after the other.

use std::borrow::Cow;

/// Bytes that are no message, or not the one that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Broken {
    #[error("it ends in the middle of a field")]
    Truncated,
    #[error("a number has more than 64 bits")]
    Number,
    #[error("a field has the number 0 or one that is too large")]
    FieldNumber,
    #[error("a field is a group or of a wire type that there is none of")]
    WireType,
    #[error("a field is not of the type that its number stands for")]
    OtherType,
}

/// The fields of a message, in the order they were sent. Ends after an error.
#[derive(Clone, Copy)]
pub(super) struct Message<'a>(pub(super) &'a [u8]);

/// What a field holds, by its wire type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32(u32),
}

impl<'a> Iterator for Message<'a> {
    type Item = Result<(u32, Value<'a>), Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Message<'a> {
    fn field(&mut self) -> Result<(u32, Value<'a>), Broken> {
        let tag = u32::try_from(self.varint()?).map_err(|_| Broken::FieldNumber)?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Broken::Truncated)?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Fixed32(u32::from_le_bytes(self.array()?)),
            _ => return Err(Broken::WireType),
        };
        match tag >> 3 {
            0 => Err(Broken::FieldNumber),
            number => Ok((number, value)),
        }
    }

    /// Seven bits a byte, the lowest first; at most ten bytes.
    fn varint(&mut self) -> Result<u64, Broken> {
        let mut number = 0;
        for place in 0..10 {
            let [byte] = self.array()?;
            if place == 9 && byte > 1 {
                return Err(Broken::Number);
            }
            number |= u64::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Broken::Number)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Broken> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Broken::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Broken::Truncated)?;
        self.0 = rest;
        Ok(*taken)
    }
}

impl<'a> Value<'a> {
    pub(super) const fn varint(self) -> Result<u64, Broken> {
        match self {
            Self::Varint(number) => Ok(number),
            _ => Err(Broken::OtherType),
        }
    }

    pub(super) const fn fixed64(self) -> Result<u64, Broken> {
        match self {
            Self::Fixed64(number) => Ok(number),
            _ => Err(Broken::OtherType),
        }
    }

    pub(super) const fn fixed32(self) -> Result<u32, Broken> {
        match self {
            Self::Fixed32(number) => Ok(number),
            _ => Err(Broken::OtherType),
        }
    }

    pub(super) const fn bytes(self) -> Result<&'a [u8], Broken> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(Broken::OtherType),
        }
    }

    /// The bytes of a message within the message.
    pub(super) const fn message(self) -> Result<&'a [u8], Broken> {
        self.bytes()
    }

    pub(super) fn text(self) -> Result<Cow<'a, str>, Broken> {
        self.bytes().map(String::from_utf8_lossy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(bytes: &[u8]) -> Vec<Result<(u32, Value<'_>), Broken>> {
        Message(bytes).collect()
    }

    #[test]
    fn fields_are_read_by_their_wire_types() {
        let bytes = [
            0x08, 0x96, 0x01, 0x11, 1, 0, 0, 0, 0, 0, 0, 0, 0x1a, 2, b'h', b'i', 0x25, 2, 0, 0, 0,
        ];
        let expected = [
            Ok((1, Value::Varint(150))),
            Ok((2, Value::Fixed64(1))),
            Ok((3, Value::Bytes(b"hi"))),
            Ok((4, Value::Fixed32(2))),
        ];
        assert_eq!(fields(&bytes), expected);
        let most = [8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1];
        assert_eq!(fields(&most), [Ok((1, Value::Varint(u64::MAX)))]);
    }

    #[test]
    fn what_is_no_message_is_an_error_and_the_end() {
        for (bytes, broken) in [
            (&[0x08][..], Broken::Truncated),
            (&[0x08, 0x80], Broken::Truncated),
            (&[0x11, 1, 2], Broken::Truncated),
            (&[0x1a, 3, 1, 2], Broken::Truncated),
            (
                &[0x1a, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
                Broken::Truncated,
            ),
            (
                &[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2],
                Broken::Number,
            ),
            (&[0x00, 1], Broken::FieldNumber),
            (&[0x80, 0x80, 0x80, 0x80, 0x10], Broken::FieldNumber),
            (&[0x0b], Broken::WireType),
            (&[0x0f], Broken::WireType),
        ] {
            assert_eq!(fields(bytes), [Err(broken)], "{bytes:?}");
        }
        assert_eq!(Value::Varint(1).text(), Err(Broken::OtherType));
    }
}
