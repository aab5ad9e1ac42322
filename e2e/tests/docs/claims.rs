//! What documents say without a snippet: links, files, commands, settings and paths.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
};

use anyhow::Result;

use crate::document::Document;

/// Folders of the source tree, at its root: what begins with one of them names a file.
const FOLDERS: [&str; 14] = [
    ".ci/",
    "bench/",
    "client/",
    "deploy/",
    "docs/",
    "e2e/",
    "examples/",
    "fuzz/",
    "publishers/",
    "server/",
    "shared/",
    "style/",
    "xtask/",
    ".cargo/",
];
/// They are made, and so not in the source tree.
const MADE: [&str; 3] = ["fuzz/artifacts", "fuzz/corpus", "fuzz/target"];

/// The links of a document that lead nowhere, each with its place.
pub(crate) fn dead_links(root: &Path, document: &Document) -> Result<Vec<String>> {
    let mut dead = Vec::new();
    for (line, link) in document.links() {
        if link.contains("://") || link.starts_with("mailto:") || link.starts_with('<') {
            continue;
        }
        let (file, anchor) = link
            .split_once('#')
            .map_or((link, None), |(file, anchor)| (file, Some(anchor)));
        let target = match file {
            "" => document.path.clone(),
            file => beside(&document.path, file),
        };
        let at = document.at(line);
        if !root.join(&target).exists() {
            dead.push(format!("{at}: there is no {link}"));
        } else if let Some(anchor) = anchor.filter(|_| target.extension().is_some_and(|kind| kind == "md")) {
            let anchors = Document::read(root, &target)?.anchors();
            if !anchors.iter().any(|known| known == anchor) {
                dead.push(format!("{at}: {} has no heading for #{anchor}", target.display()));
            }
        }
    }
    Ok(dead)
}

/// The files that a document names in code and that are not there, each with its place.
pub(crate) fn missing_files(root: &Path, document: &Document) -> Vec<String> {
    let spans = document.code_spans();
    let named = spans.filter(|(_, span)| {
        FOLDERS.iter().any(|folder| span.starts_with(folder))
            && !MADE.iter().any(|made| span.starts_with(made))
            && !span.contains([' ', '{', '*', '…', '<', '$', '('])
    });
    let missing = named.filter(|(_, span)| {
        let file = span.split([':', ',']).next().unwrap_or_default();
        // A module is named without its extension.
        let names = [file.to_owned(), format!("{file}.rs")].map(PathBuf::from);
        let mut places = names
            .iter()
            .flat_map(|name| [name.clone(), beside(&document.path, &name.to_string_lossy())]);
        !places.any(|place| root.join(place).exists())
    });
    missing
        .map(|(line, span)| format!("{}: there is no {span}", document.at(line)))
        .collect()
}

/// The commands that a document names after `program` and that `known` has not, each with its place.
pub(crate) fn unknown_commands(document: &Document, program: &str, known: &BTreeSet<String>) -> Vec<String> {
    let spans = document.code_spans().map(|(line, span)| (line, span.to_owned()));
    let blocks = document.blocks.iter().flat_map(|block| {
        let lines = block.text.lines().zip(block.line + 1..);
        lines.map(|(text, line)| (line, text.to_owned()))
    });
    let mut unknown = Vec::new();
    for (line, code) in spans.chain(blocks) {
        for (at, _) in code.match_indices(program) {
            let before = code[..at].rsplit(' ').next().unwrap_or_default();
            // Neither a part of another name, nor what a variable is set to.
            let is_whole = !before.ends_with(|c: char| c.is_alphanumeric() || "-_'\"".contains(c))
                && !before.contains('=');
            let command = code[at + program.len()..].strip_prefix(' ').unwrap_or_default();
            let command: String = command
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '-')
                .collect();
            let is_command = command.starts_with(|c: char| c.is_ascii_lowercase());
            if is_whole && is_command && !known.contains(&command) {
                unknown.push(format!(
                    "{}: `{program}` has no command `{command}`",
                    document.at(line)
                ));
            }
        }
    }
    unknown
}

/// The names of the commands that a program's help lists: first words of lines that are indented by two.
pub(crate) fn commands(help: &str) -> BTreeSet<String> {
    let indented = help.lines().filter_map(|line| line.strip_prefix("  "));
    let words = indented.filter_map(|line| line.split(' ').next());
    let words = words.filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
    words.map(str::to_owned).collect()
}

/// The settings that a program's help lists: each variable with its default.
pub(crate) fn settings(help: &str) -> BTreeMap<String, String> {
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut settings = BTreeMap::new();
    let mut before = "";
    for part in help.split("[env: ") {
        if let Some(end) = part.find([']', '=']).filter(|_| !before.is_empty()) {
            let default = before
                .rsplit_once("[default: ")
                .and_then(|(_, rest)| rest.split(']').next());
            settings.insert(part[..end].to_owned(), default.unwrap_or("none").to_owned());
        }
        before = part;
    }
    settings
}

/// How the tables of a document differ from `settings`: each of them has a row of its own with its default.
pub(crate) fn differences(document: &Document, settings: &BTreeMap<String, String>) -> Vec<String> {
    let mut differences = Vec::new();
    let mut told = BTreeSet::new();
    for (line, cells) in document.rows("variable") {
        let at = document.at(line);
        let name = cells
            .first()
            .map(|cell| cell.replace('`', ""))
            .unwrap_or_default();
        let default = cells.get(1).map(|cell| cell.replace('`', "")).unwrap_or_default();
        match settings.get(&name) {
            None => differences.push(format!("{at}: there is no setting `{name}`")),
            Some(known) if *known != default => {
                differences.push(format!(
                    "{at}: the default of `{name}` is `{known}`, not `{default}`"
                ));
            }
            Some(_) => {}
        }
        told.insert(name);
    }
    let untold = settings.keys().filter(|name| !told.contains(*name));
    differences
        .extend(untold.map(|name| format!("{}: nothing is said of `{name}`", document.path.display())));
    differences
}

/// The paths that the tables of a document list; what stands for a segment has no name.
pub(crate) fn paths(document: &Document) -> BTreeSet<String> {
    let rows = document.rows("path");
    let cells = rows.iter().filter_map(|(_, cells)| cells.first());
    let spans = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let paths = spans.filter_map(|span| span.split(' ').find(|word| word.starts_with('/')));
    paths.map(nameless).collect()
}

/// A path whose parameters have no names, which are the reader's to choose.
pub(crate) fn nameless(path: &str) -> String {
    let segments = path
        .split('/')
        .map(|segment| if segment.starts_with('{') { "{}" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

/// Where a path leads that is written in the document at `path`.
fn beside(path: &Path, to: &str) -> PathBuf {
    let mut target = path.parent().unwrap_or(Path::new("")).to_owned();
    for part in Path::new(to).components() {
        match part {
            Component::ParentDir => {
                target.pop();
            }
            part => target.push(part),
        }
    }
    target
}
