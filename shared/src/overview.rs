//! What the gateway says about itself: health, channels, statistics.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Channel, ChannelPattern, RecordId, Timestamp};

/// `GET /health`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// `healthy` or `unhealthy`.
    pub status: String,
    /// Why it is not healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The gateway's version.
    pub version: String,
    /// Seconds since the start.
    pub uptime_s: u64,
    /// Open streams.
    pub connections: usize,
    /// Channels that exist.
    pub channels: usize,
    /// When, by the gateway's clock.
    pub timestamp: Timestamp,
}

/// `GET /api/logs/channels`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Channels {
    /// In the order of their names.
    pub channels: Vec<ChannelOverview>,
}

/// One channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelOverview {
    /// Its name.
    pub channel: Channel,
    /// Its service.
    pub service: String,
    /// Its workspace.
    pub workspace_id: String,
    /// Its resource, where it has one.
    #[serde(default)]
    pub resource_id: Option<String>,
    /// How many records are kept.
    pub records: usize,
    /// The oldest record that is kept.
    pub first_id: Option<RecordId>,
    /// The newest record that is kept.
    pub last_id: Option<RecordId>,
    /// How many streams follow it.
    pub readers: usize,
    /// What its records take: on disk before compression, or in memory.
    #[serde(default)]
    pub bytes: u64,
    /// Records that came to it per second, over the last ten seconds.
    #[serde(default)]
    pub per_second: f64,
}

/// `GET /admin/logs/stats`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// Open streams.
    pub connections: usize,
    /// Channels that exist.
    pub channels: usize,
    /// Records accepted since the start.
    pub messages_published: u64,
    /// Records handed to streams since the start, counted once a stream.
    pub messages_delivered: u64,
    /// Records accepted per second, over the last ten seconds.
    pub messages_per_second: f64,
    /// Connections closed since the start because they took nothing of what they were sent for too long.
    #[serde(default)]
    pub stalled: u64,
    /// `healthy` or `unhealthy`, as `/health` says.
    #[serde(default)]
    pub status: String,
    /// Why it is not healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Streams that may be open.
    #[serde(default)]
    pub max_streams: usize,
    /// Records handed to streams per second, over the last ten seconds.
    #[serde(default)]
    pub delivered_per_second: f64,
    /// Bytes of the records accepted since the start, as they are sent to readers.
    #[serde(default)]
    pub published_bytes: u64,
    /// Bytes handed to streams since the start.
    #[serde(default)]
    pub delivered_bytes: u64,
    /// From when a publication was read until it was stored and could be read, a publication each.
    #[serde(default)]
    pub append: Latency,
    /// From when a record got its id until it was handed to a stream that was up to date before: the oldest record of
    /// each chunk.
    #[serde(default)]
    pub delivery: Latency,
    /// The age of the oldest record that some stream has yet to be given, in milliseconds; 0 where all are up to date.
    #[serde(default)]
    pub lag_ms: u64,
    /// Streams that have yet to be given a record.
    #[serde(default)]
    pub streams_behind: usize,
    /// Gaps that streams were told of since the start.
    #[serde(default)]
    pub gaps: u64,
    /// What became of records that services published, a row a service; at most 64 and one that is called `other`.
    #[serde(default)]
    pub by_service: Vec<ServiceOverview>,
    /// What was refused since the start, by the code of the refusal; those that there were.
    #[serde(default)]
    pub rejections: BTreeMap<String, u64>,
    /// Where records are kept.
    #[serde(default)]
    pub store: StoreOverview,
    /// Processor time of the whole process since the start, in seconds; 0 where the system does not tell.
    #[serde(default)]
    pub cpu_seconds: f64,
    /// Processors in use, over the last ten seconds: 1 is one of them all the time.
    #[serde(default)]
    pub cpu: f64,
    /// Files and sockets that the process has open; 0 where the system does not tell.
    #[serde(default)]
    pub open_fds: u64,
    /// Files and sockets that it may have open; 0 where there is no limit.
    #[serde(default)]
    pub max_fds: u64,
    /// Memory of the whole process in bytes; 0 where the system does not tell.
    pub memory_bytes: u64,
    /// Bytes of records in memory.
    pub tail_bytes: u64,
    /// Bytes of all records that are kept: on disk before compression, or in memory.
    pub kept_bytes: u64,
    /// Seconds since the start.
    pub uptime_s: u64,
    /// The gateway's version.
    pub version: String,
    /// When, by the gateway's clock.
    pub timestamp: Timestamp,
    /// One row a channel, in the order of their names. Where there are more than were asked for, those to which most is published
    /// just now, and then those to which something was published last.
    pub by_channel: Vec<ChannelOverview>,
    /// One row a stream, the oldest first. Where there are more than were asked for, those that are the farthest behind, and then
    /// the newest.
    pub by_connection: Vec<StreamOverview>,
    /// Where several gateways share a Redis, one row each; everything else is of all of them then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NodeOverview>,
    /// Channels that have no row.
    #[serde(default)]
    pub more_channels: usize,
    /// Streams that have no row.
    #[serde(default)]
    pub more_connections: usize,
}

