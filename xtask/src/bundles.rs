//! What the host pages of the end-to-end tests load.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{
    node::Node, npm_package, page::bindgen, process, setup::WASM_TARGET, step::Step, workspace::Workspace,
};

/// The micro frontend in React.
const REACT_APP: &str = "e2e/web/react-app.jsx";
/// The page shell that holds micro frontends.
const SHELL: [&str; 2] = ["e2e/web/shell.html", "e2e/web/shell.js"];
/// The example of a proxy in Express, as it is, beside the packages it needs.
const EXPRESS: &str = "examples/express/server.js";
/// The micro frontend in Leptos.
const LEPTOS_APP: &str = "micro_frontend";
/// Where the page's packages are, in the folder that has them installed.
const OURS: &str = "node_modules/@datashop";

/// Bundles the host pages' scripts, with the npm packages as they would be published, puts the Express example beside them, and
/// gives the folder they are in.
pub(crate) fn build(workspace: &Workspace, node: &Node<'_>) -> Result<PathBuf> {
    let modules = node.modules()?;
    let step = Step::start("Bundling the host pages of the end-to-end tests");
    npm_package::write(workspace, node, &modules.join(OURS))?;
    npm_package::write_publisher(workspace, &modules.join(OURS))?;
    let dir = modules.join("dist");
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    bundle(workspace, node, &modules, &dir)?;
    for file in SHELL {
        let source = workspace.source(file);
        let name = source.file_name().context("a page has a name")?;
        fs::copy(&source, dir.join(name)).with_context(|| format!("cannot copy {file}"))?;
    }
    let express = dir.join("express");
    fs::create_dir_all(&express).with_context(|| format!("cannot make {}", express.display()))?;
    fs::copy(workspace.source(EXPRESS), express.join("server.js"))
        .with_context(|| format!("cannot copy {EXPRESS}"))?;
    let axe = modules.join("node_modules/axe-core/axe.min.js");
    fs::copy(&axe, dir.join("axe.js")).with_context(|| format!("cannot copy {}", axe.display()))?;
    step.done_with(dir.display());
    leptos_app(workspace, &dir)?;
    Ok(dir)
}

/// The micro frontend in Leptos, compiled apart from the gateway's own page, as a team of its own would.
fn leptos_app(workspace: &Workspace, dir: &Path) -> Result<()> {
    let step = Step::start("Compiling the micro frontend in Leptos");
    process::run(
        workspace
            .cargo()
            .args(["build", "--package", "leptos-micro-frontend", "--bin", LEPTOS_APP])
            .args(["--target", WASM_TARGET, "--profile", "page"]),
    )?;
    step.done();
    let built = workspace.target(WASM_TARGET).join("page");
    let compiled = built.join(LEPTOS_APP).with_extension("wasm");
    let module = bindgen::bind(workspace, &compiled, LEPTOS_APP, None)?;
    let files = [
        (dir.join(LEPTOS_APP).with_extension("js"), module.js.into_bytes()),
        (dir.join(LEPTOS_APP).with_extension("wasm"), module.wasm),
    ];
    let snippets = module.snippets.into_iter();
    let snippets = snippets.map(|(path, bytes)| (dir.join("snippets").join(path), bytes));
    for (path, bytes) in files.into_iter().chain(snippets) {
        let failed = || format!("cannot write {}", path.display());
        fs::create_dir_all(path.parent().with_context(failed)?).with_context(failed)?;
        fs::write(&path, bytes).with_context(failed)?;
    }
    Ok(())
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
