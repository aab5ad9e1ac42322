//! `dist`: what is handed out.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::{
    gateway::{self, Profile},
    node::Node,
    npm_package,
    page::{Page, Tools},
    setup,
    step::Step,
    workspace::Workspace,
};

/// Builds the smallest page and the fastest gateway, and puts what is handed out into `dist/`.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    setup::run(workspace)?;
    let node = Node::find(workspace)?;
    let binary = binary(workspace, node.as_ref())?;

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

    let step = Step::start("Packing the npm packages");
    match &node {
        Some(node) => {
            let client = npm_package::write(workspace, node, &dir.join("npm"))?;
            let publisher = npm_package::write_publisher(workspace, &dir.join("npm"))?;
            let client = npm_package::pack(node, &client, &dir)?;
            let publisher = npm_package::pack(node, &publisher, &dir)?;
            step.done_with(format!("{} and {}", client.display(), publisher.display()));
        }
        None => step.done_with("Node.js with npm is not installed, so there are none"),
    }
    Ok(())
}

/// Builds the gateway that is handed out, and gives its path.
pub(crate) fn binary(workspace: &Workspace, node: Option<&Node<'_>>) -> Result<PathBuf> {
    let page = Page::build_smallest(workspace, tools(node)?)?;
    gateway::build(workspace, Profile::Dist, &page)
}

/// What makes the page small. Without Node.js there is none of it, and the page is larger.
fn tools(node: Option<&Node<'_>>) -> Result<Option<Tools>> {
    let Some(node) = node else {
        let step = Step::start("Looking for what makes the page small");
        step.done_with("Node.js with npm is not installed, so the page stays larger than it could be");
        return Ok(None);
    };
    Ok(Some(Tools {
        wasm_opt: node.wasm_opt()?,
        esbuild: node.esbuild()?,
    }))
}

/// Builds the page as it is handed out, for its sizes.
///
/// # Errors
/// Also where it is larger than was promised, or where there is nothing to make it small with.
pub(crate) fn size(workspace: &Workspace) -> Result<()> {
    setup::run(workspace)?;
    let node = Node::ensure(workspace)?;
    Page::build_smallest(workspace, tools(Some(&node))?)?;
    Ok(())
}
