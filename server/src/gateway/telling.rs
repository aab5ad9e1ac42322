//! What the gateway says of itself.

use logs_shared::{
    ChannelPattern,
    overview::{Health, Latency, Stats, StoreOverview},
};

use super::{Gateway, Shared, VERSION, now};
use crate::{metrics::Figures, process::memory_bytes, rejections::reason};

impl Gateway {
    /// Whether the gateway is well, and what is wrong where it is not.
    pub(crate) fn health(&self) -> Health {
        let Shared {
            engine,
            streams,
            started,
            ..
        } = &*self.shared;
        let reason = if streams.is_closing() {
            Some("the gateway is stopping".to_owned())
        } else {
            engine.trouble()
        };
        Health {
            status: if reason.is_none() { "healthy" } else { "unhealthy" }.to_owned(),
            reason,
            version: VERSION.to_owned(),
            uptime_s: started.elapsed().as_secs(),
            connections: streams.count(),
            channels: engine.channel_count(),
            timestamp: now(),
        }
    }

    /// What it is doing, with a row for each channel and stream. Blocks.
    pub(crate) fn stats(&self) -> Stats {
        let Shared {
            config,
            engine,
            streams,
            rate,
            rejections,
            started,
            ..
        } = &*self.shared;
        let health = self.health();
        let by_channel = engine.channels(&ChannelPattern::everything());
        let by_connection = streams.overview();
        Stats {
            connections: by_connection.len(),
            channels: by_channel.len(),
            messages_published: engine.published(),
            messages_delivered: streams.delivered(),
            messages_per_second: rate.per_second(engine.published()),
            stalled: rejections.of(reason::STALLED),
            status: health.status,
            reason: health.reason,
            max_streams: config.stream_limits.total,
            delivered_per_second: 0.0,
            published_bytes: 0,
            delivered_bytes: 0,
            append: Latency::default(),
            delivery: Latency::default(),
            lag_ms: 0,
            streams_behind: 0,
            gaps: 0,
            by_service: Vec::new(),
            rejections: rejections
                .snapshot()
                .into_iter()
                .map(|(code, count)| (code.to_owned(), count))
                .collect(),
            store: StoreOverview {
                kind: match config.storage.dir() {
                    Some(_) => "disk",
                    None => "memory",
                }
                .to_owned(),
                limit_bytes: config.retention.bytes,
                ..StoreOverview::default()
            },
            cpu_seconds: 0.0,
            cpu: 0.0,
            open_fds: 0,
            max_fds: 0,
            memory_bytes: memory_bytes(),
            tail_bytes: engine.tail_bytes(),
            kept_bytes: engine.kept_bytes(),
            uptime_s: started.elapsed().as_secs(),
            version: VERSION.to_owned(),
            timestamp: now(),
            by_channel,
            by_connection,
        }
    }

    /// What can be told without a look at each channel and each stream.
    pub(crate) fn figures(&self) -> Figures {
        let Shared {
            engine,
            streams,
            rejections,
            started_at,
            ..
        } = &*self.shared;
        Figures {
            version: VERSION,
            started_at: *started_at,
            is_well: self.health().reason.is_none(),
            streams: streams.count(),
            channels: engine.channel_count(),
            published: engine.published(),
            delivered: streams.delivered(),
            stalled: rejections.of(reason::STALLED),
            memory_bytes: memory_bytes(),
            tail_bytes: engine.tail_bytes(),
            kept_bytes: engine.kept_bytes(),
            rejections: rejections.snapshot(),
        }
    }
}
