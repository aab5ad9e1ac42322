//! [`Batch`]: what one request has.

use std::{
    hash::{BuildHasher, RandomState},
    io::Write,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use flate2::{Compression, write::GzEncoder};

use crate::{dropped::Tally, queue::Waiting};

/// From so many bytes on it is packed.
const GZIP_FROM: usize = 1024;

/// A line of a request.
#[derive(Debug)]
pub(crate) enum Line {
    /// A record of a call.
    Record(Waiting),
    /// Tells of records that were dropped.
    Told { line: Vec<u8>, tally: Tally },
}

impl Line {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Record(record) => &record.line,
            Self::Told { line, .. } => line,
        }
    }
}

/// What one request has: on every try the same bytes under the same key.
pub(crate) struct Batch {
    pub(crate) lines: Vec<Line>,
    pub(crate) key: String,
    pub(crate) body: Vec<u8>,
    pub(crate) is_gzip: bool,
}

impl Batch {
    pub(crate) fn new(lines: Vec<Line>) -> Self {
        let mut body = Vec::with_capacity(lines.iter().map(|line| line.bytes().len()).sum());
        for line in &lines {
            body.extend_from_slice(line.bytes());
        }
        let packed = (body.len() >= GZIP_FROM).then(|| gzip(&body)).flatten();
        let is_gzip = packed.is_some();
        Self {
            lines,
            key: key(),
            body: packed.unwrap_or(body),
            is_gzip,
        }
    }

    /// In two halves, each with a key of its own.
    pub(crate) fn halves(mut self) -> (Self, Self) {
        let second = self.lines.split_off(self.lines.len() / 2);
        (Self::new(self.lines), Self::new(second))
    }
}

fn gzip(body: &[u8]) -> Option<Vec<u8>> {
    let mut gzip = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    gzip.write_all(body).ok()?;
    gzip.finish().ok()
}

/// Never the same again, in no process: a key that was there already would make the gateway drop a batch.
fn key() -> String {
    static PROCESS: OnceLock<String> = OnceLock::new();
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // Each has random keys from the system.
    let random = || RandomState::new().hash_one(std::process::id());
    let process = PROCESS.get_or_init(|| format!("{:016x}{:016x}", random(), random()));
    // A forked process has the same memory.
    format!(
        "{process}-{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;
    use crate::Level;

    fn lines(count: u64, text: &str) -> Vec<Line> {
        let line = |number| {
            Line::Record(Waiting {
                number,
                level: Level::Info,
                line: format!("{number}{text}\n").into_bytes(),
                channel_len: 0,
            })
        };
        (0..count).map(line).collect()
    }

    #[test]
    fn a_small_batch_is_plain_and_a_large_one_packed() {
        let small = Batch::new(lines(3, ""));
        assert_eq!(
            (small.body.as_slice(), small.is_gzip),
            (b"0\n1\n2\n".as_slice(), false)
        );
        let large = Batch::new(lines(100, "a longer text"));
        let mut text = String::new();
        GzDecoder::new(large.body.as_slice())
            .read_to_string(&mut text)
            .unwrap();
        assert!(large.is_gzip && text.lines().count() == 100);
    }

    #[test]
    fn halves_have_all_the_lines_and_keys_of_their_own() {
        let batch = Batch::new(lines(3, ""));
        let key = batch.key.clone();
        let (first, second) = batch.halves();
        assert_eq!(
            (first.body.as_slice(), second.body.as_slice()),
            (b"0\n".as_slice(), b"1\n2\n".as_slice())
        );
        assert!(first.key != second.key && first.key != key && second.key != key);
    }
}
