//! `lint`: formatting and clippy, each warning an error, and the audit of the dependencies.

use anyhow::Result;

use crate::{
    audit, process,
    setup::{self, WASM_TARGET},
    step::Step,
    workspace::Workspace,
};

/// Checks everything on the host, and the client also as the browser gets it.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    setup::run(workspace)?;

    let step = Step::start("Formatting");
    process::run(workspace.cargo().args(["fmt", "--all", "--check"]))?;
    step.done();

    let step = Step::start("Clippy for the host");
    // With the feature that only benchmarks have, so that they are looked at too.
    clippy(
        workspace,
        &[
            "--workspace",
            "--all-targets",
            "--features",
            "logs-gateway/measured",
        ],
    )?;
    step.done();

    let step = Step::start("Clippy for the browser");
    clippy(workspace, &["--package", "logs-client", "--target", WASM_TARGET])?;
    step.done();

    audit::run(workspace)
}

fn clippy(workspace: &Workspace, selection: &[&str]) -> Result<()> {
    process::run(
        workspace
            .cargo()
            .arg("clippy")
            .args(selection)
            .args(["--", "--deny", "warnings"]),
    )
}
