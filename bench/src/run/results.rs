//! The file of results.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write as _};
use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::outcome::Outcome;
use crate::targets::Target;

/// One line of the results.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// See [`Scenario`](crate::scenarios::Scenario).
    pub scenario: String,
    /// As above.
    pub variant: String,
    /// Of whom.
    pub target: Target,
    /// What it gave.
    pub outcome: Outcome,
}

/// The results in this file; none where there is no such file.
///
/// # Errors
///
/// Where it is there and cannot be read.
pub fn read(file: &Path) -> Result<Vec<Measured>> {
    if !file.exists() {
        return Ok(Vec::new());
    }
    Ok(serde_json::from_reader(BufReader::new(File::open(file)?))?)
}

/// Puts one more in, in place of that of before.
pub(super) fn put(file: &Path, new: Measured) -> Result<()> {
    let mut results = read(file)?;
    let key = |one: &Measured| (one.scenario.clone(), one.variant.clone(), one.target);
    let of_new = key(&new);
    results.retain(|one| key(one) != of_new);
    results.push(new);
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    // Whoever reads it meanwhile, or ends this, finds a whole file.
    let beside = file.with_extension("json.new");
    let mut out = BufWriter::new(File::create(&beside)?);
    serde_json::to_writer_pretty(&mut out, &results)?;
    out.flush()?;
    Ok(fs::rename(beside, file)?)
}
