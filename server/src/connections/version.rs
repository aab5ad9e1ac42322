//! [`Version`]: which HTTP a connection speaks, told by how it begins.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// What every HTTP/2 connection begins with (RFC 9113, section 3.4), and none of HTTP/1.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Room for what is read at once: most requests without a body are not larger.
const ROOM: usize = 512;

/// Which HTTP a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Http1,
    Http2,
}

/// Reads as much as it takes to tell, which is given back too.
///
/// # Errors
/// It cannot be read. [`io::ErrorKind::UnexpectedEof`]: it ends before it can be told.
pub(super) async fn tell(socket: &mut (impl AsyncRead + Unpin)) -> io::Result<(Version, Bytes)> {
    let mut begin = BytesMut::with_capacity(ROOM);
    loop {
        if socket.read_buf(&mut begin).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let both = begin.len().min(PREFACE.len());
        if begin[..both] != PREFACE[..both] {
            return Ok((Version::Http1, begin.freeze()));
        }
        if both == PREFACE.len() {
            return Ok((Version::Http2, begin.freeze()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn told(pieces: &[&[u8]]) -> Option<(Version, Vec<u8>)> {
        let mut socket = socket(pieces);
        let told = tell(&mut socket).await.ok();
        told.map(|(version, begin)| (version, begin.to_vec()))
    }

    /// A socket that gives these one after the other.
    fn socket(pieces: &[&[u8]]) -> impl AsyncRead + Unpin {
        let empty: Box<dyn AsyncRead + Unpin + Send> = Box::new(tokio::io::empty());
        pieces.iter().rev().fold(empty, |rest, piece| {
            Box::new(std::io::Cursor::new(piece.to_vec()).chain(rest))
        })
    }

    #[tokio::test]
    async fn only_the_whole_preface_is_http2_however_it_comes() {
        let one_by_one: Vec<&[u8]> = PREFACE.chunks(1).collect();
        assert_eq!(told(&one_by_one).await, Some((Version::Http2, PREFACE.to_vec())));
        let more = [PREFACE, b"frames"].concat();
        assert_eq!(told(&[&more]).await, Some((Version::Http2, more)));
        for begin in [&b"GET /"[..], b"PRI * HTTP/1.1", b"x"] {
            assert_eq!(told(&[begin]).await, Some((Version::Http1, begin.to_vec())));
        }
        assert_eq!(
            told(&[b"P", b"OST"]).await,
            Some((Version::Http1, b"POST".to_vec()))
        );
    }

    #[tokio::test]
    async fn what_ends_before_it_can_be_told_is_none() {
        assert_eq!(told(&[]).await, None);
        assert_eq!(told(&[b"PRI * HTTP/2.0\r\n"]).await, None);
    }
}
