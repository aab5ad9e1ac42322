//! `test`: native tests, then the real binary with real readers and a real browser.

use std::{ffi::OsString, fs, path::Path};

use anyhow::{Context, Result, bail};

use crate::{
    bundles, chromium,
    debian::Program,
    gateway::{self, Profile},
    node::Node,
    npm_package,
    page::Page,
    process, python, setup,
    step::Step,
    workspace::Workspace,
};

/// What several gateways share. Sentinels are this program too, and redis-cli comes along.
pub(crate) const REDIS: Program = Program {
    name: "redis-server",
    path: "/usr/bin/redis-server",
    packages: &["redis-server"],
};
/// What is in front of several gateways.
pub(crate) const HAPROXY: Program = Program {
    name: "haproxy",
    path: "/usr/sbin/haproxy",
    packages: &["haproxy"],
};
/// What the end-to-end tests start besides what is built here.
const PROGRAMS: &[Program] = &[
    Program {
        name: "nginx",
        path: "/usr/sbin/nginx",
        packages: &["nginx"],
    },
    REDIS,
    HAPROXY,
    Program {
        name: "syslog-ng",
        path: "/usr/sbin/syslog-ng",
        packages: &["syslog-ng-core", "syslog-ng-mod-http"],
    },
    // What the documents' snippets have: a network of their own, and what they type.
    Program {
        name: "ip",
        path: "/usr/sbin/ip",
        packages: &["iproute2"],
    },
    Program {
        name: "curl",
        path: "/usr/bin/curl",
        packages: &["curl"],
    },
    Program {
        name: "openssl",
        path: "/usr/bin/openssl",
        packages: &["openssl"],
    },
    // Comes with Prometheus itself.
    Program {
        name: "promtool",
        path: "/usr/bin/promtool",
        packages: &["prometheus"],
    },
];
/// What publishes from Python.
pub(crate) const PYTHON: &str = "e2e/python/requirements.txt";

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
    python_publisher(workspace, &python, &binary)?;
    let web = bundles::build(workspace, &node)?;
    node_publisher(workspace, &node, &binary, &web)?;

    // Last, so that the run's last words are about tests that ran: doc tests of a crate may be none.
    let step = Step::start("End-to-end tests");
    process::run(
        workspace
            .cargo()
            .args(["test", "--package", "logs-e2e"])
            .args(args)
            .env("LOGS_GATEWAY_BIN", &binary)
            .env("LOGS_WEB_DIR", &web)
            .env("LOGS_PYTHON", python.join("bin/python")),
    )?;
    step.done();
    Ok(())
}

/// The tests of the publisher for Python, which is installed where the other tests use it.
fn python_publisher(workspace: &Workspace, python: &Path, gateway: &Path) -> Result<()> {
    /// Where it is.
    const PUBLISHER: &str = "publishers/python";
    let step = Step::start("Python tests");
    // The same version may hold another source by now. What it is built with is among the requirements.
    let anew = [
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--no-build-isolation",
        "--force-reinstall",
    ];
    let installed = workspace.source(PUBLISHER);
    process::run(
        workspace
            .program(python.join("bin/pip"))
            .args(anew)
            .arg(&installed),
    )?;
    process::run(
        workspace
            .program(python.join("bin/python"))
            .args(["-B", "-m", "unittest", "discover", "-s"])
            .arg(installed.join("tests"))
            .env("LOGS_GATEWAY_BIN", gateway),
    )?;
    step.done();
    Ok(())
}

/// The tests of the publisher for Node.js, against the gateway and with the packages that it serves.
fn node_publisher(workspace: &Workspace, node: &Node<'_>, binary: &Path, web: &Path) -> Result<()> {
    let step = Step::start("Tests of the publisher for Node.js");
    let tests = format!("{}/test", npm_package::PUBLISHER);
    let mut files = Vec::new();
    for entry in fs::read_dir(workspace.source(&tests)).with_context(|| format!("cannot list {tests}"))? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(".test.js") {
            files.push(path);
        }
    }
    // Node.js would find none, and call that a success.
    if files.is_empty() {
        bail!("there are no tests in {tests}");
    }
    process::run(
        node.node()
            .arg("--test")
            .args(files)
            .env("LOGS_GATEWAY_BIN", binary)
            .env("LOGS_WEB_DIR", web),
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
