//! [`Node`]: Node.js and npm, and the packages that a `package-lock.json` of the source tree pins.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::{debian, process, step::Step, workspace::Workspace};

/// Debian's packages.
const PACKAGES: [&str; 2] = ["nodejs", "npm"];
/// What the pages of the tests are made with.
const WEB: Packages = Packages {
    manifests: "e2e/web",
    installed: "npm",
    what: "what the pages of the tests are made with",
};
/// The package that holds `wasm-opt`, to the digit: the page's size is compared between builds. Apart from the others,
/// because it is large and only `dist` and `size` want it.
const BINARYEN: &str = "binaryen@132.0.0";

/// Packages, each in one version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packages {
    /// The folder of the source tree whose `package.json` and `package-lock.json` name them.
    pub(crate) manifests: &'static str,
    /// Where they are installed, below the target folder.
    pub(crate) installed: &'static str,
    /// What they are, in words.
    pub(crate) what: &'static str,
}

/// A Node.js with npm.
#[derive(Debug)]
pub(crate) struct Node<'a>(&'a Workspace);

impl<'a> Node<'a> {
    /// The one that is there, if any.
    pub(crate) fn find(workspace: &'a Workspace) -> Result<Option<Self>> {
        for program in ["node", "npm"] {
            if process::version(workspace.program(program).arg("--version"))?.is_none() {
                return Ok(None);
            }
        }
        Ok(Some(Self(workspace)))
    }

    /// The one that is there, or is installed now where this is allowed.
    pub(crate) fn ensure(workspace: &'a Workspace) -> Result<Self> {
        let step = Step::start("Checking Node.js");
        let by_hand = format!(
            "Node.js (20 or later) and npm are needed. On Debian:\n\n  \
             sudo apt-get update && sudo apt-get install {}",
            PACKAGES.join(" ")
        );
        if Self::find(workspace)?.is_none() {
            debian::install(workspace, &PACKAGES, &by_hand)?;
        }
        let Some(node) = Self::find(workspace)? else {
            bail!("{by_hand}");
        };
        step.done_with(process::output(node.node().arg("--version"))?.trim_end());
        Ok(node)
    }

    /// Node.js itself.
    pub(crate) fn node(&self) -> std::process::Command {
        self.0.program("node")
    }

    /// npm, saying no more than what went wrong.
    pub(crate) fn npm(&self) -> std::process::Command {
        let mut npm = self.0.program("npm");
        npm.args(["--no-audit", "--no-fund", "--loglevel=error"]);
        npm
    }

    /// Installs what the pages of the tests are made with where it is not yet, and gives the folder that has it.
    pub(crate) fn modules(&self) -> Result<PathBuf> {
        self.install(WEB)
    }

    /// Installs pinned packages where they are not yet, and gives the folder that has them.
    pub(crate) fn install(&self, packages: Packages) -> Result<PathBuf> {
        let dir = self.0.target(packages.installed);
        let mut is_there = dir.join("node_modules").is_dir();
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let mut wanted = Vec::new();
        for name in ["package.json", "package-lock.json"] {
            let source = self.0.source(packages.manifests).join(name);
            let bytes = fs::read(&source).with_context(|| format!("cannot read {}", source.display()))?;
            is_there &= fs::read(dir.join(name)).ok().as_ref() == Some(&bytes);
            wanted.push((dir.join(name), bytes));
        }
        if !is_there {
            let step = Step::start(format!("Installing {}", packages.what));
            let lock = dir.join("package-lock.json");
            for (path, bytes) in &wanted {
                fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
            }
            let installed = process::run(self.npm().arg("ci").arg("--prefix").arg(&dir));
            if installed.is_err() {
                // So that the next run does not take this one for done.
                let _ = fs::remove_file(lock);
            }
            installed?;
            step.done();
        }
        Ok(dir)
    }

    /// The pinned esbuild, which bundles and shrinks JavaScript and CSS.
    pub(crate) fn esbuild(&self) -> Result<PathBuf> {
        Ok(self.modules()?.join("node_modules/.bin/esbuild"))
    }

    /// Installs `wasm-opt` below the target folder.
    pub(crate) fn wasm_opt(&self) -> Result<PathBuf> {
        let step = Step::start("Installing wasm-opt");
        let dir = self.0.target("binaryen");
        process::run(
            self.npm()
                .args(["install", "--no-save", "--prefix"])
                .arg(&dir)
                .arg(BINARYEN),
        )?;
        let wasm_opt = dir.join("node_modules/.bin/wasm-opt");
        step.done_with(process::output(self.0.program(&wasm_opt).arg("--version"))?.trim_end());
        Ok(wasm_opt)
    }
}

/// A JavaScript module or style sheet with nothing but what it does; `name` says which it is. Files it imports stay
/// where they are.
pub(crate) fn shrink(workspace: &Workspace, esbuild: &Path, name: &str, source: &[u8]) -> Result<Vec<u8>> {
    let input = workspace.target("esbuild/in").join(name);
    let folder = input.parent().context("a file has no folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::write(&input, source).with_context(|| format!("cannot write {}", input.display()))?;
    minify(workspace, esbuild, &input, &[])
}

/// The same of a module and all that it imports, as one.
pub(crate) fn bundle(workspace: &Workspace, esbuild: &Path, module: &Path) -> Result<Vec<u8>> {
    minify(workspace, esbuild, module, &["--bundle", "--format=esm"])
}

fn minify(workspace: &Workspace, esbuild: &Path, input: &Path, args: &[&str]) -> Result<Vec<u8>> {
    let output = workspace.target("esbuild/shrunk");
    let mut outfile = std::ffi::OsString::from("--outfile=");
    outfile.push(&output);
    process::run(
        workspace
            .program(esbuild)
            .arg(input)
            .args(["--minify", "--charset=utf8", "--log-level=warning"])
            .args(args)
            .arg(outfile),
    )?;
    fs::read(&output).with_context(|| format!("cannot read {}", output.display()))
}
