//! Does what the scenarios say, of each target in turn, and keeps what came out.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::sched_getaffinity;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::load::{Spec, Step};
use crate::outcome::Outcome;
use crate::scenarios::{Act, Scenario};
use crate::server::Server;
use crate::targets::{Setup, Target};

/// About how long a record's message is.
const RECORD_BYTES: usize = 100;

/// One line of the results.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// See [`Scenario`].
    pub scenario: String,
    /// As above.
    pub variant: String,
    /// Of whom.
    pub target: Target,
    /// What it gave.
    pub outcome: Outcome,
}

/// Measures these of these targets, and writes all to this file: results of before that are not measured anew stay in it.
///
/// # Errors
///
/// Where a target cannot be started or the file not be written. What goes wrong under load is told in the results.
pub fn run(scenarios: &[Scenario], targets: &[Target], out: &Path) -> Result<()> {
    raise_limit()?;
    let mut results = read(out)?;
    for scenario in scenarios {
        for target in targets.iter().filter(|target| scenario.targets.contains(target)) {
            let began = Instant::now();
            let outcome = measure(scenario, *target);
            let outcome = outcome.with_context(|| format!("{} of {}", scenario.name, target.name()))?;
            println!(
                "{}",
                line(scenario, *target, &outcome, began.elapsed().as_secs_f64())
            );
            let same = |one: &Measured| {
                (one.scenario.as_str(), one.variant.as_str(), one.target)
                    == (scenario.name, &scenario.variant, *target)
            };
            results.retain(|one| !same(one));
            results.push(Measured {
                scenario: scenario.name.to_owned(),
                variant: scenario.variant.clone(),
                target: *target,
                outcome,
            });
            write(out, &results)?;
        }
    }
    Ok(())
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

fn write(file: &Path, results: &[Measured]) -> Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut out = BufWriter::new(File::create(file)?);
    serde_json::to_writer_pretty(&mut out, results)?;
    Ok(out.flush()?)
}

/// Does all acts of a scenario with a server of its own.
fn measure(scenario: &Scenario, target: Target) -> Result<Outcome> {
    let (server_core, load_core) = cores()?;
    let server = target.start(Setup {
        core: server_core,
        folder: TempDir::new()?,
    })?;
    let mut steps = Vec::new();
    for act in &scenario.acts {
        match act {
            Act::Prepare(before) => steps.extend(before.iter().cloned()),
            Act::Measure(step) => steps.push(step.clone()),
        }
    }
    let outcomes = load(&server, steps, load_core)?;
    outcomes.into_iter().last().context("nothing was measured")
}

/// Lets a load generator do these steps.
fn load(server: &Server, steps: Vec<Step>, core: Option<usize>) -> Result<Vec<Outcome>> {
    let spec = Spec {
        wire: server.wire.clone(),
        pids: server.pids.clone(),
        record_bytes: RECORD_BYTES,
        published: 0,
        steps,
    };
    let program = std::env::current_exe()?;
    let mut command = match core {
        Some(core) => {
            let mut command = Command::new("taskset");
            command.args(["-c", &core.to_string()]).arg(program);
            command
        }
        None => Command::new(program),
    };
    let mut child = command
        .arg("load")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    child
        .stdin
        .take()
        .context("no way to tell the load generator")?
        .write_all(&serde_json::to_vec(&spec)?)?;
    let output = child.wait_with_output()?;
    ensure!(
        output.status.success(),
        "the load generator ended with {}",
        output.status
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The cores of the server and of the load; none where there is but one.
fn cores() -> Result<(Option<usize>, Option<usize>)> {
    let set = sched_getaffinity(None)?;
    let mut cores = (0..1024).filter(|core| set.is_set(*core));
    let two = (cores.next(), cores.next());
    Ok(if two.1.is_some() { two } else { (None, None) })
}

/// As many files as the system gives, for this process and those it starts.
fn raise_limit() -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    Ok(setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    )?)
}

fn line(scenario: &Scenario, target: Target, outcome: &Outcome, took: f64) -> String {
    let event = outcome.server_cpu * 1e6 / (outcome.delivered.max(1) as f64);
    let mut line = format!(
        "{} {:14} {:16} {:>9.0}/s delivered, {event:6.2} µs/event, p50 {} p99 {} p99.9 {} max {} µs",
        scenario.name,
        scenario.variant,
        target.name(),
        outcome.delivered as f64 / outcome.seconds.max(1e-9),
        outcome.latency.p50,
        outcome.latency.p99,
        outcome.latency.p999,
        outcome.latency.max,
    );
    let wrong = [
        ("lost", outcome.lost),
        ("repeated", outcome.repeated),
        ("out of order", outcome.out_of_order),
    ];
    for (name, count) in wrong.into_iter().filter(|(_, count)| *count > 0) {
        line += &format!(", {count} {name}");
    }
    if let Some(trouble) = &outcome.trouble {
        line += &format!(", TROUBLE: {trouble}");
    }
    line + &format!("  ({took:.1} s)")
}
