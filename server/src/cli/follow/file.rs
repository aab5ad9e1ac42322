//! [`Followed`]: one file as it grows, is renamed, cut and made anew.

mod open;

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

pub(super) use self::open::Batch;
use self::open::{BYTES_AT_ONCE, HEAD_BYTES, Open, digest, read_at};
use super::place::{Place, Sending};
use anyhow::Context as _;
use rustix::fs::OFlags;

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
    /// Whether it was told that the next file cannot be read.
    is_barred: bool,
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
            Some(file) => {
                let mut open = Open::new(file, place.position)?;
                open.is_within_long_line = place.is_within_long_line;
                Some(open)
            }
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
            is_barred: false,
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
            is_within_long_line: open.is_within_long_line,
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
                match open(&self.path) {
                    Ok(Some(file)) if !self.is_ending => {
                        self.open = Some(Open::new(file, 0)?);
                        self.is_barred = false;
                    }
                    Ok(_) => return Ok(None),
                    // Who makes files anew may give the rights to them a moment later; and other files are followed too.
                    Err(error) => {
                        if !std::mem::replace(&mut self.is_barred, true) {
                            eprintln!("{error:#}; waiting until it can be read");
                        }
                        return Ok(None);
                    }
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
            self.open = self.next_generation();
            self.renamed = None;
        }
    }

    /// The file that came after the one that is over, where that has been renamed too by now: of those beside the path that are
    /// named after it and a number or date, the first that was written to later.
    fn next_generation(&self) -> Option<Open> {
        let last = self.open.as_ref()?.file.metadata().ok()?;
        let written = |of: &fs::Metadata| (of.mtime(), of.mtime_nsec());
        let now_there = fs::metadata(&self.path).ok()?;
        let (folder, name) = (self.path.parent()?, self.path.file_name()?.to_str()?);
        let is_next = |of: &fs::Metadata| {
            let is_other = |other: &fs::Metadata| (other.dev(), other.ino()) != (of.dev(), of.ino());
            of.is_file()
                && of.len() > 0
                && is_other(&last)
                && is_other(&now_there)
                && written(of) > written(&last)
        };
        let beside = fs::read_dir(folder).ok()?.flatten();
        let generations = beside.filter_map(|entry| {
            let metadata = entry.metadata().ok().filter(is_next)?;
            is_generation(entry.file_name().to_str()?.strip_prefix(name)?)
                .then(|| (written(&metadata), entry.path()))
        });
        let (_, path) = generations.min()?;
        Open::new(open(&path).ok()??, 0).ok()
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
            // It is not there, or what leads to it cannot be looked at just now.
            Err(_) => return Ok(false),
        };
        let renamed = *self.renamed.get_or_insert_with(Instant::now);
        let quiet = renamed.max(open.last_growth).elapsed();
        Ok(quiet >= if next.len() > 0 { QUIET } else { QUIET_BEFORE_EMPTY })
    }
}

/// Whether that is what a file's name gets when it is put aside: `.1`, `-20260102` or `.2026-01-02T03`. What is packed cannot be
/// read here.
fn is_generation(suffix: &str) -> bool {
    let mut letters = suffix.chars();
    letters
        .next()
        .is_some_and(|letter| matches!(letter, '.' | '-' | '_'))
        && letters
            .clone()
            .next()
            .is_some_and(|letter| letter.is_ascii_digit())
        && letters.all(|letter| letter.is_ascii_digit() || matches!(letter, '.' | '-' | '_' | 'T' | 'Z'))
}

/// The file, where there is one.
fn open(path: &Path) -> anyhow::Result<Option<File>> {
    // A pipe that nobody writes to would be waited for.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path);
    let file = match file {
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

#[cfg(test)]
mod tests;
