//! `test`: native tests, then the real binary with real readers and a real browser.

use std::ffi::OsString;

use anyhow::{Result, bail};

use crate::{
    bundles, chromium,
    debian::Program,
    gateway::{self, Profile},
    node::Node,
    page::Page,
    process, python, setup,
    step::Step,
    workspace::Workspace,
};

/// What the end-to-end tests start besides what is built here.
const PROGRAMS: [Program; 2] = [
    Program {
        name: "nginx",
        path: "/usr/sbin/nginx",
        packages: &["nginx"],
    },
    // Comes with Prometheus itself.
    Program {
        name: "promtool",
        path: "/usr/bin/promtool",
        packages: &["prometheus"],
    },
];
/// What publishes from Python.
const PYTHON: &str = "e2e/python/requirements.txt";

/// Runs every test of the workspace. `args` go to each `cargo test`.
pub(crate) fn run(workspace: &Workspace, args: &[OsString]) -> Result<()> {
    setup::run(workspace)?;
    chromium::ensure(workspace)?;
    for program in PROGRAMS {
        program.ensure(workspace)?;
    }
    let python = python::venv(workspace, "python-tests", PYTHON)?;
    let node = Node::ensure(workspace)?;
    let page = Page::build(workspace)?;
    let binary = gateway::build(workspace, Profile::Release, &page)?;

    let step = Step::start("Native tests");
    let native = ["--workspace", "--exclude", "xtask", "--exclude", "logs-e2e"];
    process::run(workspace.cargo().arg("test").args(native).args(args))?;
    // Optimised, because that is how it is compiled already.
    let tools = ["--release", "--package", "xtask"];
    process::run(workspace.cargo().arg("test").args(tools).args(args))?;
    step.done();

    javascript(workspace, &node)?;
    let web = bundles::build(workspace, &node)?;

    // Last, so that the run's last words are about tests that ran: doc tests of a crate may be none.
    let step = Step::start("End-to-end tests");
    process::run(
        workspace
            .cargo()
            .args(["test", "--package", "logs-e2e"])
            .args(args)
            .env("LOGS_GATEWAY_BIN", binary)
            .env("LOGS_WEB_DIR", web)
            .env("LOGS_PYTHON", python.join("bin/python")),
    )?;
    step.done();
    Ok(())
}

/// The tests of the modules that every page shares.
fn javascript(workspace: &Workspace, node: &Node<'_>) -> Result<()> {
    /// Where they are.
    const TESTS: &str = "client/js/test";
    let step = Step::start("JavaScript tests");
    // Node.js would find none, and call that a success.
    if !workspace.source(TESTS).is_dir() {
        bail!("there are no JavaScript tests in {TESTS}");
    }
    process::run(node.node().args(["--test", &format!("{TESTS}/")]))?;
    step.done();
    Ok(())
}
