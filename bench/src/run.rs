//! Does what the scenarios say, of each target in turn, and keeps what came out.

mod highest;
mod place;
mod results;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use self::place::{Place, raise_limit};
pub use self::results::{Measured, read};
use crate::load::Step;
use crate::outcome::Outcome;
use crate::scenarios::{Act, Scenario};
use crate::server::Server;
use crate::targets::Target;

/// Measures these of these targets, and writes all to this file: results of before that are not measured anew stay in it.
/// Where a highest rate would be looked for, this rate is tried instead, if there is one.
///
/// # Errors
///
/// Where something could not be measured, or the file not be written; then the others have been measured all the same.
pub fn run(scenarios: &[Scenario], targets: &[Target], rate: Option<f64>, out: &Path) -> Result<()> {
    raise_limit()?;
    let place = Place::find()?;
    let mut failed = 0;
    for scenario in scenarios {
        for target in targets
            .iter()
            .copied()
            .filter(|target| scenario.targets.contains(target))
        {
            let began = Instant::now();
            let head = format!(
                "{:14} {:18} {:16}",
                scenario.name,
                scenario.variant,
                target.name()
            );
            match measure(place, scenario, target, rate) {
                Ok(outcome) => {
                    failed += usize::from(outcome.trouble.is_some());
                    println!(
                        "{head}{} ({:.1} s)",
                        told(scenario, &outcome),
                        began.elapsed().as_secs_f64()
                    );
                    let measured = Measured {
                        scenario: scenario.name.to_owned(),
                        variant: scenario.variant.clone(),
                        target,
                        outcome,
                    };
                    results::put(out, measured)?;
                }
                Err(error) => {
                    failed += 1;
                    println!("{head} not measured: {error:#}");
                }
            }
        }
    }
    ensure!(failed == 0, "{failed} could not be measured");
    Ok(())
}

/// Does all acts of a scenario.
fn measure(place: Place, scenario: &Scenario, target: Target, rate: Option<f64>) -> Result<Outcome> {
    if let [Act::Highest(step)] = scenario.acts.as_slice() {
        let first = step
            .publishing
            .and_then(|publishing| publishing.rate)
            .context("no rate to begin with")?;
        let tried = |rate, at: fn(&Step, f64, bool) -> Step| {
            let server = place.start(target, TempDir::new()?)?;
            let step = at(step, rate, server.wire.batch.is_some());
            last(place.load(&server, vec![step], 0)?)
        };
        return match rate {
            Some(rate) => tried(rate, highest::at),
            None => highest::search(first, |rate| tried(rate, highest::given_up)),
        };
    }
    let mut server = place.start(target, TempDir::new()?)?;
    let mut steps = Vec::new();
    let mut published = 0;
    for act in &scenario.acts {
        match act {
            Act::Prepare(step) | Act::Measure(step) | Act::Highest(step) => {
                steps.push(fitting(step, &server));
            }
            Act::Restart => {
                let before = last(place.load(&server, std::mem::take(&mut steps), published)?)?;
                if before.trouble.is_some() {
                    return Ok(before);
                }
                published += before.published;
                let folder = server.kill().context("no files are left of a server")?;
                server = place.start(target, folder)?;
            }
        }
    }
    last(place.load(&server, steps, published)?)
}

fn last(outcomes: Vec<Outcome>) -> Result<Outcome> {
    outcomes.into_iter().last().context("nothing was measured")
}

/// The step, without batches where the server takes none.
fn fitting(step: &Step, server: &Server) -> Step {
    let mut step = step.clone();
    if let Some(publishing) = step.publishing.as_mut().filter(|_| server.wire.batch.is_none()) {
        publishing.batch = 1;
    }
    step
}

/// The figures that a scenario asks for, and what was wrong.
fn told(scenario: &Scenario, outcome: &Outcome) -> String {
    let figures = scenario
        .figures
        .iter()
        .map(|figure| format!(" {} {}", round(figure.of(outcome)), figure.name()));
    let mut told: String = figures.collect::<Vec<_>>().join(",");
    let wrong = [
        ("lost", outcome.lost),
        ("repeated", outcome.repeated),
        ("out of order", outcome.out_of_order),
    ];
    for (name, count) in wrong.into_iter().filter(|(_, count)| *count > 0) {
        told += &format!(", {count} {name}");
    }
    if outcome.offered > 0.0 {
        told += &format!(", offered {} records/s", round(outcome.offered));
    }
    if outcome.seconds > 0.01 {
        let share = |seconds: f64| seconds / outcome.seconds * 100.0;
        told += &format!(", server {:.0} %", share(outcome.server_cpu));
        told += &format!(
            ", load {:.0} % and {:.0} % waiting",
            share(outcome.load_cpu),
            share(outcome.load_waited)
        );
    }
    match &outcome.trouble {
        Some(trouble) => told + ", TROUBLE: " + trouble,
        None => told,
    }
}

/// With as many digits as mean something.
fn round(number: f64) -> String {
    match number {
        number if number >= 100.0 => format!("{number:.0}"),
        number if number >= 10.0 => format!("{number:.1}"),
        number => format!("{number:.2}"),
    }
}
