//! Programs and libraries in Python, each set of them in a folder of its own below `target`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{debian, process, step::Step, workspace::Workspace};

/// Debian's package with Python and `venv`.
const PACKAGES: [&str; 1] = ["python3-venv"];

/// Makes sure that what `requirements` (a file of the source tree, each package in one version) names is installed in a virtual
/// environment named `name`, and gives its folder.
pub(crate) fn venv(workspace: &Workspace, name: &str, requirements: &str) -> Result<PathBuf> {
    let step = Step::start(format!("Checking {name}"));
    let source = workspace.source(requirements);
    let wanted = fs::read_to_string(&source).with_context(|| format!("cannot read {}", source.display()))?;
    let dir = workspace.target("tools").join(name);
    let installed = dir.join("requirements.txt");
    if fs::read_to_string(&installed).is_ok_and(|known| known == wanted) {
        step.done();
        return Ok(dir);
    }
    // What is left of an older one, or of one that was interrupted.
    if dir.exists() {
        fs::remove_dir_all(&dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    }
    let venv = |dir: &Path| process::output(workspace.program("python3").args(["-m", "venv"]).arg(dir));
    if venv(&dir).is_err() {
        let by_hand = format!(
            "{name} needs Python with venv. On Debian:\n\n  sudo apt-get update && sudo apt-get install {}",
            PACKAGES.join(" ")
        );
        debian::install(workspace, &PACKAGES, &by_hand)?;
        venv(&dir)?;
    }
    process::run(
        workspace
            .program(dir.join("bin/pip"))
            .args([
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--requirement",
            ])
            .arg(source),
    )?;
    fs::write(&installed, wanted).with_context(|| format!("cannot write {}", installed.display()))?;
    step.done();
    Ok(dir)
}
