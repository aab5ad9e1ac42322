//! [`Workspace`]: where things are.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

/// The folders of this workspace. Every command is run in its root, wherever `cargo xtask` was typed.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Finds the root from where xtask's source is, and the target folder from where cargo put xtask
    /// itself: so `CARGO_TARGET_DIR` and cargo's configuration hold without being read again.
    pub(crate) fn locate() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask's folder has no parent")?;
        let itself = env::current_exe().context("cannot tell where xtask itself is")?;
        let target = itself
            .ancestors()
            .nth(2)
            .context("xtask is not inside a target folder; start it as `cargo xtask`")?;
        Ok(Self {
            root: root.to_owned(),
            target: target.to_owned(),
        })
    }

    /// A file or folder of the source tree.
    pub(crate) fn source(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path)
    }

    /// A file or folder of the target folder.
    pub(crate) fn target(&self, path: impl AsRef<Path>) -> PathBuf {
        self.target.join(path)
    }

    /// The cargo that started xtask, so that one toolchain builds everything.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = self.program(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.env("CARGO_TARGET_DIR", &self.target);
        cargo
    }

    /// Any other program, started in the workspace's root.
    pub(crate) fn program(&self, name: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut program = Command::new(name);
        program.current_dir(&self.root);
        program
    }
}
