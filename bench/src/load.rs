//! The load generator: readers and publishers on one thread, as a process of its own.
//!
//! It is to cost little beside what it measures. One `epoll` has all sockets; what arrives is read into one large buffer, its
//! HTTP framing is skipped where it lies, and marks are looked for as fast as memory is read. Every record counts: there is no
//! sampling, neither of what was lost nor of times.

mod answer;
mod crowd;
mod framing;
mod histogram;
mod lanes;
mod publisher;
mod publishing;
mod reader;
mod scan;
mod spec;
mod step;
mod tally;
#[cfg(test)]
mod tests;
mod witness;

use std::io::{Read as _, Write as _};

use anyhow::Result;

pub use self::spec::{From, Publishing, Readers, Spec, Step};
use self::step::Load;
use crate::outcome::Outcome;

/// What the process does: it reads a [`Spec`] as JSON, and writes an [`Outcome`] for each step.
///
/// # Errors
///
/// Where it cannot read the one or write the other. What goes wrong under load is told in the outcome.
pub fn serve() -> Result<()> {
    let mut spec = String::new();
    std::io::stdin().read_to_string(&mut spec)?;
    let outcomes = run(&serde_json::from_str(&spec)?);
    std::io::stdout().write_all(&serde_json::to_vec(&outcomes)?)?;
    Ok(())
}

/// Does what the spec says. After a step that something went wrong in, there are no more.
fn run(spec: &Spec) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let mut load = Load::new(spec);
    for step in &spec.steps {
        let outcome = load.step(step);
        let over = outcome.trouble.is_some();
        outcomes.push(outcome);
        if over {
            break;
        }
    }
    outcomes
}
