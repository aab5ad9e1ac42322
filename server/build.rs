//! Puts the built page into the gateway: writes the table of its files that `page.rs` includes.
//!
//! `cargo xtask` builds the page and says where it is. Without it the table is empty and the gateway
//! says how to get the page.

use std::{
    env,
    error::Error,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

/// The folder of the built page.
const DIR: &str = "LOGS_PAGE_DIR";
/// Stands for its content: the folder's name stays the same when a file in it changes.
const HASH: &str = "LOGS_PAGE_HASH";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed={DIR}");
    println!("cargo::rerun-if-env-changed={HASH}");

    let mut table = String::from("&[\n");
    if let Some(dir) = env::var_os(DIR).map(PathBuf::from) {
        let mut files = Vec::new();
        list(&dir, &mut files)?;
        files.sort();
        for file in files.iter().filter(|file| !is_compressed(file)) {
            table.push_str(&row(&dir, file)?);
        }
    }
    table.push(']');
    let out = Path::new(&env::var("OUT_DIR")?).join("page_files.rs");
    fs::write(out, table)?;
    Ok(())
}

fn list(dir: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(dir).map_err(|error| format!("{DIR}={}: {error}", dir.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn is_compressed(file: &Path) -> bool {
    file.extension().is_some_and(|kind| kind == "br" || kind == "gz")
}

/// One file as a `File { … }`.
fn row(dir: &Path, file: &Path) -> Result<String, Box<dyn Error>> {
    let path = file
        .strip_prefix(dir)?
        .to_str()
        .ok_or("a file name is not UTF-8")?;
    let path = path.replace('\\', "/");
    let mut hasher = DefaultHasher::new();
    fs::read(file)?.hash(&mut hasher);
    let hash = hasher.finish();
    Ok(format!(
        "File {{ path: {path:?}, hash: \"{hash:016x}\", plain: include_bytes!({file:?}), brotli: {}, gzip: {} }},\n",
        included(file, "br"),
        included(file, "gz"),
    ))
}

/// The compressed sibling, where there is one.
fn included(file: &Path, suffix: &str) -> String {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    let sibling = PathBuf::from(name);
    if sibling.exists() {
        format!("Some(include_bytes!({sibling:?}))")
    } else {
        "None".to_owned()
    }
}
