//! `test`: native tests, then the real binary with real readers and a real browser.

use std::ffi::OsString;

use anyhow::Result;

use crate::{
    chromium,
    gateway::{self, Profile},
    page::Page,
    process, setup,
    step::Step,
    workspace::Workspace,
};

/// Runs every test of the workspace. `args` go to each `cargo test`.
pub(crate) fn run(workspace: &Workspace, args: &[OsString]) -> Result<()> {
    setup::run(workspace)?;
    chromium::ensure(workspace)?;
    let page = Page::build(workspace)?;
    let binary = gateway::build(workspace, Profile::Release, &page)?;

    let step = Step::start("Native tests");
    let native = ["--workspace", "--exclude", "xtask", "--exclude", "logs-e2e"];
    process::run(workspace.cargo().arg("test").args(native).args(args))?;
    // Optimised, because that is how it is compiled already.
    let tools = ["--release", "--package", "xtask"];
    process::run(workspace.cargo().arg("test").args(tools).args(args))?;
    step.done();

    // Last, so that the run's last words are about tests that ran: doc tests of a crate may be none.
    let step = Step::start("End-to-end tests");
    process::run(
        workspace
            .cargo()
            .args(["test", "--package", "logs-e2e"])
            .args(args)
            .env("LOGS_GATEWAY_BIN", binary),
    )?;
    step.done();
    Ok(())
}
