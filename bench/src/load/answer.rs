//! [`Answer`]: what a publisher is told, as far as it matters when the next request may be written.

use anyhow::{Context as _, Result, ensure};
use memchr::memmem;

use super::framing::Framing;

/// An answer that is being read.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    bytes: Vec<u8>,
}

impl Answer {
    /// Takes what came. True when the answer is complete, and says that all was taken; then the next one may begin.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<bool> {
        self.bytes.extend_from_slice(bytes);
        let Some(end) = memmem::find(&self.bytes, b"\r\n\r\n") else {
            return Ok(false);
        };
        let (head, body) = self.bytes.split_at(end + 4);
        let head = std::str::from_utf8(head).context("an answer's head is no text")?;
        if !is_complete(head, body)? {
            return Ok(false);
        }
        let status = head.split(' ').nth(1).unwrap_or_default();
        let said = || String::from_utf8_lossy(&self.bytes).into_owned();
        ensure!(
            status.starts_with('2'),
            "a publication was answered with {}",
            said()
        );
        ensure!(
            memmem::find(body, b"\"rejected\":[{").is_none(),
            "records were refused: {}",
            said()
        );
        self.bytes.clear();
        Ok(true)
    }
}

fn is_complete(head: &str, body: &[u8]) -> Result<bool> {
    for line in head.lines().skip(1) {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            let length: usize = value.trim().parse().context("an answer of no readable length")?;
            ensure!(body.len() <= length, "an answer is longer than it says");
            return Ok(body.len() == length);
        }
        if name.eq_ignore_ascii_case("transfer-encoding") && value.contains("chunked") {
            let mut framing = Framing::CHUNKED;
            framing.strip(body, |_| {})?;
            return Ok(framing == Framing::Over && body.ends_with(b"\r\n\r\n"));
        }
    }
    // An answer such as 204 has no body, and need not say so.
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_complete_with_its_last_byte_and_not_before() -> Result<()> {
        for wire in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            "HTTP/1.1 204 No Content\r\n\r\n",
        ] {
            let mut answer = Answer::default();
            for _ in 0..2 {
                let (most, last) = wire.as_bytes().split_at(wire.len() - 1);
                for byte in most.chunks(1) {
                    assert!(!answer.take(byte)?, "{wire:?}");
                }
                assert!(answer.take(last)?, "{wire:?}");
            }
        }
        Ok(())
    }

    #[test]
    fn what_was_refused_is_an_error() {
        for wire in [
            "HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\n{\"rejected\":[{\"index\":0,\"a\":1}",
        ] {
            assert!(Answer::default().take(wire.as_bytes()).is_err(), "{wire:?}");
        }
    }
}
