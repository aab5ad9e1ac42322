//! The examples of the publisher in Rust, which its pages show.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

/// Where they are, below the root of the source tree.
const FOLDER: &str = "publishers/rust/examples";
const PACKAGE: &str = "logs-publisher";

/// An error where the example is not what a page shows, to the letter.
pub(crate) fn is_shown(root: &Path, name: &str, text: &str) -> Result<()> {
    let path = Path::new(FOLDER).join(name).with_extension("rs");
    let source =
        fs::read_to_string(root.join(&path)).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(source == text, "{} is another text:\n{source}", path.display());
    Ok(())
}

/// Compiles an example. Not in a network of one's own: cargo may have something to fetch.
pub(crate) fn compile(root: &Path, name: &str) -> Result<()> {
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root)
        .args(["build", "--quiet", "--package", PACKAGE, "--example", name])
        .env("CARGO_TARGET_DIR", target()?)
        .status()?;
    ensure!(
        status.success(),
        "the example {name} of {PACKAGE} does not compile: {status}"
    );
    Ok(())
}

/// The compiled example.
pub(crate) fn program(name: &str) -> Result<PathBuf> {
    Ok(target()?.join("debug/examples").join(name))
}

/// The target folder: this test is in `debug/deps` below it.
fn target() -> Result<PathBuf> {
    let itself = env::current_exe()?;
    Ok(itself
        .ancestors()
        .nth(3)
        .context("this test is not in a target folder")?
        .to_owned())
}
