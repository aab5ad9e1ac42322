//! What the host pages of the end-to-end tests load.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{node::Node, npm_package, process, step::Step, workspace::Workspace};

/// The micro frontend in React.
const REACT_APP: &str = "e2e/web/react-app.jsx";
/// Where the page's packages are, in the folder that has them installed.
const OURS: &str = "node_modules/@datashop";

/// Bundles the host pages' scripts, with the npm package as it would be published, and gives the folder they are in.
pub(crate) fn build(workspace: &Workspace, node: &Node<'_>) -> Result<PathBuf> {
    let modules = node.modules()?;
    let step = Step::start("Bundling the host pages of the end-to-end tests");
    npm_package::write(workspace, &modules.join(OURS))?;
    let dir = modules.join("dist");
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    bundle(workspace, node, &modules, &dir)?;
    let axe = modules.join("node_modules/axe-core/axe.min.js");
    fs::copy(&axe, dir.join("axe.js")).with_context(|| format!("cannot copy {}", axe.display()))?;
    step.done_with(dir.display());
    Ok(dir)
}

/// As an application's build does it: everything the page needs in one file.
fn bundle(workspace: &Workspace, node: &Node<'_>, modules: &Path, dir: &Path) -> Result<()> {
    // Beside the packages, where a bundler looks for what it imports.
    let source = modules.join("react-app.jsx");
    fs::copy(workspace.source(REACT_APP), &source).with_context(|| format!("cannot copy {REACT_APP}"))?;
    let mut outfile = std::ffi::OsString::from("--outfile=");
    outfile.push(dir.join("react-app.js"));
    process::run(
        workspace
            .program(node.esbuild()?)
            .arg(&source)
            .args([
                "--bundle",
                "--format=esm",
                "--jsx=automatic",
                "--log-level=warning",
            ])
            .arg("--define:process.env.NODE_ENV=\"production\"")
            .arg(outfile),
    )
}
