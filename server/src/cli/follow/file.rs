//! [`Followed`]: one file as it grows, is renamed, cut and made anew.

use std::{
    fmt::Write as _,
    fs::{self, File, Metadata},
    io,
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use sha2::{Digest, Sha256};

use super::place::{Place, Sending};

/// The most bytes that are read at once, and of a line: twice what a record may have.
const BYTES_AT_ONCE: usize = 512 * 1024;
/// By how much of its start a file is known again.
const HEAD_BYTES: usize = 256;
/// How long a file that was renamed must be quiet until the next one is begun: whoever writes may still have it open.
const QUIET: Duration = Duration::from_secs(1);
/// The same while nothing is written to the next one.
const QUIET_BEFORE_EMPTY: Duration = Duration::from_secs(5);

/// One file as it grows.
pub(super) struct Followed {
    path: PathBuf,
    /// The file that had this path when it was opened.
    open: Option<Open>,
    /// Since when another file has its path.
    renamed: Option<Instant>,
    /// Whether nothing that is added from now on is read.
    is_ending: bool,
}

struct Open {
    file: File,
    device: u64,
    inode: u64,
    /// What is before it is published.
    position: u64,
    /// The file's first bytes, as far as they are published.
    head: Vec<u8>,
    /// How far it was looked through without finding the end of a line.
    seen: u64,
    last_growth: Instant,
    /// Whether the line at the position is the rest of one that is too long.
    is_within_long_line: bool,
    /// Where reading ends for good.
    end: Option<u64>,
}

/// Whole lines that follow the position.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    /// How many lines there are, empty ones too.
    pub(super) lines: usize,
    /// Where it ends in the file.
    pub(super) to: u64,
    /// Whether a line that is too long was begun, of which nothing is in the batch.
    pub(super) is_cut: bool,
}

impl Batch {
    /// The lines that are not empty. What is not UTF-8 is shown with marks in its place, not lost.
    pub(super) fn lines(&self) -> impl Iterator<Item = std::borrow::Cow<'_, str>> {
        let lines = self.bytes.split(|byte| *byte == b'\n');
        lines
            .map(|line| String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)))
            .filter(|line| !line.trim().is_empty())
    }
}

impl Followed {
    /// A file that was not followed before: from its end, or its start. One that does not exist yet has all that will be in it
    /// read.
    pub(super) fn begin(path: PathBuf, from_start: bool) -> anyhow::Result<Self> {
        let mut followed = Self::new(path);
        match open(&followed.path)? {
            Some(file) => {
                let length = file.metadata()?.len();
                followed.open = Some(Open::new(file, if from_start { 0 } else { length })?);
            }
            None => eprintln!("{} does not exist yet; waiting for it", followed.path.display()),
        }
        Ok(followed)
    }

    /// A file that was followed before, wherever it is now.
    pub(super) fn resume(path: PathBuf, place: &Place) -> anyhow::Result<Self> {
        let mut followed = Self::new(path);
        let is_it = |candidate: &Path| {
            let Some(file) = open(candidate).ok().flatten() else {
                return Ok(None);
            };
            place.is_of(&file).map(|is_it| is_it.then_some(file))
        };
        let mut found = is_it(&followed.path)?;
        if found.is_none() {
            // It was renamed meanwhile: what is left of it comes first.
            let folder = followed.path.parent().unwrap_or(Path::new("/"));
            for candidate in fs::read_dir(folder).into_iter().flatten().flatten() {
                let is_candidate = candidate
                    .metadata()
                    .is_ok_and(|metadata| metadata.ino() == place.inode);
                if is_candidate && found.is_none() {
                    found = is_it(&candidate.path())?;
                }
            }
        }
        followed.open = match found {
            Some(file) => Some(Open::new(file, place.position)?),
            None => {
                let shown = followed.path.display();
                let file = open(&followed.path)?;
                match &file {
                    Some(_) => eprintln!("{shown} is another file than before; reading it from its start"),
                    None => eprintln!("{shown} does not exist any more; waiting for it"),
                }
                file.map(|file| Open::new(file, 0)).transpose()?
            }
        };
        Ok(followed)
    }

