//! What the gateway says of itself.

use logs_shared::overview::{Health, Stats, StoreOverview};

use super::{Gateway, Shared, VERSION, cpu_us, now};
use crate::{
    access::NoMore,
    engine::{Storage, now_ms},
    metrics::Figures,
    process::ProcessFigures,
    rejections::reason,
};

impl Gateway {
    /// Whether the gateway is well, and what is wrong where it is not.
    pub(crate) fn health(&self) -> Health {
        let Shared {
            engine,
            streams,
            revoked,
            nodes,
            started,
            ..
        } = &*self.shared;
        let reason = if streams.is_closing() {
            Some("the gateway is stopping".to_owned())
        } else {
            engine
                .trouble()
                .or_else(|| nodes.as_ref()?.trouble())
                .or_else(|| (!revoked.is_known()).then(|| NoMore::Unknown.to_string()))
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

    /// What this gateway alone is doing, with a row for each channel and stream, of each at most so many. Blocks.
    pub(crate) fn stats(&self, rows: usize) -> Stats {
        let Shared {
            engine,
            streams,
            services,
            rates,
            rejections,
            started,
            ..
        } = &*self.shared;
        let health = self.health();
        let process = ProcessFigures::now();
        let delivered = streams.delivered();
        let (by_channel, channels) = engine.busiest_channels(rows);
        let (by_connection, connections) = streams.overview(engine.head(), now_ms(), rows);
        let lag = streams.lag(engine.head(), now_ms());
        let rejected = rejections.snapshot().into_iter();
        let mut stats = Stats {
            connections,
            channels,
            more_connections: connections - by_connection.len(),
            more_channels: channels - by_channel.len(),
            messages_published: engine.published(),
            messages_delivered: delivered.records(),
            messages_per_second: rates.published.per_second(engine.published()),
            stalled: rejections.of(reason::STALLED),
            status: health.status,
            reason: health.reason,
            max_streams: streams.most(),
            delivered_per_second: rates.delivered.per_second(delivered.records()),
            published_bytes: engine.work().bytes(),
            delivered_bytes: delivered.bytes(),
            append: rates.append.of(&engine.work().appends),
            delivery: rates.delivery.of(&delivered.ages),
            lag_ms: lag.ms,
            streams_behind: lag.streams,
            gaps: delivered.gaps().iter().map(|(_, count)| count).sum(),
            by_service: services.overview(),
            rejections: rejected.map(|(code, count)| (code.to_owned(), count)).collect(),
            store: self.store(),
            cpu_seconds: process.cpu.as_secs_f64(),
            cpu: rates.cpu.per_second(cpu_us(process.cpu)) / 1e6,
            open_fds: process.open_fds,
            max_fds: process.max_fds,
            memory_bytes: process.memory_bytes,
            tail_bytes: engine.tail_bytes(),
            kept_bytes: engine.kept_bytes(),
            uptime_s: started.elapsed().as_secs(),
            version: VERSION.to_owned(),
            timestamp: now(),
            by_channel,
            by_connection,
            nodes: Vec::new(),
        };
        stats.nodes.extend(self.row(&stats));
        stats
    }

    fn store(&self) -> StoreOverview {
        let Shared { config, engine, .. } = &*self.shared;
        let disk = engine.disk_use();
        StoreOverview {
            kind: match config.storage {
                Storage::Memory => "memory",
                Storage::Disk { .. } => "disk",
                Storage::Redis(_) => "redis",
            }
            .to_owned(),
            limit_bytes: config.retention.bytes,
            disk_bytes: disk.and_then(|disk| disk.store),
            journal_bytes: disk.and_then(|disk| disk.journal),
            free_bytes: disk.and_then(|disk| disk.free),
            total_bytes: disk.and_then(|disk| disk.total),
        }
    }

    /// What can be told without a row for each channel and each stream. Blocks: it looks at each open stream and open file
    /// once.
    pub(crate) fn figures(&self) -> Figures {
        let Shared {
            config,
            engine,
            streams,
            services,
            rejections,
            started_at,
            ..
        } = &*self.shared;
        let delivered = streams.delivered();
        let work = engine.work();
        Figures {
            version: VERSION,
            started_at: *started_at,
            is_well: self.health().reason.is_none(),
            streams: streams.count(),
            max_streams: streams.most(),
            channels: engine.channel_count(),
            published: engine.published(),
            published_bytes: work.bytes(),
            services: services.overview(),
            appends: work.appends.counted(),
            batches: work.batches.counted(),
            writes: work.writes.counted(),
            delivered: delivered.records(),
            delivered_bytes: delivered.bytes(),
            deliveries: delivered.ages.counted(),
            lag: streams.lag(engine.head(), now_ms()),
            gaps: delivered.gaps(),
            stalled: rejections.of(reason::STALLED),
            rejections: rejections.snapshot(),
            tail_bytes: engine.tail_bytes(),
            kept_bytes: engine.kept_bytes(),
            most_bytes: config.retention.bytes,
            disk: engine.disk_use(),
            redis: engine.redis(),
            process: ProcessFigures::now(),
        }
    }
}
