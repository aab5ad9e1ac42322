//! [`Scenario`]: what is measured, as data.

mod curves;
mod fan_out;
mod past;
mod publish;

use crate::figures::Figure;
use crate::load::{From, Publishing, Readers, Step};
use crate::targets::Target;

/// Something that is measured, of one target after the other.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// As it is called on the command line.
    pub name: &'static str,
    /// Which of several of the same kind.
    pub variant: String,
    /// What is done.
    pub what: &'static str,
    /// What is told of it.
    pub figures: &'static [Figure],
    /// Who can do it.
    pub targets: &'static [Target],
    /// What is done with a server that has just been started.
    pub acts: Vec<Act>,
}

/// Something that is done with a server.
#[derive(Clone, Debug)]
pub enum Act {
    /// A step that only has to succeed.
    Prepare(Step),
    /// The server is killed, and started again with the files that it had.
    Restart,
    /// The step that is measured: the last act.
    Measure(Step),
    /// The same for what takes a moment only: it is done so many times, and the outcome that took neither least nor most counts.
    Median(Step, usize),
    /// This step at the highest rate that the server keeps up with, where each try has a server of its own: the only act.
    ///
    /// It publishes a hundred times a second, in batches where the server takes them, and otherwise one record in each
    /// request, from several publishers.
    Highest(Step),
}

/// All there are. Where it is `quick` they are shorter, to see whether all works: their figures stand for little.
#[must_use]
pub fn all(quick: bool) -> Vec<Scenario> {
    let mut all = fan_out::all(quick);
    all.extend(publish::all(quick));
    all.extend(past::all(quick));
    all.extend(curves::all(quick));
    all
}

/// Who can be read from live.
const EVERYBODY: &[Target] = &[
    Target::Gateway,
    Target::GatewayMemory,
    Target::Nchan,
    Target::Express,
    Target::FloorOneWrite,
    Target::FloorBatched,
];

/// The gateway's ways to keep records.
const GATEWAYS: &[Target] = &[Target::Gateway, Target::GatewayMemory];

/// Readers of what is published from now on.
fn live(channels: usize, each: usize) -> Readers {
    Readers {
        from: From::Live,
        first_channel: 0,
        channels,
        each,
        at_once: 128,
    }
}

/// Streams of channels that nobody publishes to.
fn idle(streams: usize) -> Readers {
    Readers {
        first_channel: 50_000,
        ..live(100.min(streams), streams / 100.min(streams.max(1)))
    }
}

/// Single records at a rate.
fn at_rate(channels: usize, publishers: usize, rate: f64, seconds: f64) -> Publishing {
    Publishing {
        first_channel: 0,
        channels,
        publishers,
        batch: 1,
        rate: Some(rate),
        seconds,
        records: u64::MAX,
    }
}

/// So many records to each of these channels, as fast as it goes.
fn fill(first_channel: usize, channels: usize, records: u64) -> Step {
    Step {
        publishing: Some(Publishing {
            first_channel,
            channels,
            publishers: 1,
            batch: usize::try_from(records).map_or(100, |records| records.min(100)),
            rate: None,
            seconds: 120.0,
            records: records * channels as u64,
        }),
        ..Step::default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_scenario_is_there_once_has_targets_and_figures_and_ends_with_what_is_measured() {
        for scenario in all(false).into_iter().chain(all(true)) {
            let Scenario { name, variant, .. } = &scenario;
            let measured = scenario
                .acts
                .iter()
                .filter(|act| !matches!(act, Act::Prepare(_) | Act::Restart));
            assert_eq!(measured.count(), 1, "{name}, {variant}");
            assert!(
                !matches!(scenario.acts.last(), Some(Act::Prepare(_) | Act::Restart) | None),
                "{name}"
            );
            assert!(
                !scenario.targets.is_empty() && !scenario.figures.is_empty(),
                "{name}"
            );
        }
        let names: HashSet<_> = all(false)
            .into_iter()
            .map(|one| (one.name, one.variant))
            .collect();
        assert_eq!(names.len(), all(false).len());
    }
}