    fn new(path: PathBuf) -> Self {
        Self {
            path,
            open: None,
            renamed: None,
            is_ending: false,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where it stands.
    pub(super) fn place(&self, sending: Option<Sending>) -> Option<Place> {
        let open = self.open.as_ref()?;
        Some(Place {
            device: open.device,
            inode: open.inode,
            position: open.position,
            head_bytes: open.head.len(),
            head: digest(&open.head),
            sending,
        })
    }

    /// Nothing that is added from now on is read.
    pub(super) fn end_here(&mut self) {
        self.is_ending = true;
        if let Some(open) = &mut self.open {
            open.end = open.file.metadata().ok().map(|metadata| metadata.len());
        }
    }

    /// What follows the position up to there, as it was when it was sent before; nothing where that is not there any more.
    pub(super) fn until(&mut self, to: u64) -> io::Result<Option<Batch>> {
        let Some(open) = &self.open else { return Ok(None) };
        let length = to
            .checked_sub(open.position)
            .and_then(|length| usize::try_from(length).ok());
        let Some(length) = length.filter(|length| (1..=BYTES_AT_ONCE).contains(length)) else {
            return Ok(None);
        };
        let bytes = open.read(length)?;
        Ok((bytes.len() == length).then(|| Batch::of(bytes, to)))
    }

    /// The next lines that are whole, at most so many. Also the last words of a file whose path another file has by now.
    pub(super) fn next(&mut self, lines: usize) -> anyhow::Result<Option<Batch>> {
        loop {
            if self.open.is_none() {
                match open(&self.path)? {
                    Some(file) if !self.is_ending => self.open = Some(Open::new(file, 0)?),
                    _ => return Ok(None),
                }
            }
            // Looked at before the file itself, so that nothing can be written to it in between.
            let is_over = self.is_over()?;
            let Some(open) = &mut self.open else { continue };
            if open.is_cut()? {
                eprintln!("{} was cut; reading it from its start", self.path.display());
                open.restart();
            }
            if let Some(batch) = open.next(lines, is_over)? {
                return Ok(Some(batch));
            }
            if !is_over || self.is_ending {
                return Ok(None);
            }
            self.open = None;
            self.renamed = None;
        }
    }

    /// All up to there is published.
    pub(super) fn move_to(&mut self, batch: &Batch) {
        if let Some(open) = &mut self.open {
            open.move_to(batch.to);
            open.is_within_long_line = batch.is_cut;
        }
    }

    /// Whether another file has its path, and nobody writes to this one any more.
    fn is_over(&mut self) -> io::Result<bool> {
        let Some(open) = &self.open else { return Ok(true) };
        let next = match fs::metadata(&self.path) {
            Ok(next) if !open.is(&next) => next,
            Ok(_) => {
                self.renamed = None;
                return Ok(false);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let renamed = *self.renamed.get_or_insert_with(Instant::now);
        let quiet = renamed.max(open.last_growth).elapsed();
        Ok(quiet >= if next.len() > 0 { QUIET } else { QUIET_BEFORE_EMPTY })
    }
}

/// The file, where there is one.
fn open(path: &Path) -> anyhow::Result<Option<File>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    if !file.metadata()?.is_file() {
        anyhow::bail!(
            "{} is no file; what comes through a pipe is published from standard input",
            path.display()
        );
    }
    Ok(Some(file))
}

impl Open {
    fn new(file: File, position: u64) -> io::Result<Self> {
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

    fn is(&self, other: &Metadata) -> bool {
        (self.device, self.inode) == (other.dev(), other.ino())
    }

    /// Whether what was published is not in it any more, so that it began anew under the same number.
    fn is_cut(&self) -> io::Result<bool> {
        if self.file.metadata()?.len() < self.position {
            return Ok(true);
        }
        Ok(read_at(&self.file, 0, self.head.len())? != self.head)
    }

    fn restart(&mut self) {
        self.position = 0;
        self.head.clear();
        self.seen = 0;
        self.is_within_long_line = false;
    }

    fn move_to(&mut self, position: u64) {
        self.position = position;
        self.seen = position;
        let known = usize::try_from(position).unwrap_or(usize::MAX).min(HEAD_BYTES);
        if self.head.len() < known {
            // What cannot be read now is known by less.
            self.head = read_at(&self.file, 0, known).unwrap_or_default();
        }
    }

    fn read(&self, length: usize) -> io::Result<Vec<u8>> {
        read_at(&self.file, self.position, length)
    }

    /// The next lines that are whole, or with `last_words` also one that has no end.
    fn next(&mut self, lines: usize, last_words: bool) -> io::Result<Option<Batch>> {
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
    fn of(bytes: Vec<u8>, to: u64) -> Self {
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
        Self {
            bytes,
            lines,
            to,
            is_cut: false,
        }
    }
}

impl Place {
    /// Whether this is the file, and what was published of it is still in it.
    fn is_of(&self, file: &File) -> anyhow::Result<bool> {
        let metadata = file.metadata()?;
        if (metadata.dev(), metadata.ino()) != (self.device, self.inode) || metadata.len() < self.position {
            return Ok(false);
        }
        let head = read_at(file, 0, self.head_bytes.min(HEAD_BYTES))?;
        Ok(digest(&head) == self.head)
    }
}

/// So many bytes from there on, or as many as there are.
fn read_at(file: &File, from: u64, length: usize) -> io::Result<Vec<u8>> {
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

fn digest(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests;
