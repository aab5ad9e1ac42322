//! The npm packages: the JavaScript modules of the client and of the publisher as they are, for pages and programs that are not
//! built by this workspace.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::{node::Node, process, workspace::Workspace};

/// Where its sources are, its `package.json` among them.
const SOURCES: &str = "client/js";
/// What is there and is no part of it: the tests, and the class of the element, which the gateway serves.
const LEFT_OUT: [&str; 2] = ["test", "element.js"];
/// What is checked and described along with it, and then is no part of it either.
const ONLY_CHECKED: [&str; 7] = [
    "tsconfig.json",
    "wasm.js",
    "wasm.d.ts",
    "browser.js",
    "browser.d.ts",
    "tag_types.tsx",
    "tag_types.d.ts",
];
/// The package's folder.
const FOLDER: &str = "logs-sse-client";
/// Where the sources of the publisher's package are.
pub(crate) const PUBLISHER: &str = "publishers/node";
/// What is there and is no part of it.
const PUBLISHER_LEFT_OUT: [&str; 2] = ["test", "driver.js"];
/// Its folder.
const PUBLISHER_FOLDER: &str = "logs-sse-publisher";
/// What stands for the version in the sources' `package.json`.
const NO_VERSION: &str = "\"version\": \"0.0.0\"";
/// The version of everything in this workspace.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Puts the package into a folder of its own below `dir`, with the types that its comments give, and returns that folder.
///
/// # Errors
/// Also where the types are not right, or a file that its `package.json` names is not there.
pub(crate) fn write(workspace: &Workspace, node: &Node<'_>, dir: &Path) -> Result<PathBuf> {
    // Beside the packages whose types it uses, and not among them: those are not looked into.
    let modules = node.modules()?;
    let described = modules.join(FOLDER);
    empty(&described)?;
    copy(&workspace.source(SOURCES), &described, &LEFT_OUT)?;
    process::run(
        workspace
            .program(modules.join("node_modules/.bin/tsc"))
            .arg("--project")
            .arg(&described),
    )?;
    let package = dir.join(FOLDER);
    empty(&package)?;
    copy(&described, &package, &ONLY_CHECKED)?;
    finish(workspace, SOURCES, &package)?;
    Ok(package)
}

/// Puts the publisher's package into a folder of its own below `dir`, and returns that folder.
///
/// # Errors
/// Also where a file that its `package.json` names is not there.
pub(crate) fn write_publisher(workspace: &Workspace, dir: &Path) -> Result<PathBuf> {
    let package = dir.join(PUBLISHER_FOLDER);
    empty(&package)?;
    copy(&workspace.source(PUBLISHER), &package, &PUBLISHER_LEFT_OUT)?;
    finish(workspace, PUBLISHER, &package)?;
    Ok(package)
}

/// Adds the licence and the version to a package that is made of these sources.
fn finish(workspace: &Workspace, sources: &str, package: &Path) -> Result<()> {
    let licence = package.join("LICENSE");
    fs::copy(workspace.source("LICENSE"), &licence)
        .with_context(|| format!("cannot write {}", licence.display()))?;

    let manifest = package.join("package.json");
    let text =
        fs::read_to_string(&manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
    if !text.contains(NO_VERSION) {
        bail!(
            "{sources}/package.json has no {NO_VERSION}, in whose place the workspace's version is to stand"
        );
    }
    let mut missing: Vec<&str> = named_files(&text)
        .filter(|path| !package.join(path).is_file())
        .collect();
    missing.sort_unstable();
    missing.dedup();
    if !missing.is_empty() {
        bail!(
            "{sources}/package.json names files that are not there: {}",
            missing.join(", ")
        );
    }
    let text = text.replace(NO_VERSION, &format!("\"version\": \"{VERSION}\""));
    fs::write(&manifest, text).with_context(|| format!("cannot write {}", manifest.display()))
}

/// Makes the archive that `npm install` and `npm publish` take, and gives its path.
pub(crate) fn pack(node: &Node<'_>, package: &Path, dir: &Path) -> Result<PathBuf> {
    let name = process::output(
        node.npm()
            .arg("pack")
            .arg(package)
            .arg("--pack-destination")
            .arg(dir),
    )?;
    Ok(dir.join(name.trim()))
}

/// What a `package.json` names as `"./…"`: its modules and their types.
fn named_files(manifest: &str) -> impl Iterator<Item = &str> {
    let texts = manifest.split('"').skip(1).step_by(2);
    // The names of the exports themselves have no extension.
    texts.filter_map(|text| text.strip_prefix("./").filter(|path| path.contains('.')))
}

fn empty(dir: &Path) -> Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("cannot empty {}", dir.display()))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path, left_out: &[&str]) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot list {}", from.display()))? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        if left_out.iter().any(|left_out| name == *left_out) {
            continue;
        }
        if path.is_dir() {
            copy(&path, &to.join(name), &[])?;
        } else {
            fs::copy(&path, to.join(name)).with_context(|| format!("cannot copy {}", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_all_exports_are_found() {
        let manifest = r#"{ "exports": { ".": { "types": "./index.d.ts", "default": "./index.js" }, "./core": "./core.js" } }"#;
        let files: Vec<_> = named_files(manifest).collect();
        assert_eq!(files, ["index.d.ts", "index.js", "core.js"]);
    }

    #[test]
    fn the_manifests_of_the_sources_have_a_place_for_the_version() {
        for manifest in [
            include_str!("../../client/js/package.json"),
            include_str!("../../publishers/node/package.json"),
        ] {
            assert!(manifest.contains(NO_VERSION));
            assert!(named_files(manifest).count() > 0);
        }
    }
}
