//! What the gateway says about itself: health, channels, statistics.

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channels {
    /// In the order of their names.
    pub channels: Vec<ChannelOverview>,
}

/// One channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// One row a channel.
    pub by_channel: Vec<ChannelOverview>,
    /// One row a stream.
    pub by_connection: Vec<StreamOverview>,
}

/// One open stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamOverview {
    /// Counts streams from the start: tells rows apart and gives nobody power over the stream, as its id would.
    pub number: u64,
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
}
