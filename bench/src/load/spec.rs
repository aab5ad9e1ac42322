//! [`Spec`]: what a load generator is told to do.

use serde::{Deserialize, Serialize};

use crate::wire::Wire;

/// What a load generator is told to do, one step after the other. Each step has an outcome.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Spec {
    /// How the server is spoken to.
    pub wire: Wire,
    /// Whose CPU time and memory are the server's.
    pub pids: Vec<u32>,
    /// About how long the message of a record is.
    pub record_bytes: usize,
    /// How many records each lane has already, from a load generator before.
    pub published: u64,
    /// After how many milliseconds in which nothing comes a step is over, whatever is still missing.
    pub quiet_ms: u64,
    /// What is to be done.
    pub steps: Vec<Step>,
}

/// Readers that are there while something is published. They are gone when the next step begins.
///
/// A step is over when all readers have had everything, or when nothing comes any more.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Step {
    /// Who reads.
    pub readers: Vec<Readers>,
    /// What is published when all streams are open.
    pub publishing: Option<Publishing>,
    /// How long to wait before memory is looked at, in milliseconds: a server may still be tidying up.
    pub settle_ms: u64,
    /// The step is over so many milliseconds after publishing began, whatever is still missing then; with 0, never for that.
    pub at_most_ms: u64,
}

/// Readers that are alike.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Readers {
    /// What they read.
    pub from: From,
    /// The first of their channels.
    pub first_channel: usize,
    /// How many channels they read: one each.
    pub channels: usize,
    /// How many readers each of the channels has.
    pub each: usize,
    /// How many may wait for their stream to be opened at once.
    pub at_once: usize,
}

/// Where a reader begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum From {
    /// With what is published from now on.
    Live,
    /// As `Live`, and it notes every id, for who resumes in the next step.
    Witness,
    /// As `Live`, of all channels at once.
    Firehose,
    /// With all that is kept.
    Replay,
    /// So many records before the newest, by an id that the witness of the step before noted.
    Resume(u64),
}

/// What is published.
///
/// At a rate, records are published when they are due, whatever the server does meanwhile (an open loop), and their latency
/// counts from then: what waits because a publisher is not answered has been slow too. A batch is due when its last record is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Publishing {
    /// The first of the channels that are published to, in turn.
    pub first_channel: usize,
    /// How many they are.
    pub channels: usize,
    /// How many connections publish, each waiting for an answer before it goes on.
    pub publishers: usize,
    /// How many records a request has; with 1, the server's way of publishing one.
    pub batch: usize,
    /// Records a second over all publishers; without, as many as they can.
    pub rate: Option<f64>,
    /// For how long, in seconds, and
    pub seconds: f64,
    /// how many records at most.
    pub records: u64,
}
