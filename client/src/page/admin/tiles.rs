//! [`Tiles`]: the gateway's figures, each with what it was in the last minutes.

use leptos::prelude::*;
use logs_shared::overview::{Latency, Stats};

use super::{
    history::{Of, line, width, words},
    watch::Watch,
    words::{both_took, bytes, count, decimal, of, percent, rate, took},
};

/// How high a line is drawn.
const HEIGHT: u32 = 24;

/// Says a value.
type Write = fn(f64) -> String;

/// One figure.
struct Tile {
    name: &'static str,
    value: fn(&Stats) -> String,
    note: fn(&Stats) -> String,
    /// What is drawn of it, and how its values are said.
    drawn: Option<(Of, Write)>,
    /// Whether somebody should look at it.
    is_bad: fn(&Stats) -> bool,
}

const TILES: [Tile; 14] = [
    Tile {
        name: "Published",
        value: |stats| rate(stats.messages_per_second),
        note: |stats| {
            format!(
                "{} since the start, {}",
                count(stats.messages_published),
                bytes(stats.published_bytes)
            )
        },
        drawn: Some((|moment| moment.published, rate)),
        is_bad: |_| false,
    },
    Tile {
        name: "Delivered",
        value: |stats| rate(stats.delivered_per_second),
        note: |stats| {
            format!(
                "{} since the start, {}",
                count(stats.messages_delivered),
                bytes(stats.delivered_bytes)
            )
        },
        drawn: Some((|moment| moment.delivered, rate)),
        is_bad: |_| false,
    },
    Tile {
        name: "Streams",
        value: |stats| of(stats.connections),
        note: |stats| match stats.max_streams {
            0 => String::new(),
            most => format!("of {} at most", of(most)),
        },
        drawn: Some((|moment| moment.streams, decimal)),
        is_bad: |stats| stats.max_streams > 0 && stats.connections * 10 > stats.max_streams * 9,
    },
    Tile {
        name: "Channels",
        value: |stats| of(stats.channels),
        note: |_| String::new(),
        drawn: Some((|moment| moment.channels, decimal)),
        is_bad: |_| false,
    },
    Tile {
        name: "Append",
        value: |stats| latency(stats.append),
        note: |_| "until stored: p50 / p99".to_owned(),
        drawn: Some((|moment| moment.append_ms, took)),
        is_bad: |_| false,
    },
    Tile {
        name: "Delivery",
        value: |stats| latency(stats.delivery),
        note: |_| "until handed on: p50 / p99".to_owned(),
        drawn: Some((|moment| moment.delivery_ms, took)),
        is_bad: |_| false,
    },
    Tile {
        name: "Lag",
        value: |stats| took(decimal_of(stats.lag_ms)),
        note: |stats| match stats.streams_behind {
            0 => "all streams are up to date".to_owned(),
            1 => "1 stream is behind".to_owned(),
            behind => format!("{} streams are behind", of(behind)),
        },
        drawn: Some((|moment| moment.lag_ms, took)),
        is_bad: |stats| stats.lag_ms > 10_000,
    },
    Tile {
        name: "Memory",
        value: |stats| bytes(stats.memory_bytes),
        note: |stats| format!("{} of it records", bytes(stats.tail_bytes)),
        drawn: Some((|moment| moment.memory, |value| bytes(whole(value)))),
        is_bad: |_| false,
    },
    Tile {
        name: "Processor",
        value: |stats| percent(stats.cpu),
        note: |_| "of one".to_owned(),
        drawn: Some((|moment| moment.cpu, percent)),
        is_bad: |_| false,
    },
    Tile {
        name: "Records kept",
        value: |stats| bytes(stats.kept_bytes),
        note: |stats| match (stats.store.limit_bytes, stats.store.disk_bytes) {
            (0, _) => String::new(),
            (limit, None) if is_in_redis(stats) => format!("of {}, in Redis", bytes(limit)),
            (limit, None) => format!("of {}, in memory", bytes(limit)),
            (limit, Some(disk)) => format!("of {}; {} on disk", bytes(limit), bytes(disk)),
        },
        drawn: Some((|moment| moment.kept, |value| bytes(whole(value)))),
        is_bad: |_| false,
    },
    Tile {
        name: "Disk room",
        value: |stats| stats.store.free_bytes.map_or_else(|| "–".to_owned(), bytes),
        note: |stats| match stats.store.total_bytes {
            None if is_in_redis(stats) => "records are in Redis".to_owned(),
            None if stats.store.kind == "memory" => "records are in memory".to_owned(),
            None => String::new(),
            Some(total) => format!("left of {}", bytes(total)),
        },
        drawn: None,
        // Publishing is refused at 128 MiB.
        is_bad: |stats| {
            stats
                .store
                .free_bytes
                .is_some_and(|free| free < 1024 * 1024 * 1024)
        },
    },
    Tile {
        name: "Gaps",
        value: |stats| count(stats.gaps),
        note: |_| "told of since the start".to_owned(),
        drawn: None,
        is_bad: |_| false,
    },
    Tile {
        name: "Refused",
        value: |stats| count(stats.rejections.values().sum()),
        note: |_| "since the start, see below".to_owned(),
        drawn: None,
        is_bad: |_| false,
    },
    Tile {
        name: "Files and sockets",
        value: |stats| match stats.open_fds {
            0 => "–".to_owned(),
            open => count(open),
        },
        note: |stats| match (stats.max_fds, stats.stalled) {
            (0, stalled) => format!("{} stalled", count(stalled)),
            (most, stalled) => format!("of {}; {} stalled", count(most), count(stalled)),
        },
        drawn: None,
        is_bad: |stats| stats.max_fds > 0 && stats.open_fds * 10 > stats.max_fds * 9,
    },
];

