//! `dist`: what is handed out.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::{
    gateway::{self, Profile},
    page::Page,
    process, setup,
    step::Step,
    workspace::Workspace,
};

/// The npm package that holds `wasm-opt`, to the digit: the page's size is compared between builds.
const BINARYEN: &str = "binaryen@132.0.0";

/// Builds the smallest page and the fastest gateway, and puts what is handed out into `dist/`.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    setup::run(workspace)?;
    let wasm_opt = wasm_opt(workspace)?;
    let page = Page::build_smallest(workspace, wasm_opt)?;
    let binary = gateway::build(workspace, Profile::Dist, &page)?;

    let step = Step::start("Collecting dist/");
    let dir = workspace.source("dist");
    fs::create_dir_all(&dir).context("cannot make dist/")?;
    let name = binary.file_name().context("the binary has no name")?;
    let files = [
        (binary.clone(), dir.join(name)),
        (workspace.source("LICENSE"), dir.join("LICENSE")),
        (workspace.source("README.md"), dir.join("README.md")),
    ];
    for (from, to) in files {
        // The old one is taken away first: a program that is running cannot be written to.
        if to.exists() {
            fs::remove_file(&to).with_context(|| format!("cannot replace {}", to.display()))?;
        }
        fs::copy(&from, &to)
            .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    }
    step.done_with(dir.display());
    Ok(())
}

/// Installs `wasm-opt` below the target folder. Without Node.js there is none, and the page is larger.
fn wasm_opt(workspace: &Workspace) -> Result<Option<PathBuf>> {
    let step = Step::start("Installing wasm-opt");
    let node = process::version(workspace.program("node").arg("--version"))?;
    let npm = process::version(workspace.program("npm").arg("--version"))?;
    if node.is_none() || npm.is_none() {
        step.done_with("Node.js with npm is not installed, so the page stays about twice as large");
        return Ok(None);
    }
    let dir = workspace.target("binaryen");
    process::run(
        workspace
            .program("npm")
            .args([
                "install",
                "--no-audit",
                "--no-fund",
                "--no-save",
                "--loglevel=error",
                "--prefix",
            ])
            .arg(&dir)
            .arg(BINARYEN),
    )?;
    let wasm_opt = dir.join("node_modules/.bin/wasm-opt");
    step.done_with(process::output(workspace.program(&wasm_opt).arg("--version"))?.trim_end());
    Ok(Some(wasm_opt))
}
