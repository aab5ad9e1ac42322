//! The documents are true: what they show is executed as it stands, and what they name exists.
//!
//! `LOGS_DOCS=README.md,docs/HTTP.md cargo test -p logs-e2e --test docs` executes these pages only.

mod bad_documents;
mod claims;
mod document;
mod example;
mod output;
mod page_run;
mod snippet;
mod terminal;
mod tree;
mod web;

use std::{
    collections::BTreeSet,
    env, fs,
    path::Path,
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::{Context, Result, ensure};
use logs_e2e::{TestGateway, start_again};
use serde_json::Value;

use crate::{
    document::{Block, Document},
    snippet::{Action, Snippet},
};

/// A network and processes of one's own: ports are free, nothing else is reachable, and nothing outlives it.
const ALONE: [&str; 6] = [
    "--net",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount",
    "--mount-proc",
];
/// Names the pages that are executed; without it all are.
const CHOSEN: &str = "LOGS_DOCS";

/// Pages that are executed at the same time; most of the time they wait.
const AT_ONCE: usize = 3;

/// An error with everything that is wrong.
fn nothing_of(wrong: &[String]) -> Result<()> {
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// Executes a page in a process of its own; `test` is the name of the test that asks.
fn execute(test: &str, page: &Path) -> Result<()> {
    if let Some(page) = page_run::wanted() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let document = Document::read(&tree::root()?, &page)?;
        return runtime.block_on(page_run::run(&document));
    }
    start_again(&ALONE, test, (page_run::PAGE, page.as_os_str()))?;
    Ok(())
}

#[test]
fn every_snippet_does_what_its_page_says() -> Result<()> {
    const TEST: &str = "every_snippet_does_what_its_page_says";
    if let Some(page) = page_run::wanted() {
        return execute(TEST, &page);
    }
    let root = tree::root()?;
    let chosen = env::var(CHOSEN).unwrap_or_default();
    let mut documents = tree::documents()?;
    documents.retain(|document| {
        let is_chosen = chosen.is_empty() || chosen.split(',').any(|name| document.path == Path::new(name));
        is_chosen
            && tree::snippets(document)
                .iter()
                .any(|(_, snippet)| snippet.is_done())
    });
    ensure!(!documents.is_empty(), "there is no page to execute");
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    let work = || {
        while let Some(document) = documents.get(next.fetch_add(1, Ordering::Relaxed)) {
            println!("executing {}", document.path.display());
            let done = compile_examples(&root, document).and_then(|()| execute(TEST, &document.path));
            let mut wrong = wrong.lock().unwrap();
            wrong.extend(done.err().map(|error| format!("{error:#}")));
        }
    };
    thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(work))));
    nothing_of(&wrong.into_inner()?)
}

/// Compiles the examples that a page shows, and compares them.
fn compile_examples(root: &Path, document: &Document) -> Result<()> {
    for (block, snippet) in tree::snippets(document) {
        if let Action::Example(name) = &snippet.action {
            example::is_shown(root, name, &block.text)
                .and_then(|()| example::compile(root, name))
                .with_context(|| document.at(block.line))?;
        }
    }
    Ok(())
}

#[test]
fn every_snippet_is_executed_or_says_why_not() -> Result<()> {
    let root = tree::root()?;
    let mut wrong = Vec::new();
    for document in tree::documents()? {
        for block in &document.blocks {
            match Snippet::of(block) {
                Err(error) => wrong.push(format!("{}: {error}", document.at(block.line))),
                Ok(snippet) => wrong.extend(unfounded(&root, &document, block, &snippet)?),
            }
        }
    }
    nothing_of(&wrong)
}

