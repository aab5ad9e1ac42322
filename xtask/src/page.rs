//! [`Page`]: what the browser gets, built from the `index.html` that Trunk reads too.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};

use self::{
    assets::Assets,
    compress::Effort,
    index::{Link, Piece},
    program::Program,
};
use crate::{node, step::Step, workspace::Workspace};

mod assets;
pub(crate) mod bindgen;
mod compress;
mod index;
mod program;
mod strip;
mod widget;

const INDEX: &str = "index.html";
/// What a host page may have to load for the embeddable viewer at most, in bytes after brotli.
const WIDGET_GOAL: usize = 150_000;

/// The built page: a folder as it is to be served.
#[derive(Debug)]
pub(crate) struct Page {
    dir: PathBuf,
    hash: String,
    widget_size: usize,
}

/// How much time may be spent on the page's size.
struct Recipe {
    // Not `page`: that is where cargo puts the profile of this name.
    dir: &'static str,
    profile: &'static str,
    effort: Effort,
    tools: Option<Tools>,
}

/// What makes the page smaller, where Node.js is there.
#[derive(Debug)]
pub(crate) struct Tools {
    /// Of binaryen.
    pub(crate) wasm_opt: PathBuf,
    /// For JavaScript and CSS.
    pub(crate) esbuild: PathBuf,
}

impl Recipe {
    /// Whether the browser's console tells what went wrong with a program.
    const fn has_panic_messages(&self) -> bool {
        self.tools.is_none()
    }

    /// A JavaScript module or style sheet, smaller where there is what makes it so. `name` says which it is.
    fn shrink(&self, workspace: &Workspace, name: &str, source: Vec<u8>) -> Result<Vec<u8>> {
        match &self.tools {
            Some(tools) => node::shrink(workspace, &tools.esbuild, name, &source),
            None => Ok(source),
        }
    }
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
                tools: None,
            },
        )
    }

    /// The page for `dist`: as small as it gets, with tools where there are any.
    ///
    /// # Errors
    /// Also where there are tools and the embeddable viewer is larger than was promised.
    pub(crate) fn build_smallest(workspace: &Workspace, tools: Option<Tools>) -> Result<Self> {
        let is_smallest = tools.is_some();
        let page = Self::by_recipe(
            workspace,
            &Recipe {
                dir: "www-dist",
                profile: "page-dist",
                effort: Effort::Best,
                tools,
            },
        )?;
        if is_smallest && page.widget_size > WIDGET_GOAL {
            bail!(
                "the widget is {} bytes in brotli, more than the {WIDGET_GOAL} that are promised",
                page.widget_size
            );
        }
        Ok(page)
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
        let links = || {
            pieces.iter().filter_map(|piece| match piece {
                Piece::Link(link) => Some(link),
                Piece::Text(_) => None,
            })
        };
        let mut bins = Vec::new();
        for link in links().filter(|link| link.rel == "rust") {
            if link.href != widget::MANIFEST {
                bail!(
                    "{INDEX}: the programs are those of {}, not of {}",
                    widget::MANIFEST,
                    link.href
                );
            }
            bins.push(
                link.bin
                    .with_context(|| format!(r#"{INDEX}: a rel="rust" link has no data-bin"#))?,
            );
        }
        bins.push(widget::BIN);
        Program::compile(workspace, recipe, widget::MANIFEST, &bins)?;

        let mut assets = Assets::default();
        let mut out = String::with_capacity(html.len());
        for piece in &pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Link(link) => out.push_str(&replace(workspace, recipe, &mut assets, link)?),
            }
        }
        let styles: Vec<&str> = links()
            .filter(|link| link.rel == "css")
            .map(|link| link.href)
            .collect();
        let program = Program::add(workspace, recipe, &mut assets, widget::BIN)?;
        let widget = widget::add(workspace, recipe, &mut assets, &program, &styles)?;

        let step = Step::start("Compressing the page");
        let dir = workspace.target(recipe.dir);
        assets.add_fixed(INDEX, out.into_bytes());
        let sizes = assets.write(&dir, recipe.effort)?;
        let widget_size = sizes.brotli(&widget);
        step.done_with(sizes);
        // As a browser counts them, by the thousand.
        eprintln!(
            "    the widget: {:.1} kB brotli in all{}",
            f64::from(u32::try_from(widget_size)?) / 1e3,
            match recipe.effort {
                Effort::Best => format!(" (goal {})", WIDGET_GOAL / 1_000),
                Effort::Quick =>
                    " in this quick build; `cargo xtask size` makes it as it is handed out".to_owned(),
            }
        );
        Ok(Self {
            dir,
            hash: assets.hash(),
            widget_size,
        })
    }
}

/// Adds what a link of `index.html` asks for, and gives what stands in its place.
fn replace(workspace: &Workspace, recipe: &Recipe, assets: &mut Assets, link: &Link<'_>) -> Result<String> {
    match link.rel {
        "css" => linked_file(workspace, recipe, assets, link, "stylesheet"),
        "icon" => linked_file(workspace, recipe, assets, link, "icon"),
        "rust" => program(workspace, recipe, assets, link),
        other => bail!(r#"{INDEX}: rel="{other}" is not known here; known are rust, css and icon"#),
    }
}

fn linked_file(
    workspace: &Workspace,
    recipe: &Recipe,
    assets: &mut Assets,
    link: &Link<'_>,
    rel: &str,
) -> Result<String> {
    let path = workspace.source(link.href);
    let mut bytes =
        fs::read(&path).with_context(|| format!("{INDEX} links {}, which cannot be read", path.display()))?;
    if rel == "stylesheet" {
        bytes = recipe.shrink(workspace, link.href, bytes)?;
    }
    let url = assets.add(link.href, bytes)?;
    let mut tag = format!(r#"<link rel="{rel}" href="{url}""#);
    for (name, value) in &link.others {
        tag.push_str(&format!(r#" {name}="{value}""#));
    }
    tag.push('>');
    Ok(tag)
}

/// Adds the page's program and gives the tags that load it.
fn program(workspace: &Workspace, recipe: &Recipe, assets: &mut Assets, link: &Link<'_>) -> Result<String> {
    let bin = link.bin.unwrap_or_default();
    let Program { js, wasm, snippets } = Program::add(workspace, recipe, assets, bin)?;
    // A file of its own and not an inline script, which the page's content security policy forbids.
    let boot = format!("import init from \"{js}\";\nawait init({{ module_or_path: \"{wasm}\" }});\n");
    let boot = assets.add("boot.js", boot.into_bytes())?;
    // Each by name, so that none waits for the one that imports it.
    let modules = [&js].into_iter().chain(&snippets);
    let modules: String = modules
        .map(|url| format!("<link rel=\"modulepreload\" href=\"{url}\">\n"))
        .collect();
    Ok(format!(
        r#"{modules}<link rel="preload" href="{wasm}" as="fetch" type="application/wasm" crossorigin>
<script type="module" src="{boot}"></script>"#
    ))
}
