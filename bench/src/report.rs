//! What came out, for people: tables, whether it is what was aimed at, and a picture.

mod aims;
mod charts;
mod compared;
mod document;
mod machine;
mod plot;
mod results;
mod table;
mod units;

use std::{fmt::Write as _, fs, path::Path};

use anyhow::{Context as _, Result, ensure};

use self::{machine::Machine, results::Results};
use crate::{
    run::{self, Measured},
    scenarios::{self, Scenario},
};

/// The document that tells of it, in the folder of documents, and the picture in it.
const DOCUMENT: &str = "PERFORMANCE.md";
const PICTURE: &str = "performance.svg";
/// How the document shows that.
const DRAWN: &str = "![CPU time for each event, latency, memory of a stream, publishing and replay, of the gateway and those beside it](performance.svg)";
/// What makes it.
const COMMAND: &str = "cargo xtask bench";

/// Prints what is in a file of results. With the folder of documents it is also written `into` the one that tells of it, between
/// two marks, and drawn.
///
/// # Errors
/// The results cannot be read, there are none, or the document cannot be written or has no place for them.
pub fn report(results: &Path, into: Option<&Path>) -> Result<()> {
    let measured = run::read(results)?;
    ensure!(!measured.is_empty(), "{} has no results", results.display());
    let text = markdown(&measured, &Machine::here());
    print!("{text}");
    let Some(folder) = into else {
        return Ok(());
    };
    let path = folder.join(DOCUMENT);
    let document = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let text = format!("{DRAWN}\n\n{text}");
    let document = document::with(&document, &text).with_context(|| path.display().to_string())?;
    let picture = folder.join(PICTURE);
    fs::write(&picture, charts::svg(Results(&measured)))
        .with_context(|| format!("cannot write {}", picture.display()))?;
    fs::write(&path, document).with_context(|| format!("cannot write {}", path.display()))
}

/// Everything, as a part of a document.
fn markdown(measured: &[Measured], machine: &Machine) -> String {
    let results = Results(measured);
    let all = scenarios::all(false);
    let mut text = format!(
        "Made by `{COMMAND}` on {}.{}\n\n### Aims\n\n{}\n",
        machine.told(),
        results.noise().unwrap_or_default(),
        aims::table(results)
    );
    for name in results.scenarios() {
        let Some(scenario) = all.iter().find(|scenario| scenario.name == name) else {
            continue;
        };
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "\n### {name}\n\n{}.\n\n{}\n",
            sentence(scenario),
            table::table(results, scenario)
        );
    }
    text
}

/// What is done, with a capital letter.
fn sentence(scenario: &Scenario) -> String {
    let mut letters = scenario.what.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}
