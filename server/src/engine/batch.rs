//! [`Batch`]: bytes that many readers get as they are.

use bytes::{BufMut, Bytes, BytesMut};

/// Records of one channel, joined once for all readers that go on from the same cursor. With the head and the end of a chunk of
/// HTTP/1.1 (RFC 9112, section 7.1) around them, so that they are written to a connection as they are. Clones share the bytes.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    chunk: Bytes,
    /// How long the chunk's head is.
    head: u8,
}

/// The end of a chunk.
const END: &[u8] = b"\r\n";
/// The longest head of a chunk.
const MOST_HEAD: usize = 2 * size_of::<usize>() + END.len();

impl Batch {
    /// Of these pieces, which are not empty together: a chunk that is would end the answer.
    pub(crate) fn join<'a>(pieces: impl Iterator<Item = &'a [u8]> + Clone) -> Self {
        let len: usize = pieces.clone().map(<[u8]>::len).sum();
        debug_assert!(len > 0);
        let mut chunk = BytesMut::with_capacity(MOST_HEAD + len + END.len());
        let head = format!("{len:x}\r\n");
        chunk.put_slice(head.as_bytes());
        pieces.for_each(|piece| chunk.put_slice(piece));
        chunk.put_slice(END);
        Self {
            chunk: chunk.freeze(),
            head: u8::try_from(head.len()).unwrap_or(u8::MAX),
        }
    }

    /// As a chunk of HTTP/1.1.
    pub(crate) fn into_chunked(self) -> Bytes {
        self.chunk
    }

    /// The events alone.
    pub(crate) fn plain(&self) -> Bytes {
        self.chunk
            .slice(usize::from(self.head)..self.chunk.len() - END.len())
    }

    /// How long the events are.
    pub(crate) fn len(&self) -> usize {
        self.chunk.len() - END.len() - usize::from(self.head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_a_chunk_around_its_events() {
        let long = [b'x'; 300];
        let batch = Batch::join([b"ab".as_slice(), b"", &long].into_iter());
        let plain = batch.plain();
        assert_eq!((batch.len(), plain.len()), (302, 302));
        assert!(plain.starts_with(b"abxx"));
        assert_eq!(
            batch.into_chunked(),
            [b"12e\r\n", plain.as_ref(), b"\r\n"].concat()
        );
    }
}
