//! The rows an operator looks at: streams, channels, services and refusals.

use leptos::prelude::*;
use logs_shared::{
    RecordId, Timestamp,
    overview::{ChannelOverview, NodeOverview, Stats, StreamOverview},
};

use super::{
    ending::{End, Ending, RevokeForm},
    table::{Cell, Column, Row, Table},
    watch::Watch,
    words::{bytes, count, lasted, rate, took},
};

/// What a reader is called who does not say.
const ANONYMOUS: &str = "anonymous";

const fn text(name: &'static str) -> Column {
    Column {
        name,
        is_number: false,
    }
}

const fn number(name: &'static str) -> Column {
    Column {
        name,
        is_number: true,
    }
}

const STREAMS: [Column; 6] = [
    number("Stream"),
    text("User"),
    text("Follows"),
    number("Open for"),
    number("Delivered"),
    number("Lag"),
];
const GATEWAYS: [Column; 8] = [
    text("Gateway"),
    text("Machine"),
    text("State"),
    number("Streams"),
    number("Published"),
    number("Delivered"),
    text("Version"),
    number("Up for"),
];
const CHANNELS: [Column; 6] = [
    text("Channel"),
    number("Records"),
    number("Per second"),
    number("Size"),
    number("Readers"),
    number("Newest"),
];
const SERVICES: [Column; 4] = [
    text("Service"),
    number("Stored"),
    number("Repeated"),
    number("Refused"),
];
const REFUSALS: [Column; 2] = [text("Reason"), number("Since the start")];

// Sorted by and rounded: nothing is lost that could be seen.
#[expect(clippy::cast_precision_loss)]
fn figure(value: u64, text: String) -> Cell {
    Cell::number(value as f64, text)
}

fn counted(value: u64) -> Cell {
    figure(value, count(value))
}

fn sized(value: usize) -> Cell {
    counted(u64::try_from(value).unwrap_or(u64::MAX))
}

/// How long before another a moment was.
fn seconds_between(then_ms: i64, now: Timestamp) -> u64 {
    u64::try_from((now.unix_ms() - then_ms) / 1_000).unwrap_or_default()
}

fn stream(of: &StreamOverview, now: Timestamp) -> Row {
    let channels: Vec<String> = of.channels.iter().map(ToString::to_string).collect();
    // Some follow hundreds.
    let follows = match channels.as_slice() {
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!("{first}, {second}, {third} and {} more", rest.len())
        }
        few => few.join(", "),
    };
    let open_for = seconds_between(of.connected_at.unix_ms(), now);
    let number = of.number.to_string();
    let shown = match &of.node {
        Some(node) => format!("{number} on {}", short(node)),
        None => number.clone(),
    };
    Row {
        // A gateway that gives its streams no names has them by their numbers.
        key: if of.name.is_empty() {
            number
        } else {
            of.name.clone()
        },
        cells: vec![
            figure(of.number, shown),
            Cell::text(&of.user_id),
            Cell::text(follows),
            figure(open_for, lasted(open_for)),
            counted(of.delivered),
            match of.lag_ms {
                0 => figure(0, "0".to_owned()),
                #[expect(clippy::cast_precision_loss)]
                ms => figure(ms, took(ms as f64)),
            },
        ],
    }
}

/// As much of a gateway's id as tells a handful of them apart.
fn short(node: &str) -> &str {
    node.get(..4).unwrap_or(node)
}

fn gateway(of: &NodeOverview) -> Row {
    let state = match &of.reason {
        Some(reason) => format!("{}: {reason}", of.status),
        None => of.status.clone(),
    };
    Row {
        key: of.node.clone(),
        cells: vec![
            Cell::text(short(&of.node)),
            Cell::text(format!("{}, {}", of.host, of.address)),
            Cell::text(state),
            sized(of.connections),
            Cell::number(of.published_per_second, rate(of.published_per_second)),
            Cell::number(of.delivered_per_second, rate(of.delivered_per_second)),
            Cell::text(&of.version),
            figure(of.uptime_s, lasted(of.uptime_s)),
        ],
    }
}

fn channel(of: &ChannelOverview, now: Timestamp) -> Row {
    let newest = of
        .last_id
        .map(|RecordId { ms, .. }| i64::try_from(ms).unwrap_or(i64::MAX));
    let newest = newest.map(|ms| seconds_between(ms, now));
    Row {
        key: of.channel.to_string(),
        cells: vec![
            Cell::text(of.channel.to_string()),
            sized(of.records),
            Cell::number(of.per_second, rate(of.per_second)),
            figure(of.bytes, bytes(of.bytes)),
            sized(of.readers),
            match newest {
                None => Cell::number(f64::MAX, "–".to_owned()),
                Some(0) => figure(0, "now".to_owned()),
                Some(seconds) => figure(seconds, format!("{} ago", lasted(seconds))),
            },
        ],
    }
}

