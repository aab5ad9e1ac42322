//! [`Program`]: a program of the client as a browser loads it.

use anyhow::Result;

use super::{Recipe, assets::Assets, bindgen};
use crate::{node, process, setup::WASM_TARGET, step::Step, workspace::Workspace};

/// A program's files, by URL.
#[derive(Debug)]
pub(super) struct Program {
    /// The module whose default export starts it.
    pub(super) js: String,
    /// The program itself.
    pub(super) wasm: String,
    /// The modules that the module imports; none where they are inside it.
    pub(super) snippets: Vec<String>,
}

impl Program {
    /// Compiles programs of one package, together: what they have in common is compiled once.
    pub(super) fn compile(
        workspace: &Workspace,
        recipe: &Recipe,
        manifest: &str,
        bins: &[&str],
    ) -> Result<()> {
        let step = Step::start("Compiling the programs for the browser");
        let mut cargo = workspace.cargo();
        cargo.args(["build", "--manifest-path", manifest]);
        for bin in bins {
            cargo.args(["--bin", bin]);
        }
        if !recipe.has_panic_messages() {
            cargo.arg("--no-default-features");
        }
        process::run(cargo.args(["--target", WASM_TARGET, "--profile", recipe.profile]))?;
        step.done();
        Ok(())
    }

    /// Adds the files of a program that has been compiled.
    pub(super) fn add(
        workspace: &Workspace,
        recipe: &Recipe,
        assets: &mut Assets,
        bin: &str,
    ) -> Result<Self> {
        let compiled = workspace
            .target(WASM_TARGET)
            .join(recipe.profile)
            .join(bin)
            .with_extension("wasm");
        let wasm_opt = recipe.tools.as_ref().map(|tools| tools.wasm_opt.as_path());
        let module = bindgen::bind(workspace, &compiled, bin, wasm_opt)?;
        let wasm = assets.add(&format!("{bin}.wasm"), module.wasm)?;
        let (js, snippets) = match &recipe.tools {
            // One file is smaller than its parts, and sooner there.
            Some(tools) => {
                let bundle = node::bundle(workspace, &tools.esbuild, &module.js_path)?;
                (bundle, Vec::new())
            }
            None => {
                let (js, snippets) = assets.add_snippets(&module.js, module.snippets);
                (js.into_bytes(), snippets)
            }
        };
        let js = assets.add(&format!("{bin}.js"), js)?;
        Ok(Self { js, wasm, snippets })
    }
}
