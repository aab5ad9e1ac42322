//! Makes a compiled program one that a browser loads.
//!
//! By wasm-bindgen's own library: the command-line tool takes minutes to compile and must match the
//! version in `Cargo.lock`; the library is built along with xtask and cannot be another version.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use super::strip;
use crate::{process, step::Step, workspace::Workspace};

/// What a browser loads.
#[derive(Debug)]
pub(crate) struct Module {
    /// The program.
    pub(crate) wasm: Vec<u8>,
    /// The module whose default export starts it.
    pub(crate) js: String,
    /// Where that module is, beside the folder `snippets`.
    pub(crate) js_path: PathBuf,
    /// What the module imports from its folder `snippets`, by path within that folder.
    pub(crate) snippets: Vec<(String, Vec<u8>)>,
}

/// Binds `compiled`, and makes it as small as it gets where there is a `wasm-opt`: then panics say nothing.
pub(crate) fn bind(
    workspace: &Workspace,
    compiled: &Path,
    name: &str,
    wasm_opt: Option<&Path>,
) -> Result<Module> {
    let step = Step::start("Binding it to JavaScript");
    let dir = workspace.target("bindgen").join(name);
    if dir.exists() {
        fs::remove_dir_all(&dir).with_context(|| format!("cannot empty {}", dir.display()))?;
    }
    let mut bound = Bindgen::new()
        .input_path(compiled)
        .out_name(name)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        // What is stripped is known by its name; wasm-opt takes the names away.
        .remove_name_section(wasm_opt.is_none())
        .remove_producers_section(true)
        .generate_output()
        .with_context(|| format!("wasm-bindgen cannot take {}", compiled.display()))?;
    if wasm_opt.is_some() {
        strip::silence(bound.wasm_mut())?;
    }
    bound.emit(&dir)?;
    let js_path = dir.join(format!("{name}.js"));
    let js = fs::read_to_string(&js_path).context("wasm-bindgen wrote no JavaScript")?;
    step.done();

    let path = dir.join(format!("{name}_bg.wasm"));
    if let Some(wasm_opt) = wasm_opt {
        shrink(workspace, wasm_opt, &path)?;
    }
    let wasm = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Module {
        wasm,
        js,
        js_path,
        snippets: read_tree(&dir.join("snippets"))?,
    })
}

fn shrink(workspace: &Workspace, wasm_opt: &Path, wasm: &Path) -> Result<()> {
    // Exactly what rustc turns on for this target: more would let wasm-opt emit what older browsers refuse.
    const FEATURES: [&str; 6] = [
        "--enable-bulk-memory",
        "--enable-multivalue",
        "--enable-mutable-globals",
        "--enable-nontrapping-float-to-int",
        "--enable-reference-types",
        "--enable-sign-ext",
    ];
    let step = Step::start("Shrinking it with wasm-opt");
    process::run(
        workspace
            .program(wasm_opt)
            .args(FEATURES)
            // Straightened and put together again, it finds more.
            .args(["--flatten", "--rereloop", "-Oz", "-Oz", "--output"])
            .args([wasm, wasm]),
    )?;
    step.done();
    Ok(())
}

/// Every file below `dir` by its path within it; none where there is no such folder.
fn read_tree(dir: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    let mut folders = Vec::from_iter(dir.is_dir().then(|| dir.to_owned()));
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path
                .strip_prefix(dir)?
                .to_str()
                .context("a file name is not UTF-8")?;
            files.push((
                name.replace('\\', "/"),
                fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?,
            ));
        }
    }
    files.sort();
    Ok(files)
}
