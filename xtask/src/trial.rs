//! `crash`, `measure` and `bench`: what takes longer than a test may, tried with the real binary.

use std::ffi::OsString;

use anyhow::Result;

use crate::{
    gateway::{self, Profile},
    page::Page,
    process, setup,
    workspace::Workspace,
};

/// Runs a program of `e2e` with a gateway as it is handed to a developer. `args` are the program's.
pub(crate) fn run(workspace: &Workspace, program: &str, args: &[OsString]) -> Result<()> {
    setup::run(workspace)?;
    let page = Page::build(workspace)?;
    let binary = gateway::build(workspace, Profile::Release, &page)?;
    process::run(
        workspace
            .cargo()
            // Optimised too: it must keep up with the gateway.
            .args([
                "run",
                "--release",
                "--package",
                "logs-e2e",
                "--bin",
                program,
                "--",
            ])
            .args(args)
            .env("LOGS_GATEWAY_BIN", binary),
    )
}
