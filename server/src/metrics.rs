//! [`Figures`]: what `/metrics` says, as OpenMetrics text.

use std::fmt;

use logs_shared::{Timestamp, problem::code};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, text},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::{Registry, Unit},
};

/// The media type of [`Figures::to_text`].
pub(crate) const OPEN_METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

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
    pub(crate) channels: usize,
    /// Records accepted since the start.
    pub(crate) published: u64,
    /// Records handed to streams since the start, counted once a stream.
    pub(crate) delivered: u64,
    /// Connections closed since the start because they took nothing for too long.
    pub(crate) stalled: u64,
    /// Of the whole process; 0 where the system does not tell.
    pub(crate) memory_bytes: u64,
    /// Of records in memory.
    pub(crate) tail_bytes: u64,
    /// Of all records that are kept.
    pub(crate) kept_bytes: u64,
    /// What was refused since the start, by reason.
    pub(crate) rejections: Vec<(&'static str, u64)>,
}

impl Figures {
    /// As OpenMetrics 1.0, which Prometheus reads.
    pub(crate) fn to_text(&self) -> Result<String, fmt::Error> {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self.clone()));
        let mut text = String::new();
        text::encode(&mut text, &registry)?;
        Ok(text)
    }

    /// Every code is there from the start: a rate over a row that appears with its first refusal would miss that one.
    fn rejections(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let never = |code: &&&str| !self.rejections.iter().any(|(reason, _)| reason == *code);
        let never = code::ALL.iter().filter(never).map(|code| (*code, 0));
        self.rejections.iter().copied().chain(never.collect::<Vec<_>>())
    }
}

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Rows(&mut encoder);
        let mut build = out.row("logs_gateway_build", "What is running", None, MetricType::Info)?;
        build.encode_info(&[("version", self.version)])?;
        out.gauge(
            "logs_gateway_healthy",
            "1 where the gateway can do its work, as /health says",
            None,
            u64::from(self.is_well),
        )?;
        out.gauge("logs_gateway_streams", "Open streams", None, count(self.streams))?;
        out.gauge(
            "logs_gateway_channels",
            "Channels that exist",
            None,
            count(self.channels),
        )?;
        out.counter(
            "logs_gateway_records_published",
            "Records accepted since the start",
            self.published,
        )?;
        out.counter(
            "logs_gateway_records_delivered",
            "Records handed to streams since the start, counted once a stream",
            self.delivered,
        )?;
        out.counter(
            "logs_gateway_stalled_connections",
            "Connections closed since the start because they took nothing of what they were sent for too long",
            self.stalled,
        )?;
        let mut rejections = out.row(
            "logs_gateway_rejections",
            "Requests refused since the start, and records refused within accepted batches, by code",
            None,
            MetricType::Counter,
        )?;
        for (reason, count) in self.rejections() {
            let labels = [("reason", reason)];
            ConstCounter::new(count).encode(rejections.encode_family(&labels)?)?;
        }
        let bytes = Some(&Unit::Bytes);
        out.gauge(
            "logs_gateway_kept",
            "Bytes of all records that are kept: on disk before compression, or in memory",
            bytes,
            self.kept_bytes,
        )?;
        out.gauge(
            "logs_gateway_tail",
            "Bytes of records in memory",
            bytes,
            self.tail_bytes,
        )?;
        out.gauge(
            "process_resident_memory",
            "Memory of the whole process; 0 where the system does not tell",
            bytes,
            self.memory_bytes,
        )?;
        let started = ConstGauge::new(self.started_at.id_ms() as f64 / 1000.0);
        started.encode(out.row(
            "process_start_time",
            "When the gateway was started, in seconds since 1970",
            Some(&Unit::Seconds),
            MetricType::Gauge,
        )?)
    }
}

fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// What is written, a metric at a time.
struct Rows<'a, 'e>(&'a mut DescriptorEncoder<'e>);

impl Rows<'_, '_> {
    fn row<'s>(
        &'s mut self,
        name: &'s str,
        help: &str,
        unit: Option<&'s Unit>,
        kind: MetricType,
    ) -> Result<MetricEncoder<'s>, fmt::Error> {
        self.0.encode_descriptor(name, help, unit, kind)
    }

    fn gauge(&mut self, name: &str, help: &str, unit: Option<&Unit>, value: u64) -> fmt::Result {
        ConstGauge::new(value).encode(self.row(name, help, unit, MetricType::Gauge)?)
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        ConstCounter::new(value).encode(self.row(name, help, None, MetricType::Counter)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> Figures {
        Figures {
            version: "1.2.3",
            started_at: Timestamp::from_unix_ms(1_758_796_200_250).unwrap(),
            is_well: true,
            streams: 2,
            channels: 3,
            published: 4,
            delivered: 5,
            stalled: 6,
            memory_bytes: 7,
            tail_bytes: 8,
            kept_bytes: 9,
            rejections: vec![("invalid_token", 10), ("of_a_kind_of_its_own", 11)],
        }
    }

    #[test]
    fn each_figure_has_its_row_its_kind_and_its_unit() {
        let text = figures().to_text().unwrap();
        for line in [
            "logs_gateway_build_info{version=\"1.2.3\"} 1",
            "logs_gateway_healthy 1",
            "logs_gateway_streams 2",
            "logs_gateway_channels 3",
            "logs_gateway_records_published_total 4",
            "logs_gateway_records_delivered_total 5",
            "logs_gateway_stalled_connections_total 6",
            "process_resident_memory_bytes 7",
            "logs_gateway_tail_bytes 8",
            "logs_gateway_kept_bytes 9",
            "logs_gateway_rejections_total{reason=\"invalid_token\"} 10",
            "logs_gateway_rejections_total{reason=\"of_a_kind_of_its_own\"} 11",
            "process_start_time_seconds 1758796200.25",
            "# TYPE logs_gateway_rejections counter",
            "# TYPE logs_gateway_streams gauge",
            "# UNIT logs_gateway_kept_bytes bytes",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"), "{text}");
    }

    #[test]
    fn every_code_has_one_row_before_it_was_ever_needed() {
        let text = figures().to_text().unwrap();
        for code in code::ALL {
            let row = format!("logs_gateway_rejections_total{{reason=\"{code}\"}} ");
            assert_eq!(text.matches(&row).count(), 1, "{row}");
        }
    }

    #[test]
    fn what_is_written_of_a_metric_stands_together_and_has_a_help() {
        let text = figures().to_text().unwrap();
        let mut family = "";
        let mut known = Vec::new();
        for line in text.lines().take_while(|line| *line != "# EOF") {
            if let Some(help) = line.strip_prefix("# HELP ") {
                family = help.split(' ').next().unwrap();
                assert!(!known.contains(&family), "{family} twice");
                assert!(help.len() > family.len() + 10, "{help}");
                known.push(family);
            } else {
                let name = line.trim_start_matches("# TYPE ").trim_start_matches("# UNIT ");
                assert!(name.starts_with(family), "{line} is not of {family}");
            }
        }
        assert!(known.len() > 10, "{known:?}");
    }
}
