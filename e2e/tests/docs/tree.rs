//! The documents of the source tree that are for its users.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{
    document::{Block, Document},
    snippet::Snippet,
};

/// Where they are: a file, or all that are below a folder.
const PLACES: [&str; 11] = [
    "README.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "ARCHITECTURE.md",
    "docs",
    "publishers",
    "deploy",
    "examples",
    "client",
    "fuzz",
];
/// Folders of others.
const LEFT_OUT: [&str; 3] = ["node_modules", "target", "dist"];

/// The root of the source tree.
pub(crate) fn root() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    Ok(root.context("the package has no parent folder")?.to_owned())
}

/// All documents that are for users, in the order of their names.
pub(crate) fn documents() -> Result<Vec<Document>> {
    let root = root()?;
    let mut paths = Vec::new();
    for place in PLACES {
        let path = root.join(place);
        if path.exists() {
            collect(&path, &mut paths)?;
        }
    }
    paths.sort();
    let relative = |path: &PathBuf| Ok(path.strip_prefix(&root)?.to_owned());
    let paths: Vec<PathBuf> = paths.iter().map(relative).collect::<Result<_>>()?;
    paths.iter().map(|path| Document::read(&root, path)).collect()
}

fn collect(path: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            let entry = entry?.path();
            let name = entry
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if !LEFT_OUT.contains(&name) && !name.starts_with('.') {
                collect(&entry, found)?;
            }
        }
    } else if path.extension().is_some_and(|extension| extension == "md") {
        found.push(path.to_owned());
    }
    Ok(())
}

/// The blocks of a document with what is to be done with each. What does not say it is told by a test of its own.
pub(crate) fn snippets(document: &Document) -> Vec<(&Block, Snippet)> {
    let blocks = document.blocks.iter();
    blocks
        .filter_map(|block| Some((block, Snippet::of(block).ok()?)))
        .collect()
}
