//! [`Figure`]: what is told of an outcome.

use crate::outcome::Outcome;

/// Something that is told of an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Records that readers had, a second.
    Delivered,
    /// CPU time of the server for each record that a reader had, publishing included, in microseconds.
    CpuPerEvent,
    /// Half of the readers' records took no longer, in milliseconds.
    P50,
    /// 99 of 100.
    P99,
    /// 999 of 1,000.
    P999,
    /// None took longer.
    Longest,
    /// Records a second that were published and acknowledged.
    Published,
    /// Requests a second that were answered.
    Requests,
    /// CPU time of the server for each record that was published, in microseconds.
    CpuPerRecord,
    /// 99 of 100 requests were answered within, in milliseconds.
    AnswerP99,
    /// What the server holds more with the streams than without, for each, in KiB.
    MemoryPerStream,
    /// Resident memory of the server at the end, in MiB.
    Memory,
    /// Until all streams were open, in milliseconds.
    Connecting,
    /// Records that a reader should have had and has not, had twice, or had after a later one.
    Faults,
}

impl Figure {
    /// What it is of this outcome.
    #[must_use]
    pub fn of(self, outcome: &Outcome) -> f64 {
        let seconds = outcome.seconds.max(1e-9);
        let ms = |us: u64| us as f64 / 1000.0;
        match self {
            Self::Delivered => outcome.delivered as f64 / seconds,
            Self::CpuPerEvent => outcome.server_cpu * 1e6 / outcome.delivered.max(1) as f64,
            Self::P50 => ms(outcome.latency.p50),
            Self::P99 => ms(outcome.latency.p99),
            Self::P999 => ms(outcome.latency.p999),
            Self::Longest => ms(outcome.latency.max),
            Self::Published => outcome.published as f64 / seconds,
            Self::Requests => outcome.requests as f64 / seconds,
            Self::CpuPerRecord => outcome.server_cpu * 1e6 / outcome.published.max(1) as f64,
            Self::AnswerP99 => ms(outcome.answer.p99),
            Self::MemoryPerStream => {
                let more = outcome.server_memory.saturating_sub(outcome.memory_before);
                more as f64 / 1024.0 / outcome.streams.max(1) as f64
            }
            Self::Memory => outcome.server_memory as f64 / 1024.0 / 1024.0,
            Self::Connecting => outcome.connecting * 1000.0,
            Self::Faults => (outcome.lost + outcome.repeated + outcome.out_of_order) as f64,
        }
    }

    /// As it is called in a table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered/s",
            Self::CpuPerEvent => "CPU µs/event",
            Self::P50 => "p50 ms",
            Self::P99 => "p99 ms",
            Self::P999 => "p99.9 ms",
            Self::Longest => "max ms",
            Self::Published => "records/s",
            Self::Requests => "requests/s",
            Self::CpuPerRecord => "CPU µs/record",
            Self::AnswerP99 => "answer p99 ms",
            Self::MemoryPerStream => "KiB/stream",
            Self::Memory => "memory MiB",
            Self::Connecting => "connecting ms",
            Self::Faults => "lost, repeated, out of order",
        }
    }
}
