//! What the project is made of: licences, sources and versions of its dependencies, and what is known to be wrong with
//! them.

use std::{path::PathBuf, process::Command};

use anyhow::Result;

use crate::{process, step::Step, workspace::Workspace};

const VERSION: &str = "0.20.2";

/// Checks the dependencies by what `deny.toml` allows.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let deny = ensure(workspace)?;
    let deny = || deny_in(workspace, &deny);

    let step = Step::start("Licences, sources and versions of dependencies");
    process::run(deny().args(["check", "--hide-inclusion-graph", "licenses", "bans", "sources"]))?;
    // A workspace of its own, which nothing else here would notice to be out of step.
    let fuzz = [
        "metadata",
        "--locked",
        "--format-version",
        "1",
        "--manifest-path",
        "fuzz/Cargo.toml",
    ];
    process::output(workspace.cargo().args(fuzz))?;
    step.done();

    let step = Step::start("Advisories on dependencies");
    match process::output(deny().args(["fetch", "db"])) {
        Ok(_) => {
            process::run(deny().args(["check", "--hide-inclusion-graph", "advisories"]))?;
            step.done();
        }
        // No reason to stop: whoever is without a network works on. But it is not what passing looks like.
        Err(error) => {
            let reason = error.to_string();
            let reason = reason
                .lines()
                .rfind(|line| !line.trim().is_empty())
                .unwrap_or_default();
            eprintln!("    NOT CHECKED: the RustSec database cannot be had ({reason})");
            step.done_with("whether an advisory is about a dependency is not known");
        }
    }
    Ok(())
}

fn deny_in(workspace: &Workspace, program: &PathBuf) -> Command {
    let mut deny = workspace.program(program);
    deny.args(["--log-level", "error"]);
    deny
}

/// Makes sure that cargo-deny is there, in this version, below `target`.
fn ensure(workspace: &Workspace) -> Result<PathBuf> {
    let root = workspace.target("tools");
    let program = root.join("bin/cargo-deny");
    let installed = process::version(workspace.program(&program).arg("--version"))?;
    if installed.is_none_or(|version| version != format!("cargo-deny {VERSION}")) {
        let step = Step::start("Installing cargo-deny, once: some minutes");
        let wanted = format!("cargo-deny@{VERSION}");
        let mut install = workspace.cargo();
        install
            .args(["install", "--locked", "--quiet", &wanted, "--root"])
            .arg(&root);
        process::run(&mut install)?;
        step.done();
    }
    Ok(program)
}
