//! How figures are held against each other.

use crate::figures::Figure;

/// What is held against nchan and the floor, and what it is called there.
pub(super) const fn name(figure: Figure) -> Option<&'static str> {
    match figure {
        Figure::Delivered => Some("delivered"),
        Figure::CpuPerEvent | Figure::CpuPerRecord => Some("CPU"),
        Figure::P99 => Some("p99"),
        Figure::Requests => Some("requests"),
        Figure::MemoryPerStream => Some("KiB/stream"),
        _ => None,
    }
}

/// Whether the larger figure is the better one.
pub(super) const fn is_more_better(figure: Figure) -> bool {
    matches!(figure, Figure::Delivered | Figure::Requests | Figure::Published)
}

/// The figure's unit, where there is one.
pub(super) const fn unit(figure: Figure) -> &'static str {
    match figure {
        Figure::Delivered | Figure::Published | Figure::Requests => "/s",
        Figure::CpuPerEvent | Figure::CpuPerRecord => " µs",
        Figure::P50
        | Figure::P99
        | Figure::P999
        | Figure::Longest
        | Figure::AnswerP99
        | Figure::Connecting => " ms",
        Figure::MemoryPerStream => " KiB",
        Figure::Memory => " MiB",
        Figure::Faults => "",
    }
}
