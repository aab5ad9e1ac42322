//! [`SmallDisk`]: a file system that a test can fill.

use std::{
    env,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail, ensure};

use crate::namespaces::start_again;

/// A file system in memory, of which nobody outside the process knows. It ends with the process.
pub struct SmallDisk {
    dir: PathBuf,
}

/// Tells the test that it has mounts of its own.
const OWN_MOUNTS: &str = "LOGS_E2E_OWN_MOUNTS";
/// The file that takes the room.
const FILLER: &str = "filler";

/// Runs a test where it can mount things: in a process with mounts of its own, in which this test alone is
/// started again. `test` is its name.
///
/// # Errors
/// It fails there, or there can be no such process; then this says what would help.
pub fn with_own_mounts(test: &str, body: impl AsyncFnOnce() -> Result<()>) -> Result<()> {
    if env::var_os(OWN_MOUNTS).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        return runtime.block_on(body());
    }
    print!("{}", start_again(&["--mount"], test, (OWN_MOUNTS, "1".as_ref()))?);
    Ok(())
}

impl SmallDisk {
    /// A disk of so many MiB, at this folder.
    ///
    /// # Errors
    /// It cannot be mounted.
    pub fn mount(dir: &Path, mib: u64) -> Result<Self> {
        ensure!(
            env::var_os(OWN_MOUNTS).is_some(),
            "mounts are made by with_own_mounts only: another process would see this one"
        );
        fs::create_dir_all(dir)?;
        let output = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "small-disk"])
            .arg(dir)
            .output()?;
        if !output.status.success() {
            bail!("mount: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(Self { dir: dir.to_owned() })
    }

    /// Where it is.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Bytes that are free.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn free(&self) -> Result<u64> {
        let disk = rustix::fs::statvfs(&self.dir)?;
        Ok(disk.f_bavail * disk.f_frsize)
    }

    /// Takes room until so many bytes are free; with 0, to the last byte.
    ///
    /// # Errors
    /// The file that takes the room cannot be written.
    pub fn fill(&self, leave: u64) -> Result<()> {
        const PIECE: usize = 64 * 1024;
        let mut filler = File::options()
            .create(true)
            .append(true)
            .open(self.dir.join(FILLER))?;
        loop {
            let take = usize::try_from(self.free()?.saturating_sub(leave))?.min(PIECE);
            if take == 0 {
                return Ok(());
            }
            match filler.write(&[0; PIECE][..take]) {
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Gives the room back.
    ///
    /// # Errors
    /// Nothing was taken.
    pub fn clear(&self) -> Result<()> {
        Ok(fs::remove_file(self.dir.join(FILLER))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_disk_is_full_to_the_last_byte_and_empty_again() -> Result<()> {
        const TEST: &str = "small_disk::tests::a_small_disk_is_full_to_the_last_byte_and_empty_again";
        with_own_mounts(TEST, async || {
            let dir = tempfile::tempdir()?;
            let disk = SmallDisk::mount(dir.path(), 2)?;
            disk.fill(1 << 20)?;
            assert_eq!(disk.free()?, 1 << 20);
            disk.fill(0)?;
            let write = || fs::write(disk.dir().join("more"), [0; 8192]);
            assert_eq!(write().unwrap_err().kind(), std::io::ErrorKind::StorageFull);
            disk.clear()?;
            Ok(write()?)
        })
    }

    #[test]
    fn a_test_that_is_not_there_does_not_pass() {
        let error = with_own_mounts("no_such_test", async || Ok(())).unwrap_err();
        assert!(
            error.to_string().contains("there is no test no_such_test"),
            "{error}"
        );
    }
}
