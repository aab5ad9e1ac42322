//! `setup`: what the build needs besides Rust itself.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::{process, step::Step, workspace::Workspace};

/// What the page is compiled for.
pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Adds the page's target where the toolchain has none, and says what it found.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let step = Step::start("Checking the toolchain");
    if !has_wasm_target(workspace)? {
        add_wasm_target(workspace)?;
    }
    let rustc = process::output(workspace.program("rustc").arg("--version"))?;
    step.done_with(format_args!("{} with {WASM_TARGET}", rustc.trim_end()));
    Ok(())
}

/// Asks the compiler, not rustup: a target that a distribution installed counts too.
fn has_wasm_target(workspace: &Workspace) -> Result<bool> {
    let mut rustc = workspace.program("rustc");
    let libraries = process::output(rustc.args(["--print", "target-libdir", "--target", WASM_TARGET]))?;
    Ok(Path::new(libraries.trim_end()).is_dir())
}

fn add_wasm_target(workspace: &Workspace) -> Result<()> {
    let missing = format!("the Rust target {WASM_TARGET}, which the page is compiled for, is missing");
    if process::version(workspace.program("rustup").arg("--version"))?.is_none() {
        bail!("{missing}, and rustup, which could add it, is not installed: https://rustup.rs");
    }
    process::run(workspace.program("rustup").args(["target", "add", WASM_TARGET]))
        .context(missing.clone())?;
    if !has_wasm_target(workspace)? {
        bail!("{missing}, although `rustup target add {WASM_TARGET}` succeeded");
    }
    Ok(())
}