/// One of several gateways that share a Redis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeOverview {
    /// Which: another id with each start.
    pub node: String,
    /// The name of its machine.
    pub host: String,
    /// Where it listens, as it was told to.
    pub address: String,
    /// Its version.
    pub version: String,
    /// Seconds since its start.
    pub uptime_s: u64,
    /// Streams that are open on it.
    pub connections: usize,
    /// Records accepted by it per second, over the last ten seconds.
    pub published_per_second: f64,
    /// Records handed to its streams per second, over the last ten seconds.
    pub delivered_per_second: f64,
    /// `healthy`, `unhealthy` or `silent`: it is there and did not answer in time.
    pub status: String,
    /// Why it is not healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One open stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamOverview {
    /// What an operator calls it by, on whichever gateway. Gives nobody power over the stream, as its id would.
    #[serde(default)]
    pub name: String,
    /// Counts the gateway's streams from its start.
    pub number: u64,
    /// The gateway that has it, where several share a Redis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Who reads, as far as the gateway knows.
    pub user_id: String,
    /// What it follows.
    pub channels: Vec<ChannelPattern>,
    /// Since when.
    pub connected_at: Timestamp,
    /// Records handed to it.
    pub delivered: u64,
    /// Up to where it has read.
    pub cursor: RecordId,
    /// The age of the oldest record that it has yet to be given, in milliseconds; 0 where it is up to date.
    #[serde(default)]
    pub lag_ms: u64,
}

/// How long something took, over the last minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// How often it was measured.
    pub count: u64,
    /// Half of them took no longer than about so many milliseconds; `None` where there were none.
    pub p50_ms: Option<f64>,
    /// All but one of a hundred took no longer than about so many milliseconds; `None` where there were none.
    pub p99_ms: Option<f64>,
}

/// What became of the records that one service published since the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceOverview {
    /// Its name.
    pub service: String,
    /// Records stored.
    pub accepted: u64,
    /// Records that had been stored before, under the same idempotency key.
    pub repeated: u64,
    /// Records refused.
    pub rejected: u64,
}

/// Where records are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreOverview {
    /// `disk`, `memory` or `redis`.
    pub kind: String,
    /// Bytes that are kept at most, as `kept_bytes` counts them.
    pub limit_bytes: u64,
    /// What the data folder takes on disk, the journal included; `None` where there is none.
    pub disk_bytes: Option<u64>,
    /// What the journal takes of that.
    pub journal_bytes: Option<u64>,
    /// Room left on the folder's disk.
    pub free_bytes: Option<u64>,
    /// All the room that this disk has.
    pub total_bytes: Option<u64>,
}
