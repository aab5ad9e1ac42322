//! [`Scenario`]: what is measured, as data.

use crate::load::{From, Publishing, Readers, Step};
use crate::targets::Target;

/// Something that is measured, of one target after the other.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// As it is called on the command line.
    pub name: &'static str,
    /// Which of several of the same kind.
    pub variant: String,
    /// What is done, and which figure matters.
    pub what: &'static str,
    /// Who can do it.
    pub targets: Vec<Target>,
    /// What is done with a server that has just been started.
    pub acts: Vec<Act>,
}

/// Something that is done with a server.
#[derive(Clone, Debug)]
pub enum Act {
    /// Steps whose outcomes nobody asks for.
    Prepare(Vec<Step>),
    /// A step that is measured.
    Measure(Step),
}

/// All there are. `quick` are shorter, to see whether all works: their figures stand for nothing.
#[must_use]
pub fn all(quick: bool) -> Vec<Scenario> {
    let seconds = if quick { 1.0 } else { 5.0 };
    [20.0, 100.0]
        .into_iter()
        .map(|rate| Scenario {
            name: "fan-out",
            variant: format!("{rate} records/s"),
            what: "1 channel, 1,000 readers: CPU per event, latency",
            targets: everybody(),
            acts: vec![Act::Measure(Step {
                readers: vec![live(1, 1000)],
                publishing: Some(at_rate(1, 1, 1, rate, seconds)),
                settle_ms: 0,
            })],
        })
        .collect()
}

fn everybody() -> Vec<Target> {
    use clap::ValueEnum as _;
    Target::value_variants().to_vec()
}

fn live(channels: usize, each: usize) -> Readers {
    Readers {
        from: From::Live,
        first_channel: 0,
        channels,
        each,
        at_once: 128,
    }
}

fn at_rate(channels: usize, publishers: usize, batch: usize, rate: f64, seconds: f64) -> Publishing {
    Publishing {
        first_channel: 0,
        channels,
        publishers,
        batch,
        rate: Some(rate),
        seconds,
        records: u64::MAX,
    }
}
