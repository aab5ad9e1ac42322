//! [`Page`]: what the browser gets, built from the `index.html` that Trunk reads too.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};

use self::{
    assets::Assets,
    compress::Effort,
    index::{Link, Piece},
};
use crate::{process, setup::WASM_TARGET, step::Step, workspace::Workspace};

mod assets;
mod bindgen;
mod compress;
mod index;

const INDEX: &str = "index.html";

/// The built page: a folder as it is to be served.
#[derive(Debug)]
pub(crate) struct Page {
    dir: PathBuf,
    hash: String,
}

/// How much time may be spent on the page's size.
struct Recipe {
    // Not `page`: that is where cargo puts the profile of this name.
    dir: &'static str,
    profile: &'static str,
    effort: Effort,
    wasm_opt: Option<PathBuf>,
}

impl Page {
    /// The page for `run` and `test`: soon there.
    pub(crate) fn build(workspace: &Workspace) -> Result<Self> {
        Self::by_recipe(
            workspace,
            &Recipe {
                dir: "www",
                profile: "page",
                effort: Effort::Quick,
                wasm_opt: None,
            },
        )
    }

    /// The page for `dist`: as small as it gets, by `wasm-opt` where there is one.
    pub(crate) fn build_smallest(workspace: &Workspace, wasm_opt: Option<PathBuf>) -> Result<Self> {
        Self::by_recipe(
            workspace,
            &Recipe {
                dir: "www-dist",
                profile: "page-dist",
                effort: Effort::Best,
                wasm_opt,
            },
        )
    }

    /// Where it is.
    pub(crate) fn dir(&self) -> &std::path::Path {
        &self.dir
    }

    /// Stands for every byte of it.
    pub(crate) fn hash(&self) -> &str {
        &self.hash
    }

    fn by_recipe(workspace: &Workspace, recipe: &Recipe) -> Result<Self> {
        let html =
            fs::read_to_string(workspace.source(INDEX)).with_context(|| format!("cannot read {INDEX}"))?;
        let pieces = index::parse(&html).with_context(|| format!("{INDEX} cannot be built"))?;
        let mut assets = Assets::default();
        let mut out = String::with_capacity(html.len());
        for piece in pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Link(link) => out.push_str(&replace(workspace, recipe, &mut assets, &link)?),
            }
        }

        let step = Step::start("Compressing the page");
        let dir = workspace.target(recipe.dir);
        assets.add_fixed(INDEX, out.into_bytes());
        let sizes = assets.write(&dir, recipe.effort)?;
        step.done_with(sizes);
        Ok(Self {
            dir,
            hash: assets.hash(),
        })
    }
}

/// Builds what a link of `index.html` asks for, and gives what stands in its place.
fn replace(workspace: &Workspace, recipe: &Recipe, assets: &mut Assets, link: &Link<'_>) -> Result<String> {
    match link.rel {
        "css" => linked_file(workspace, assets, link, "stylesheet"),
        "icon" => linked_file(workspace, assets, link, "icon"),
        "rust" => program(workspace, recipe, assets, link),
        other => bail!(r#"{INDEX}: rel="{other}" is not known here; known are rust, css and icon"#),
    }
}

fn linked_file(workspace: &Workspace, assets: &mut Assets, link: &Link<'_>, rel: &str) -> Result<String> {
    let path = workspace.source(link.href);
    let bytes =
        fs::read(&path).with_context(|| format!("{INDEX} links {}, which cannot be read", path.display()))?;
    let url = assets.add(link.href, bytes)?;
    let mut tag = format!(r#"<link rel="{rel}" href="{url}""#);
    for (name, value) in &link.others {
        tag.push_str(&format!(r#" {name}="{value}""#));
    }
    tag.push('>');
    Ok(tag)
}

/// Compiles the page's program and gives the tags that load it.
fn program(workspace: &Workspace, recipe: &Recipe, assets: &mut Assets, link: &Link<'_>) -> Result<String> {
    let bin = link
        .bin
        .with_context(|| format!(r#"{INDEX}: the rel="rust" link has no data-bin"#))?;

    let step = Step::start("Compiling the page's program for the browser");
    process::run(
        workspace
            .cargo()
            .args(["build", "--manifest-path", link.href, "--bin", bin])
            .args(["--target", WASM_TARGET, "--profile", recipe.profile]),
    )?;
    step.done();

    let compiled = workspace
        .target(WASM_TARGET)
        .join(recipe.profile)
        .join(bin)
        .with_extension("wasm");
    let module = bindgen::bind(workspace, &compiled, bin, recipe.wasm_opt.as_deref())?;

    let wasm = assets.add(&format!("{bin}.wasm"), module.wasm)?;
    let js = assets.add_snippets(&module.js, module.snippets);
    let js = assets.add(&format!("{bin}.js"), js.into_bytes())?;
    // A file of its own and not an inline script, which the page's content security policy forbids.
    let boot = format!("import init from \"{js}\";\nawait init({{ module_or_path: \"{wasm}\" }});\n");
    let boot = assets.add("boot.js", boot.into_bytes())?;
    Ok(format!(
        r#"<link rel="modulepreload" href="{js}">
<link rel="preload" href="{wasm}" as="fetch" type="application/wasm" crossorigin>
<script type="module" src="{boot}"></script>"#
    ))
}
