//! [`Places`]: up to where files were published, in a file.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

/// Up to where a file was published, and how it is known again under another name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) device: u64,
    pub(super) inode: u64,
    /// Bytes from the start: all before it is acknowledged.
    pub(super) position: u64,
    /// How many bytes at the start [`Place::head`] is of.
    pub(super) head_bytes: usize,
    /// Their SHA-256, in hexadecimal: a new file may get the number of one that was removed.
    pub(super) head: String,
    /// Whether what follows is the rest of a line that is too long.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_within_long_line: bool,
    /// What was being sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sending: Option<Sending>,
}

/// A batch that was sent and may or may not be stored: what follows the position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sending {
    /// Where it ends.
    pub(super) to: u64,
    /// Its name: sent again under it, it is stored once.
    pub(super) key: String,
}

/// The places of files by their paths, kept in a file. Nobody else may use that file meanwhile.
pub(super) struct Places {
    path: PathBuf,
    content: Content,
    /// Locked as long as this lives.
    _lock: File,
}

#[derive(Default, Serialize, Deserialize)]
struct Content {
    files: BTreeMap<PathBuf, Place>,
}

impl Places {
    /// Reads the file where there is one.
    ///
    /// # Errors
    /// It cannot be read or written, is none of this command's, or another one uses it.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let lock_path = with_suffix(path, ".lock");
        let lock =
            File::create(&lock_path).with_context(|| format!("cannot write {}", lock_path.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("{shown} is in use by another publish --follow"),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", lock_path.display()));
            }
        }
        let content = match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| {
                format!("{shown} holds no places of publish --follow; remove it to begin anew")
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Content::default(),
            Err(error) => return Err(error).with_context(|| format!("cannot read {shown}")),
        };
        Ok(Self {
            path: path.to_owned(),
            content,
            _lock: lock,
        })
    }

    pub(super) fn of(&self, file: &Path) -> Option<&Place> {
        self.content.files.get(file)
    }

    /// Where there is no place, the last one that was known stays: it may be that of a file that is renamed just now.
    pub(super) fn set(&mut self, file: &Path, place: Option<Place>) {
        if let Some(place) = place {
            self.content.files.insert(file.to_owned(), place);
        }
    }

    /// Writes the file, whole or not at all: whoever is killed meanwhile leaves the one before.
    pub(super) fn save(&self) -> anyhow::Result<()> {
        let new = with_suffix(&self.path, ".new");
        let write = || {
            let mut file = File::create(&new)?;
            file.write_all(&serde_json::to_vec_pretty(&self.content)?)?;
            fs::rename(&new, &self.path)
        };
        write().with_context(|| format!("cannot write {}", self.path.display()))
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_again_and_nobody_else_has_them_meanwhile() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let place = Place {
            device: 1,
            inode: 2,
            position: 3,
            head_bytes: 3,
            head: "ab".to_owned(),
            is_within_long_line: true,
            sending: Some(Sending {
                to: 9,
                key: "k".to_owned(),
            }),
        };
        let mut places = Places::open(&state).unwrap();
        places.set(Path::new("/x"), Some(place.clone()));
        places.set(Path::new("/x"), None);
        places.save().unwrap();
        let error = Places::open(&state).err().unwrap();
        assert!(error.to_string().contains("in use"), "{error}");
        drop(places);
        assert_eq!(Places::open(&state).unwrap().of(Path::new("/x")), Some(&place));
        fs::write(&state, "").unwrap();
        let error = Places::open(&state).err().unwrap();
        assert!(error.to_string().contains("remove it"), "{error}");
    }
}