/// The rows of the figures there are.
fn rows(watch: Watch, of: fn(&Stats) -> Vec<Row>) -> Signal<Vec<Row>> {
    Signal::derive(move || {
        watch
            .stats
            .with(|stats| stats.as_ref().map(of))
            .unwrap_or_default()
    })
}

/// How many rows more there are than the gateway tells.
fn untold(watch: Watch, of: fn(&Stats) -> usize) -> Signal<usize> {
    Signal::derive(move || {
        let stats = watch.stats.read();
        stats.as_ref().map_or(0, of)
    })
}

/// Each open stream, with ways to end it.
#[component]
pub(super) fn Streams(watch: Watch) -> impl IntoView {
    let rows = rows(watch, |stats| {
        stats
            .by_connection
            .iter()
            .map(|of| stream(of, stats.timestamp))
            .collect()
    });
    let untold = untold(watch, |stats| stats.more_connections);
    view! {
        <Table title="Streams" id="streams" columns=&STREAMS rows untold nothing="No stream is open." actions=ends>
            <RevokeForm />
        </Table>
    }
}

/// What an operator may end: a stream, and what its user may.
fn ends(row: &Row) -> AnyView {
    let ending: Ending = expect_context();
    let name = row.key.clone();
    let shown = row
        .cells
        .first()
        .map(|cell| cell.text.clone())
        .unwrap_or_default();
    let user = row.cells.get(1).map(|cell| cell.text.clone()).unwrap_or_default();
    let revoke = (user != ANONYMOUS).then(|| {
        let user = user.clone();
        let label = format!("Revoke the user {user}");
        view! {
            <button type="button" class="logs-button" aria-label=label on:click=move |_| ending.ask(End::User(user.clone()))>
                "Revoke user"
            </button>
        }
    });
    view! {
        <button
            type="button"
            class="logs-button"
            aria-label=format!("Close the stream {shown}")
            on:click=move |_| {
                ending.ask(End::Stream { name: name.clone(), shown: shown.clone(), user: user.clone() });
            }
        >
            "Close"
        </button>
        {revoke}
    }
    .into_any()
}

/// Each gateway, where there are several.
#[component]
pub(super) fn Gateways(watch: Watch) -> impl IntoView {
    let rows = rows(watch, |stats| stats.nodes.iter().map(gateway).collect());
    view! {
        <Table title="Gateways" id="gateways" columns=&GATEWAYS rows is_short=true nothing="There is one gateway only." />
    }
}

/// Each channel.
#[component]
pub(super) fn Channels(watch: Watch) -> impl IntoView {
    let rows = rows(watch, |stats| {
        stats
            .by_channel
            .iter()
            .map(|of| channel(of, stats.timestamp))
            .collect()
    });
    let untold = untold(watch, |stats| stats.more_channels);
    view! {
        <Table title="Channels" id="channels" columns=&CHANNELS rows untold sorted_by=2 nothing="Nothing was published yet." />
    }
}

/// What became of what each service published.
#[component]
pub(super) fn Services(watch: Watch) -> impl IntoView {
    let rows = rows(watch, |stats| {
        let row = |of: &logs_shared::overview::ServiceOverview| Row {
            key: of.service.clone(),
            cells: vec![
                Cell::text(&of.service),
                counted(of.accepted),
                counted(of.repeated),
                counted(of.rejected),
            ],
        };
        stats.by_service.iter().map(row).collect()
    });
    view! {
        <Table title="Services" id="services" columns=&SERVICES rows sorted_by=1 is_short=true nothing="Nothing was published yet." />
    }
}

/// What was refused, by reason.
#[component]
pub(super) fn Refusals(watch: Watch) -> impl IntoView {
    let rows = rows(watch, |stats| {
        let row = |(reason, times): (&String, &u64)| Row {
            key: reason.clone(),
            cells: vec![Cell::text(reason), counted(*times)],
        };
        stats.rejections.iter().map(row).collect()
    });
    view! {
        <Table title="Refusals" id="refusals" columns=&REFUSALS rows sorted_by=1 is_short=true nothing="Nothing was refused since the start." />
    }
}
