//! [`Open`]: a file that is open, and its lines.

use std::{
    borrow::Cow,
    fmt::Write as _,
    fs::{File, Metadata},
    io,
    os::unix::fs::{FileExt, MetadataExt},
    time::Instant,
};

use sha2::{Digest, Sha256};

/// The most bytes that are read at once, and of a line: twice what a record may have.
pub(super) const BYTES_AT_ONCE: usize = 512 * 1024;
/// By how much of its start a file is known again.
pub(super) const HEAD_BYTES: usize = 256;

/// A file that is open, and up to where its lines are published.
pub(super) struct Open {
    pub(super) file: File,
    pub(super) device: u64,
    pub(super) inode: u64,
    /// What is before it is published.
    pub(super) position: u64,
    /// The file's first bytes, as far as they are published.
    pub(super) head: Vec<u8>,
    /// How far it was looked through without finding the end of a line.
    seen: u64,
    pub(super) last_growth: Instant,
    /// Whether the line at the position is the rest of one that is too long.
    pub(super) is_within_long_line: bool,
    /// Where reading ends for good.
    pub(super) end: Option<u64>,
}

/// Whole lines that follow the position.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli::follow) struct Batch {
    bytes: Vec<u8>,
    /// How many lines there are, empty ones too.
    pub(in crate::cli::follow) lines: usize,
    /// Where it ends in the file.
    pub(in crate::cli::follow) to: u64,
    /// Whether a line that is too long was begun, of which nothing is in the batch.
    pub(in crate::cli::follow) is_cut: bool,
}

impl Batch {
    /// The lines that are not empty. What is not UTF-8 is shown with marks in its place, not lost.
    pub(in crate::cli::follow) fn lines(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let lines = self.bytes.split(|byte| *byte == b'\n');
        lines
            .map(|line| String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)))
            .filter(|line| !line.trim().is_empty())
    }
}

impl Open {
    pub(super) fn new(file: File, position: u64) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let mut open = Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            file,
            position: 0,
            head: Vec::new(),
            seen: 0,
            last_growth: Instant::now(),
            is_within_long_line: false,
            end: None,
        };
        open.move_to(position);
        Ok(open)
    }

    pub(super) fn is(&self, other: &Metadata) -> bool {
        (self.device, self.inode) == (other.dev(), other.ino())
    }

    /// Whether what was published is not in it any more, so that it began anew under the same number.
    pub(super) fn is_cut(&self) -> io::Result<bool> {
        if self.file.metadata()?.len() < self.position {
            return Ok(true);
        }
        Ok(read_at(&self.file, 0, self.head.len())? != self.head)
    }

    pub(super) fn restart(&mut self) {
        self.position = 0;
        self.head.clear();
        self.seen = 0;
        self.is_within_long_line = false;
    }

    pub(super) fn move_to(&mut self, position: u64) {
        self.position = position;
        self.seen = position;
        let known = usize::try_from(position).unwrap_or(usize::MAX).min(HEAD_BYTES);
        if self.head.len() < known {
            // What cannot be read now is known by less.
            self.head = read_at(&self.file, 0, known).unwrap_or_default();
        }
    }

    pub(super) fn read(&self, length: usize) -> io::Result<Vec<u8>> {
        read_at(&self.file, self.position, length)
    }

    /// The next lines that are whole, or with `last_words` also one that has no end.
    pub(super) fn next(&mut self, lines: usize, last_words: bool) -> io::Result<Option<Batch>> {
        loop {
            let length = self.file.metadata()?.len().min(self.end.unwrap_or(u64::MAX));
            // Cut, but not to less than is published.
            self.seen = self.seen.min(length).max(self.position);
            if length > self.seen {
                self.last_growth = Instant::now();
            } else if !last_words || length <= self.position {
                return Ok(None);
            }
            let there = usize::try_from(length.saturating_sub(self.position)).unwrap_or(usize::MAX);
            let mut bytes = self.read(there.min(BYTES_AT_ONCE))?;
            let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
            let end = ends.map(|(at, _)| at + 1).take(lines).last();
            if self.is_within_long_line {
                // The rest of it is passed over.
                let end = bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
                self.is_within_long_line = end.is_none();
                let passed = end.unwrap_or(bytes.len()) as u64;
                if passed == 0 {
                    return Ok(None);
                }
                self.move_to(self.position + passed);
                continue;
            }
            let is_cut = end.is_none() && bytes.len() == BYTES_AT_ONCE;
            let end = match end {
                Some(end) => end,
                None if is_cut || (last_words && !bytes.is_empty()) => bytes.len(),
                None => {
                    self.seen = self.position + bytes.len() as u64;
                    return Ok(None);
                }
            };
            bytes.truncate(if is_cut { 0 } else { end });
            let to = self.position + end as u64;
            return Ok(Some(Batch {
                is_cut,
                ..Batch::of(bytes, to)
            }));
        }
    }
}

impl Batch {
    pub(super) fn of(bytes: Vec<u8>, to: u64) -> Self {
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
        Self {
            bytes,
            lines,
            to,
            is_cut: false,
        }
    }
}

/// So many bytes from there on, or as many as there are.
pub(super) fn read_at(file: &File, from: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match file.read_at(&mut bytes[filled..], from + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

pub(super) fn digest(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