/// What is wrong with a block that is no snippet itself: it is to be a part of something, or a file that is used.
fn unfounded(root: &Path, document: &Document, block: &Block, snippet: &Snippet) -> Result<Option<String>> {
    let at = document.at(block.line);
    if let Action::PartOf(path) = &snippet.action {
        let source =
            fs::read_to_string(root.join(path)).with_context(|| format!("{at}: cannot read {path}"))?;
        return Ok((!is_part(&source, &block.text)).then(|| format!("{at}: {path} does not have this")));
    }
    let Some(name) = snippet
        .file
        .as_ref()
        .filter(|_| snippet.action == Action::Nothing)
    else {
        return Ok(None);
    };
    let file = Path::new(name)
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or(name);
    let stem = file.split('.').next().unwrap_or(file);
    let mut later = document.blocks.iter().filter(|other| other.line != block.line);
    let is_used = later.any(|other| other.text.contains(file) || other.text.contains(stem));
    Ok((!is_used).then(|| format!("{at}: no other snippet of this page speaks of the file {name}")))
}

/// Whether a file has these lines, one after the other, however far they are indented; also in comments that are
/// documentation, whose code is compiled too.
fn is_part(source: &str, part: &str) -> bool {
    let trimmed = |text: &str| {
        text.lines()
            .map(|line| line.trim().trim_start_matches("///").trim().to_owned())
            .collect::<Vec<_>>()
    };
    let (source, part) = (trimmed(source), trimmed(part));
    !part.is_empty() && source.windows(part.len()).any(|lines| lines == part)
}

#[test]
fn links_lead_somewhere_and_named_files_are_there() -> Result<()> {
    let root = tree::root()?;
    let mut wrong = Vec::new();
    for document in tree::documents()? {
        wrong.extend(claims::dead_links(&root, &document)?);
        wrong.extend(claims::missing_files(&root, &document));
    }
    nothing_of(&wrong)
}

/// What the gateway's binary prints for `--help` after these arguments.
fn help(args: &[&str]) -> Result<String> {
    let binary = env::var_os("LOGS_GATEWAY_BIN").context("LOGS_GATEWAY_BIN is not set")?;
    // A variable that is set would be told.
    let output = Command::new(binary)
        .args(args)
        .arg("--help")
        .env_clear()
        .output()?;
    Ok(String::from_utf8(output.stdout)?)
}

#[test]
fn commands_are_those_of_the_programs() -> Result<()> {
    let root = tree::root()?;
    let gateway = claims::commands(&help(&[])?);
    let xtask = claims::commands(&fs::read_to_string(root.join("xtask/src/main.rs"))?);
    ensure!(
        gateway.contains("tail") && xtask.contains("test"),
        "{gateway:?} {xtask:?}"
    );
    let mut wrong = Vec::new();
    for document in tree::documents()? {
        wrong.extend(claims::unknown_commands(&document, "logs-gateway", &gateway));
        wrong.extend(claims::unknown_commands(&document, "cargo xtask", &xtask));
    }
    nothing_of(&wrong)
}

#[test]
fn settings_are_those_of_the_program() -> Result<()> {
    let root = tree::root()?;
    let mut wrong = Vec::new();
    for (page, args) in [("docs/SETTINGS.md", &[][..]), ("docs/PROXY.md", &["proxy"])] {
        let settings = claims::settings(&help(args)?);
        ensure!(
            settings.get("HOST").is_some_and(|default| default == "0.0.0.0"),
            "{settings:?}"
        );
        let document = Document::read(&root, Path::new(page))?;
        wrong.extend(claims::differences(&document, &settings));
    }
    nothing_of(&wrong)
}

#[tokio::test]
async fn the_readmes_paths_are_those_of_the_description() -> Result<()> {
    let root = tree::root()?;
    let gateway = TestGateway::start().await?;
    let description = reqwest::get(gateway.url("/openapi.json")).await?.text().await?;
    let description: Value = serde_json::from_str(&description)?;
    let described = description["paths"]
        .as_object()
        .context("the description has no paths")?;
    let described: BTreeSet<_> = described.keys().map(|path| claims::nameless(path)).collect();
    let told = claims::paths(&Document::read(&root, Path::new("README.md"))?);
    let unknown = told
        .difference(&described)
        .map(|path| format!("README.md: there is no path {path}"));
    let untold = described
        .difference(&told)
        .map(|path| format!("README.md: nothing is said of the path {path}"));
    nothing_of(&unknown.chain(untold).collect::<Vec<_>>())
}
