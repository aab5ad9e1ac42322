//! [`Outcome`]: what a run under load gave.

use serde::{Deserialize, Serialize};

/// What a run under load gave. Counted from when the first record was published to when the last one was read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Outcome {
    /// Records a second that were to be published; 0 where it was as many as possible, or none.
    pub offered: f64,
    /// For how long, in seconds; 0 where that was not said.
    pub intended: f64,
    /// Seconds that took.
    pub seconds: f64,
    /// Records published and acknowledged, and requests that it took.
    pub published: u64,
    /// As above.
    pub requests: u64,
    /// Records read, over all readers.
    pub delivered: u64,
    /// Records that a reader should have read and has not.
    pub lost: u64,
    /// Records that a reader has read more than once.
    pub repeated: u64,
    /// Records that a reader has read after a later one.
    pub out_of_order: u64,
    /// From the moment a record was due, or just before it was written where as many as possible are, until a reader had it.
    pub latency: Latency,
    /// From just before a request was written until its answer was there.
    pub answer: Latency,
    /// CPU seconds of the server, in all its processes and threads.
    pub server_cpu: f64,
    /// Those of the load generator: where they come near `seconds`, it is what was measured.
    pub load_cpu: f64,
    /// Seconds that the load generator was ready and had to wait for its core: what else runs there has been measured too.
    pub load_waited: f64,
    /// As above, of the server, whose threads also wait for each other.
    pub server_waited: f64,
    /// Resident memory of the server at the end, in bytes; what its processes share counts once.
    pub server_memory: u64,
    /// As `server_memory`, before the streams were opened.
    pub memory_before: u64,
    /// Streams that were open.
    pub streams: u64,
    /// Seconds until all streams were open.
    pub connecting: f64,
    /// What went wrong, in words: then the figures stand for nothing.
    pub trouble: Option<String>,
}

/// A distribution of times, in microseconds.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Latency {
    /// Half took no longer.
    pub p50: u64,
    /// 99 of 100 took no longer.
    pub p99: u64,
    /// 999 of 1,000 took no longer.
    pub p999: u64,
    /// None took longer.
    pub max: u64,
}
