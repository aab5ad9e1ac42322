//! [`Tally`]: counts records and looks at the order of their ids, and at nothing else.

use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use futures_util::StreamExt;
use logs_shared::RecordId;
use reqwest::RequestBuilder;

/// What was read so far, of a stream or of history as NDJSON. A reader that took each record apart would measure
/// itself.
#[derive(Default)]
pub(super) struct Tally {
    line: Vec<u8>,
    /// Records, each with a larger id than the one before.
    pub(super) records: u64,
    /// Bytes, with their framing.
    pub(super) bytes: u64,
    /// The last record's id.
    pub(super) last: RecordId,
    /// Set when the stream has caught up.
    pub(super) caught_up: Option<CaughtUp>,
}

/// Where a stream had caught up.
#[derive(Clone, Copy)]
pub(super) struct CaughtUp {
    /// When.
    pub(super) at: Instant,
    /// After how many records.
    pub(super) records: u64,
}

const RECORD: &[u8] = br#"{"type":"log","id":""#;
const CAUGHT_UP: &[u8] = br#"{"type":"caught_up""#;
const GAP: &[u8] = br#"{"type":"gap""#;
const DATA: &[u8] = b"data: ";

impl Tally {
    /// Reads an answer until there is enough, or to its end; gives whether there was enough.
    ///
    /// # Errors
    /// It is refused or cut, or what comes is not what must come.
    pub(super) async fn read(
        &mut self,
        request: RequestBuilder,
        is_enough: impl Fn(&Self) -> bool,
    ) -> Result<bool> {
        self.read_and(request, is_enough, |_| {}).await
    }

    /// As [`Self::read`], and tells `each` after every piece that has come.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(super) async fn read_and(
        &mut self,
        request: RequestBuilder,
        is_enough: impl Fn(&Self) -> bool,
        mut each: impl FnMut(&Self),
    ) -> Result<bool> {
        let mut bytes = request.send().await?.error_for_status()?.bytes_stream();
        while let Some(bytes) = bytes.next().await {
            self.feed(&bytes?)?;
            each(self);
            if is_enough(self) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// An id does not grow, or records are said to be missing.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes += bytes.len() as u64;
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            if self.line.is_empty() {
                self.end_of_line(&rest[..end])?;
            } else {
                self.line.extend_from_slice(&rest[..end]);
                let line = std::mem::take(&mut self.line);
                self.end_of_line(&line)?;
            }
            rest = &rest[end + 1..];
        }
        self.line.extend_from_slice(rest);
        Ok(())
    }

    fn end_of_line(&mut self, line: &[u8]) -> Result<()> {
        let json = line.strip_prefix(DATA).unwrap_or(line);
        if let Some(rest) = json.strip_prefix(RECORD) {
            let id = rest.split(|&byte| byte == b'"').next().unwrap_or_default();
            let id: RecordId = std::str::from_utf8(id)?.parse().context("a record's id")?;
            ensure!(self.last < id, "{id} came after {}", self.last);
            self.last = id;
            self.records += 1;
        } else if json.starts_with(CAUGHT_UP) {
            self.caught_up = Some(CaughtUp {
                at: Instant::now(),
                records: self.records,
            });
        } else if json.starts_with(GAP) {
            bail!("after {}: {}", self.last, String::from_utf8_lossy(json));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "retry: 2000\nid: 1-0\ndata: {\"type\":\"connection\"}\n\n\
        id: 1-0\ndata: {\"type\":\"log\",\"id\":\"1-0\",\"message\":\"m\"}\n\n\
        id: 1-1\ndata: {\"type\":\"log\",\"id\":\"1-1\",\"message\":\"m\"}\n\n\
        event: caught_up\nid: 1-1\ndata: {\"type\":\"caught_up\"}\n\n\
        id: 2-0\ndata: {\"type\":\"log\",\"id\":\"2-0\",\"message\":\"m\"}\n\n";

    #[test]
    fn records_are_counted_however_the_bytes_are_cut() {
        for size in [1, 2, 7, 50, 1000] {
            let mut tally = Tally::default();
            STREAM
                .as_bytes()
                .chunks(size)
                .for_each(|piece| tally.feed(piece).unwrap());
            assert_eq!(tally.records, 3, "{size}");
            assert_eq!(
                tally.caught_up.map(|caught_up| caught_up.records),
                Some(2),
                "{size}"
            );
            assert_eq!(tally.bytes, STREAM.len() as u64);
        }
    }

    #[test]
    fn a_line_of_history_is_a_record_too() {
        let mut tally = Tally::default();
        tally.feed(b"{\"type\":\"log\",\"id\":\"5-0\"}\n").unwrap();
        assert_eq!((tally.records, tally.last), (1, RecordId::new(5, 0)));
    }

    #[test]
    fn what_must_not_come_is_an_error() {
        let mut twice = Tally::default();
        twice.feed(STREAM.as_bytes()).unwrap();
        assert!(twice.feed(STREAM.as_bytes()).is_err());
        let gap = b"event: gap\ndata: {\"type\":\"gap\"}\n\n";
        assert!(Tally::default().feed(gap).is_err());
    }
}
