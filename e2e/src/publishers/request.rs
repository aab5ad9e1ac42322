//! [`Message`]: a request or an answer as it is on the wire, HTTP/1.1.

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncRead, AsyncReadExt};

/// A request or an answer as it is on the wire.
pub(super) struct Message {
    /// From the first line to the blank one.
    pub(super) head: Vec<u8>,
    /// What follows, with its chunks' sizes where it comes in chunks.
    pub(super) body: Vec<u8>,
}

impl Message {
    /// Reads one; none where the connection ends before it.
    pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> Result<Option<Self>> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match from.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) if head.is_empty() => return Ok(None),
                Err(error) => return Err(error).context("the connection ended within a head"),
            }
        }
        let mut message = Self {
            head,
            body: Vec::new(),
        };
        if let Some(length) = message.header("content-length") {
            message.body.resize(length.parse()?, 0);
            from.read_exact(&mut message.body).await?;
        } else if message.header("transfer-encoding").is_some() {
            while !message.body.ends_with(b"0\r\n\r\n") {
                if from.read_buf(&mut message.body).await? == 0 {
                    bail!("the connection ended within a body");
                }
            }
        }
        Ok(Some(message))
    }

    /// The first of this name, which is given in small letters.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let head = str::from_utf8(&self.head).ok()?;
        let headers = head.lines().filter_map(|line| line.split_once(':'));
        let mut found = headers.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.trim())
    }

    /// Both parts.
    pub(super) fn bytes(&self) -> Vec<u8> {
        [self.head.as_slice(), self.body.as_slice()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn messages_are_read_one_after_the_other() -> Result<()> {
        let mut wire = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nabPOST /2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
            3\r\nabc\r\n0\r\n\r\n"
            .as_slice();
        let first = Message::read(&mut wire).await?.context("no first")?;
        assert_eq!(
            (first.body.as_slice(), first.header("content-length")),
            (b"ab".as_slice(), Some("2"))
        );
        let second = Message::read(&mut wire).await?.context("no second")?;
        assert_eq!(second.body, b"3\r\nabc\r\n0\r\n\r\n");
        assert!(Message::read(&mut wire).await?.is_none());
        let mut cut = b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab".as_slice();
        assert!(Message::read(&mut cut).await.is_err());
        Ok(())
    }
}
