//! `bench micro`: what single steps of a record's way take.

use std::{ffi::OsString, process::Command};

use anyhow::Result;

use crate::{counts, process, workspace::Workspace};

/// Runs the micro-benchmarks, and becomes them. `args` are theirs: a part of their names, or what `-- --help` lists.
pub(crate) fn run(workspace: &Workspace, args: &[OsString]) -> Result<()> {
    let binary = counts::build(workspace, "micro")?;
    // Without this word each is only tried once.
    process::replace(Command::new(binary).arg("--bench").args(args))
}
