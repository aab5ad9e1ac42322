//! `crash`, `measure` and `bench ui`: what takes longer than a test may, tried with the real binary.

use std::ffi::OsString;

use anyhow::Result;

use crate::{
    bundles,
    gateway::{self, Profile},
    node::Node,
    page::Page,
    process, python, setup, test,
    workspace::Workspace,
};

/// Runs a program of `e2e` with a gateway as it is handed to a developer. `args` are the program's.
pub(crate) fn run(workspace: &Workspace, program: &str, args: &[OsString]) -> Result<()> {
    setup::run(workspace)?;
    let page = Page::build(workspace)?;
    let binary = gateway::build(workspace, Profile::Release, &page)?;
    let mut cargo = workspace.cargo();
    if program == "measure" {
        for program in [test::REDIS, test::HAPROXY] {
            program.ensure(workspace)?;
        }
        // What the publishers' drivers are run with.
        let python = python::venv(workspace, "python-tests", test::PYTHON)?;
        let web = bundles::build(workspace, &Node::ensure(workspace)?)?;
        cargo
            .env("LOGS_WEB_DIR", web)
            .env("LOGS_PYTHON", python.join("bin/python"));
    }
    process::run(
        cargo
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
