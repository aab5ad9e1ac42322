//! `fuzz`: what is read from the wire, under input that nobody would write.

use std::{ffi::OsString, fs, path::PathBuf};

use anyhow::{Context, Result, bail};

use crate::{process, step::Step, workspace::Workspace};

const SECONDS: &str = "60";

/// Runs every target, or the one that `args` name, for so many seconds each.
pub(crate) fn run(workspace: &Workspace, args: &[OsString]) -> Result<()> {
    let all = targets(workspace)?;
    let (targets, seconds) = match args {
        [] => (all.as_slice(), SECONDS.into()),
        [target, rest @ ..] if rest.len() < 2 => {
            let Some(known) = all.iter().find(|known| target == known.as_str()) else {
                bail!("there is no target {target:?}; there are {}", all.join(", "));
            };
            let seconds = rest.first().cloned().unwrap_or_else(|| SECONDS.into());
            (std::slice::from_ref(known), seconds)
        }
        _ => bail!("name one target, and how many seconds it is to run"),
    };
    if process::version(workspace.program("cargo-fuzz").arg("--version"))?.is_none() {
        bail!("cargo-fuzz is not installed: `cargo install cargo-fuzz`, and `rustup toolchain add nightly`");
    }
    let mut limit = OsString::from("-max_total_time=");
    limit.push(&seconds);
    for target in targets {
        let step = Step::start("Fuzzing");
        let folder = |name: &str| workspace.source("fuzz").join(name).join(target);
        let (corpus, seeds): (PathBuf, PathBuf) = (folder("corpus"), folder("seeds"));
        fs::create_dir_all(&corpus).with_context(|| format!("cannot make {}", corpus.display()))?;
        // By way of rustup, because only a nightly compiler can count what a run has reached.
        let mut rustup = workspace.program("rustup");
        process::run(
            rustup
                .args(["run", "nightly", "cargo", "fuzz", "run", target])
                .args([corpus, seeds])
                .arg("--")
                .arg(&limit)
                .args(["-max_len=4096", "-dict=fuzz/words.dict"]),
        )?;
        step.done_with(target);
    }
    Ok(())
}

/// A target is a file of its own.
fn targets(workspace: &Workspace) -> Result<Vec<String>> {
    let dir = workspace.source("fuzz/fuzz_targets");
    let entries = fs::read_dir(&dir).with_context(|| format!("cannot read {}", dir.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}
