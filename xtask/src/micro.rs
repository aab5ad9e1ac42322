//! `bench micro`: what single steps of a record's way take.

use std::ffi::OsString;

use anyhow::Result;

use crate::{process, workspace::Workspace};

/// Runs the micro-benchmarks. `args` are theirs: a part of their names, or what `-- --help` lists.
pub(crate) fn run(workspace: &Workspace, args: &[OsString]) -> Result<()> {
    process::run(
        workspace
            .cargo()
            .args(["bench", "--package", "logs-shared", "--package", "logs-gateway"])
            .args(["--features", "logs-gateway/measured"])
            .args(["--bench", "records", "--bench", "engine", "--"])
            .args(args),
    )
}
