//! [`Beside`]: a program that is there as long as it is needed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};

/// A program that is there until this value is gone.
pub(super) struct Beside {
    process: Child,
    said: PathBuf,
}

impl Beside {
    /// Starts it; all that it says is written to `said`.
    pub(super) fn start(command: &mut Command, said: &Path) -> Result<Self> {
        let output = fs::File::create(said).with_context(|| format!("cannot make {}", said.display()))?;
        command
            .stdin(Stdio::null())
            .stderr(output.try_clone()?)
            .stdout(output);
        let name = command.get_program().to_string_lossy().into_owned();
        let process = command.spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Self {
            process,
            said: said.to_owned(),
        })
    }

    /// An error with its words where it has ended.
    pub(super) fn ensure_running(&mut self) -> Result<()> {
        match self.process.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("it ended: {status}\n{}", self.said()),
        }
    }

    /// All that it has said.
    pub(super) fn said(&self) -> String {
        fs::read_to_string(&self.said).unwrap_or_else(|error| error.to_string())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // It is gone either way.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
