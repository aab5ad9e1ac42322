//! [`Figures`]: what `/metrics` says, as text that Prometheus reads.

mod format;
mod rows;

use std::fmt;

use logs_shared::{Timestamp, overview::ServiceOverview, problem::code};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, text},
    metrics::MetricType,
    registry::{Registry, Unit},
};

pub(crate) use self::format::Format;
use self::rows::Rows;
use crate::{
    engine::{DiskUse, REDIS_TROUBLES, RedisState},
    histogram::Counted,
    process::ProcessFigures,
    streams::Lag,
};

/// What the gateway counts, at one moment. Whatever there is of channels, streams and strangers, it has the same few
/// rows: nothing in it grows with what somebody sends.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) version: &'static str,
    /// When the gateway was started.
    pub(crate) started_at: Timestamp,
    pub(crate) is_well: bool,
    /// Open ones.
    pub(crate) streams: usize,
    /// How many may be.
    pub(crate) max_streams: usize,
    pub(crate) channels: usize,
    /// Records accepted since the start.
    pub(crate) published: u64,
    /// Bytes of them.
    pub(crate) published_bytes: u64,
    /// What became of records, by service: few rows.
    pub(crate) services: Vec<ServiceOverview>,
    /// How long publications took.
    pub(crate) appends: Counted,
    /// How many records were stored together.
    pub(crate) batches: Counted,
    /// How long it took to store them.
    pub(crate) writes: Counted,
    /// Records handed to streams since the start, counted once a stream.
    pub(crate) delivered: u64,
    /// Bytes handed to them.
    pub(crate) delivered_bytes: u64,
    /// How old records were then.
    pub(crate) deliveries: Counted,
    pub(crate) lag: Lag,
    /// Gaps that streams were told of since the start, by reason.
    pub(crate) gaps: Vec<(&'static str, u64)>,
    /// Connections closed since the start because they took nothing for too long.
    pub(crate) stalled: u64,
    /// What was refused since the start, by reason.
    pub(crate) rejections: Vec<(&'static str, u64)>,
    /// Of records in memory.
    pub(crate) tail_bytes: u64,
    /// Of all records that are kept.
    pub(crate) kept_bytes: u64,
    /// That are kept at most.
    pub(crate) most_bytes: u64,
    /// Where records are on disk.
    pub(crate) disk: Option<DiskUse>,
    /// Where they are in Redis.
    pub(crate) redis: Option<RedisState>,
    pub(crate) process: ProcessFigures,
}

impl Figures {
    pub(crate) fn to_text(&self, format: Format) -> Result<String, fmt::Error> {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self.clone()));
        let mut text = String::new();
        text::encode(&mut text, &registry)?;
        match format {
            Format::OpenMetrics => Ok(text),
            Format::Text => format::to_older(&text),
        }
    }

    /// Every code is there from the start: a rate over a row that appears with its first refusal would miss that one.
    fn rejections(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let never = |code: &&&str| !self.rejections.iter().any(|(reason, _)| reason == *code);
        let never = code::ALL.iter().filter(never).map(|code| (*code, 0));
        self.rejections.iter().copied().chain(never.collect::<Vec<_>>())
    }

    fn encode_state(&self, out: &mut Rows<'_, '_>) -> fmt::Result {
        out.row("logs_gateway_build", "What is running", None, MetricType::Info)?
            .encode_info(&[("version", self.version)])?;
        out.gauge(
            "logs_gateway_healthy",
            "1 where the gateway can do its work, as /health says",
            u64::from(self.is_well),
        )?;
        out.gauge("logs_gateway_streams", "Open streams", count(self.streams))?;
        out.gauge(
            "logs_gateway_streams_limit",
            "Streams that may be open (MAX_STREAMS)",
            count(self.max_streams),
        )?;
        out.gauge(
            "logs_gateway_channels",
            "Channels that exist",
            count(self.channels),
        )
    }

    fn encode_publishing(&self, out: &mut Rows<'_, '_>) -> fmt::Result {
        out.counter(
            "logs_gateway_records_published",
            "Records accepted since the start",
            self.published,
        )?;
        out.bytes_counter(
            "logs_gateway_published",
            "Bytes of the records accepted since the start, as they are sent to readers",
            self.published_bytes,
        )?;
        let outcomes = self.services.iter().flat_map(|row| {
            let counts = [
                ("accepted", row.accepted),
                ("repeated", row.repeated),
                ("rejected", row.rejected),
            ];
            let service = row.service.as_str();
            counts.map(|(outcome, count)| ([("service", service), ("outcome", outcome)], count))
        });
        out.counters(
            "logs_gateway_service_records",
            "What became of published records, by service: at most 64 services, and other for what is of none of them",
            outcomes,
        )?;
        out.histogram(
            "logs_gateway_append_duration",
            "From when a publication was read until it was stored and could be read, a publication each",
            Some(&Unit::Seconds),
            &self.appends,
        )?;
        out.histogram(
            "logs_gateway_writer_batch_records",
            "Records that were stored together",
            None,
            &self.batches,
        )?;
        out.histogram(
            "logs_gateway_store_write_duration",
            "How long the store took to write such a batch; not measured with STORE=memory",
            Some(&Unit::Seconds),
            &self.writes,
        )
    }

    fn encode_delivering(&self, out: &mut Rows<'_, '_>) -> fmt::Result {
        out.counter(
            "logs_gateway_records_delivered",
            "Records handed to streams since the start, counted once a stream",
            self.delivered,
        )?;
        out.bytes_counter(
            "logs_gateway_delivered",
            "Bytes handed to streams since the start, before encryption",
            self.delivered_bytes,
        )?;
        out.histogram(
            "logs_gateway_delivery_duration",
            "From when a record got its id until it was handed to the connection of a stream that was up to date before: \
             the oldest record of each chunk",
            Some(&Unit::Seconds),
            &self.deliveries,
        )?;
        out.seconds(
            "logs_gateway_slowest_stream_lag",
            "The age of the oldest record that some stream has yet to be given; 0 where all are up to date",
            ms(self.lag.ms),
        )?;
        out.gauge(
            "logs_gateway_streams_behind",
            "Streams that have yet to be given a record",
            count(self.lag.streams),
        )?;
        out.counters(
            "logs_gateway_gaps",
            "Gaps that streams were told of since the start, by reason",
            self.gaps
                .iter()
                .map(|(reason, count)| ([("reason", *reason)], *count)),
        )?;
        out.counter(
            "logs_gateway_stalled_connections",
            "Connections closed since the start because they took nothing of what they were sent for too long",
            self.stalled,
        )?;
        out.counters(
            "logs_gateway_rejections",
            "Requests refused since the start, and records refused within accepted batches, by code",
            self.rejections()
                .map(|(reason, count)| ([("reason", reason)], count)),
        )
    }

    fn encode_store(&self, out: &mut Rows<'_, '_>) -> fmt::Result {
        out.bytes(
            "logs_gateway_kept",
            "Bytes of all records that are kept: on disk before compression, or in memory",
            self.kept_bytes,
        )?;
        out.bytes(
            "logs_gateway_kept_limit",
            "Bytes that are kept at most (RETENTION_BYTES)",
            self.most_bytes,
        )?;
        out.bytes("logs_gateway_tail", "Bytes of records in memory", self.tail_bytes)?;
        let Some(DiskUse {
            store,
            journal,
            free,
            total,
        }) = self.disk
        else {
            return Ok(());
        };
        for (name, help, bytes) in [
            (
                "logs_gateway_store_disk",
                "What the data folder takes on disk, the journal included",
                store,
            ),
            (
                "logs_gateway_store_journal",
                "What the journal takes of that",
                journal,
            ),
            (
                "logs_gateway_disk_free",
                "Room left on the disk of the data folder",
                free,
            ),
            ("logs_gateway_disk_size", "All the room that this disk has", total),
        ] {
            // A disk of which nothing is known is not a disk that is full.
            if let Some(bytes) = bytes {
                out.bytes(name, help, bytes)?;
            }
        }
        Ok(())
    }

    fn encode_redis(&self, out: &mut Rows<'_, '_>) -> fmt::Result {
        let Some(RedisState { trouble }) = self.redis else {
            return Ok(());
        };
        out.gauge(
            "logs_redis_up",
            "1 where Redis does all that the gateway needs of it",
            u64::from(trouble.is_none()),
        )?;
        let states = REDIS_TROUBLES.map(|state| ([("state", state)], u64::from(trouble == Some(state))));
        out.gauges("logs_redis_trouble", "1 at what is wrong with Redis", states)
    }

    fn encode_process(&self, out: &mut Rows<'_, '_>) -> fmt::Result {
        let ProcessFigures {
            memory_bytes,
            virtual_bytes,
            open_fds,
            max_fds,
            cpu,
        } = self.process;
        out.seconds_counter(
            "process_cpu",
            "Time on processors since the start, of all threads",
            cpu.as_secs_f64(),
        )?;
        out.bytes(
            "process_resident_memory",
            "Memory of the whole process; 0 where the system does not tell",
            memory_bytes,
        )?;
        out.bytes(
            "process_virtual_memory",
            "Address space of the whole process; 0 where the system does not tell",
            virtual_bytes,
        )?;
        out.gauge(
            "process_open_fds",
            "Files and sockets that are open; 0 where the system does not tell",
            open_fds,
        )?;
        out.gauge(
            "process_max_fds",
            "Files and sockets that may be open; 0 where there is no limit",
            max_fds,
        )?;
        out.seconds(
            "process_start_time",
            "When the gateway was started, in seconds since 1970",
            self.started_at.id_ms() as f64 / 1000.0,
        )
    }
}

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Rows(&mut encoder);
        self.encode_state(&mut out)?;
        self.encode_publishing(&mut out)?;
        self.encode_delivering(&mut out)?;
        self.encode_store(&mut out)?;
        self.encode_redis(&mut out)?;
        self.encode_process(&mut out)
    }
}

fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss)]
fn ms(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}

#[cfg(test)]
mod tests;
