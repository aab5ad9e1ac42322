//! [`Framing`]: takes the framing of an HTTP/1 body away, without copying it.

use thiserror::Error;

/// Where in its framing a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is none: the body ends with the connection.
    Plain,
    /// In the line that says how long the next chunk is; so far it says this.
    Size { so_far: u64, extension: bool },
    /// So many bytes of the chunk are still to come.
    Data(u64),
    /// In the end of line behind the chunk.
    End,
    /// Behind the last chunk.
    Over,
}

/// What is not the framing of a chunked body.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the byte {0} stands in the framing of a chunked body")]
pub(crate) struct Malformed(u8);

impl Framing {
    /// That of a chunked body, at its beginning.
    pub(crate) const CHUNKED: Self = Self::Size {
        so_far: 0,
        extension: false,
    };

    /// Gives the parts of what was received that belong to the body.
    pub(crate) fn strip<'a>(
        &mut self,
        mut bytes: &'a [u8],
        mut each: impl FnMut(&'a [u8]),
    ) -> Result<(), Malformed> {
        while let Some((&first, behind)) = bytes.split_first() {
            match *self {
                Self::Plain => {
                    each(bytes);
                    return Ok(());
                }
                Self::Data(left) => {
                    let here = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
                    let (data, rest) = bytes.split_at(here);
                    each(data);
                    bytes = rest;
                    let left = left - here as u64;
                    *self = if left == 0 { Self::End } else { Self::Data(left) };
                    continue;
                }
                Self::Size { so_far, extension } => *self = after_size(so_far, extension, first)?,
                Self::End => match first {
                    b'\r' => {}
                    b'\n' => *self = Self::CHUNKED,
                    other => return Err(Malformed(other)),
                },
                Self::Over => return Ok(()),
            }
            bytes = behind;
        }
        Ok(())
    }
}

fn after_size(so_far: u64, extension: bool, byte: u8) -> Result<Framing, Malformed> {
    Ok(match byte {
        b'\n' if so_far == 0 => Framing::Over,
        b'\n' => Framing::Data(so_far),
        _ if extension || byte == b'\r' => Framing::Size { so_far, extension },
        b';' => Framing::Size {
            so_far,
            extension: true,
        },
        _ => {
            let digit = char::from(byte).to_digit(16).ok_or(Malformed(byte))?;
            let so_far = so_far.checked_mul(16).ok_or(Malformed(byte))? + u64::from(digit);
            Framing::Size { so_far, extension }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(pieces: &[&[u8]]) -> Result<(Vec<u8>, Framing), Malformed> {
        let mut framing = Framing::CHUNKED;
        let mut body = Vec::new();
        for piece in pieces {
            framing.strip(piece, |part| body.extend_from_slice(part))?;
        }
        Ok((body, framing))
    }

    #[test]
    fn a_chunked_body_that_is_cut_anywhere_is_the_same() -> Result<(), Malformed> {
        let wire = b"5\r\nhello\r\n1A;a=b;c\r\nabcdefghijklmnopqrstuvwxyz\r\n2\r\n\r\n\r\n0\r\n\r\n";
        let body = b"helloabcdefghijklmnopqrstuvwxyz\r\n".to_vec();
        for first in 0..wire.len() {
            let (left, right) = wire.split_at(first);
            for second in 0..right.len() {
                let (middle, end) = right.split_at(second);
                assert_eq!(
                    stripped(&[left, middle, end])?,
                    (body.clone(), Framing::Over),
                    "{first}, {second}"
                );
            }
        }
        Ok(())
    }

    #[test]
    fn what_is_no_framing_is_told() {
        assert_eq!(stripped(&[b"5\r\nhelloX"]), Err(Malformed(b'X')));
        assert_eq!(stripped(&[b"id: 5\n"]), Err(Malformed(b'i')));
    }
}