fn latency(of: Latency) -> String {
    match (of.p50_ms, of.p99_ms) {
        (Some(p50), Some(p99)) => both_took(p50, p99),
        _ => "–".to_owned(),
    }
}

// Drawn and rounded: nothing is lost that could be seen.
#[expect(clippy::cast_precision_loss)]
fn decimal_of(number: u64) -> f64 {
    number as f64
}

// Of what was a whole number before.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(number: f64) -> u64 {
    number as u64
}

/// The gateway's figures.
#[component]
pub(super) fn Tiles(watch: Watch) -> impl IntoView {
    let tiles = TILES.iter().map(|tile| view! { <Figure tile watch /> });
    view! {
        <section aria-labelledby="logs-figures">
            <h2 id="logs-figures" class="logs-unseen">"Figures"</h2>
            <dl class="logs-tiles">{tiles.collect_view()}</dl>
        </section>
    }
}

fn is_in_redis(stats: &Stats) -> bool {
    stats.store.kind == "redis"
}

#[component]
fn Figure(tile: &'static Tile, watch: Watch) -> impl IntoView {
    let of = move |write: fn(&Stats) -> String| {
        Memo::new(move |_| {
            watch
                .stats
                .with(|stats| stats.as_ref().map(write))
                .unwrap_or_default()
        })
    };
    let (value, note) = (of(tile.value), of(tile.note));
    let is_bad = Memo::new(move |_| watch.stats.with(|stats| stats.as_ref().is_some_and(tile.is_bad)));
    let drawn = tile.drawn.map(|(figure, write)| {
        let series = Memo::new(move |_| watch.history.with(|history| history.series(figure)));
        view! {
            <svg
                class="logs-line"
                role="img"
                aria-label=move || format!("{}: {}", tile.name, series.with(|series| words(series, write)))
                viewBox=move || format!("0 -1 {} {}", series.with(|series| width(series)) - 1, HEIGHT + 2)
                preserveAspectRatio="none"
            >
                <path d=move || series.with(|series| line(series, HEIGHT)) />
            </svg>
        }
    });
    view! {
        <div class="logs-tile" data-name=tile.name class:logs-tile-bad=is_bad>
            <dt>{tile.name}</dt>
            <dd class="logs-tile-value">{value}</dd>
            <dd class="logs-tile-note">{note}</dd>
            {drawn.map(|drawn| view! { <dd class="logs-tile-line">{drawn}</dd> })}
        </div>
    }
}
