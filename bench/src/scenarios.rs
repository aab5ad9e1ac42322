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
