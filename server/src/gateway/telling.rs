//! What the gateway says of itself.

use logs_shared::{
    ChannelPattern,
    overview::{Health, Stats},
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
            engine,
            streams,
            rate,
            rejections,
            started,
            ..
        } = &*self.shared;
        let by_channel = engine.channels(&ChannelPattern::everything());
        let by_connection = streams.overview();
        Stats {
            connections: by_connection.len(),
            channels: by_channel.len(),
            messages_published: engine.published(),
            messages_delivered: streams.delivered(),
            messages_per_second: rate.per_second(engine.published()),
            stalled: rejections.of(reason::STALLED),
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
