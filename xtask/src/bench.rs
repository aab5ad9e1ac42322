//! `bench`: the gateway beside what people would use instead, under the same load.

use std::{ffi::OsString, fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::{
    debian::Program,
    dist,
    node::{Node, Packages},
    process, setup,
    step::Step,
    workspace::Workspace,
};

/// nginx's module that pushes; it brings nginx along.
const NCHAN: Program = Program {
    name: "nchan",
    path: "/usr/lib/nginx/modules/ngx_nchan_module.so",
    packages: &["nginx", "libnginx-mod-nchan"],
};
/// What the server in Express is made with.
const EXPRESS: Packages = Packages {
    manifests: "bench/peers/express",
    installed: "bench/express",
    what: "Express",
};
/// What it is.
const SERVER: &str = "server.js";

/// Builds the gateway as it is handed out, installs what it is compared with, measures all of them, and writes down what came out:
/// in the document where everything was measured, otherwise only on the terminal. `args` are the load generator's.
pub(crate) fn run(workspace: &Workspace, args: &[OsString]) -> Result<()> {
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        return process::run(workspace.program(build(workspace)?).arg("run").args(args));
    }
    setup::run(workspace)?;
    let bench = build(workspace)?;
    NCHAN.ensure(workspace)?;
    let node = Node::ensure(workspace)?;
    let express = express(workspace, &node)?;
    let gateway = dist::binary(workspace, Some(&node))?;

    let is_quick = args.iter().any(|arg| arg == "--quick");
    // What is quickly measured is not to be taken for figures.
    let results = workspace.target(if is_quick {
        "bench/quick.json"
    } else {
        "bench/results.json"
    });
    if args.is_empty() && results.exists() {
        fs::remove_file(&results).with_context(|| format!("cannot remove {}", results.display()))?;
    }
    let step = Step::start("Measuring");
    let measured = process::run(
        workspace
            .program(&bench)
            .arg("run")
            .args(args)
            .arg("--out")
            .arg(&results)
            .env("LOGS_GATEWAY_BIN", &gateway)
            .env("LOGS_BENCH_EXPRESS", &express),
    );
    step.done();

    let mut report = workspace.program(&bench);
    report.arg("report").arg("--results").arg(&results);
    if args.is_empty() {
        report.arg("--into").arg(workspace.source("docs"));
    }
    process::run(
        report
            .env("LOGS_GATEWAY_BIN", gateway)
            .env("LOGS_BENCH_EXPRESS", express),
    )?;
    // What was measured is told also where something else could not be.
    measured
}

/// Builds what makes the load and the report, and gives its path.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    let step = Step::start("Building the load generator");
    process::run(
        workspace
            .cargo()
            .args(["build", "--release", "--package", "logs-bench"]),
    )?;
    step.done();
    Ok(workspace.target("release/logs-bench"))
}

/// Installs the server in Express, and gives its folder.
fn express(workspace: &Workspace, node: &Node<'_>) -> Result<PathBuf> {
    let folder = node.install(EXPRESS)?;
    let source = workspace.source(EXPRESS.manifests).join(SERVER);
    fs::copy(&source, folder.join(SERVER)).with_context(|| format!("cannot copy {}", source.display()))?;
    Ok(folder)
}
