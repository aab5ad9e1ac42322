//! What several gateways that share a Redis are doing, as one.

use std::{cmp::Reverse, collections::BTreeMap, time::Duration};

use logs_shared::{
    Channel,
    overview::{ChannelOverview, Latency, NodeOverview, ServiceOverview, Stats},
};
use tokio::task::spawn_blocking;

use super::Gateway;
use crate::{
    engine::first_of,
    nodes::{Answer, Nodes, Question},
};

/// How long the others may take to say what they are doing.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many rows are asked of each of the others at most.
const MOST_ROWS: usize = 10_000;
const SILENT: &str = "silent";

impl Gateway {
    /// What all gateways are doing that share a Redis, or this one alone; with a row for each channel and stream, of each at
    /// most so many. `None` where nobody looks any more.
    pub(crate) async fn stats_everywhere(&self, rows: usize) -> Option<Stats> {
        let gateway = self.clone();
        let local = spawn_blocking(move || gateway.stats(rows));
        let Some(nodes) = &self.shared.nodes else {
            return local.await.ok();
        };
        let asked = Question::Stats {
            rows: rows.min(MOST_ROWS),
        };
        let (local, answers, live) = tokio::join!(local, nodes.ask_all(asked, PATIENCE), nodes.live());
        let mut all = local.ok()?;
        for (_, answer) in answers.unwrap_or_default() {
            if let Answer::Stats(stats) = answer {
                add(&mut all, *stats);
            }
        }
        name_silent(
            &mut all,
            nodes,
            live.unwrap_or_default().into_iter().map(|(_, row)| row),
        );
        tell_health(&mut all);
        cut(&mut all, rows);
        nodes.count_readers(&mut all.by_channel).await;
        Some(all)
    }

    /// What this gateway says of itself among others.
    pub(super) fn row(&self, stats: &Stats) -> Option<NodeOverview> {
        let row = self.shared.nodes.as_ref()?.row();
        Some(NodeOverview {
            uptime_s: stats.uptime_s,
            connections: stats.connections,
            published_per_second: stats.messages_per_second,
            delivered_per_second: stats.delivered_per_second,
            status: stats.status.clone(),
            reason: stats.reason.clone(),
            ..row
        })
    }
}

/// Adds what another gateway is doing.
fn add(all: &mut Stats, other: Stats) {
    // Both know the same log.
    all.channels = all.channels.max(other.channels);
    all.kept_bytes = all.kept_bytes.max(other.kept_bytes);
    all.uptime_s = all.uptime_s.max(other.uptime_s);
    // The worst of them.
    all.lag_ms = all.lag_ms.max(other.lag_ms);
    all.append = both(all.append, other.append);
    all.delivery = both(all.delivery, other.delivery);
    all.connections += other.connections;
    all.more_connections += other.more_connections;
    all.messages_published += other.messages_published;
    all.messages_delivered += other.messages_delivered;
    all.messages_per_second += other.messages_per_second;
    all.delivered_per_second += other.delivered_per_second;
    all.stalled += other.stalled;
    all.max_streams += other.max_streams;
    all.published_bytes += other.published_bytes;
    all.delivered_bytes += other.delivered_bytes;
    all.streams_behind += other.streams_behind;
    all.gaps += other.gaps;
    all.cpu_seconds += other.cpu_seconds;
    all.cpu += other.cpu;
    all.open_fds += other.open_fds;
    // No limit with one of them is none.
    all.max_fds = if all.max_fds == 0 || other.max_fds == 0 {
        0
    } else {
        all.max_fds + other.max_fds
    };
    all.memory_bytes += other.memory_bytes;
    all.tail_bytes += other.tail_bytes;
    for (code, count) in other.rejections {
        *all.rejections.entry(code).or_default() += count;
    }
    all.by_service = services(std::mem::take(&mut all.by_service), other.by_service);
    all.by_channel = channels(std::mem::take(&mut all.by_channel), other.by_channel);
    all.by_connection.extend(other.by_connection);
    all.nodes.extend(other.nodes);
}

/// Of the half the mean of both, by how often it was measured; of the slowest the worse.
#[expect(clippy::cast_precision_loss)]
fn both(one: Latency, other: Latency) -> Latency {
    let (count, of) = (one.count + other.count, |of: Latency| of.count as f64);
    let p50_ms = match (one.p50_ms, other.p50_ms) {
        (Some(a), Some(b)) => Some((a * of(one) + b * of(other)) / (count.max(1) as f64)),
        (known, None) | (None, known) => known,
    };
    let p99_ms = match (one.p99_ms, other.p99_ms) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (known, None) | (None, known) => known,
    };
    Latency {
        count,
        p50_ms,
        p99_ms,
    }
}

fn services(one: Vec<ServiceOverview>, other: Vec<ServiceOverview>) -> Vec<ServiceOverview> {
    let mut rows: BTreeMap<String, ServiceOverview> = BTreeMap::new();
    for row in one.into_iter().chain(other) {
        match rows.get_mut(&row.service) {
            Some(known) => {
                known.accepted += row.accepted;
                known.repeated += row.repeated;
                known.rejected += row.rejected;
            }
            None => drop(rows.insert(row.service.clone(), row)),
        }
    }
    rows.into_values().collect()
}

/// Each knows its own readers, and the records of the channels that it has; of these who knows the newest knows best.
fn channels(one: Vec<ChannelOverview>, other: Vec<ChannelOverview>) -> Vec<ChannelOverview> {
    let mut rows: BTreeMap<Channel, ChannelOverview> = BTreeMap::new();
    for row in one.into_iter().chain(other) {
        let Some(known) = rows.get_mut(&row.channel) else {
            rows.insert(row.channel.clone(), row);
            continue;
        };
        let readers = known.readers + row.readers;
        let per_second = known.per_second.max(row.per_second);
        if row.last_id > known.last_id {
            *known = row;
        }
        (known.readers, known.per_second) = (readers, per_second);
    }
    rows.into_values().collect()
}

/// Names the gateways that are there and did not answer.
fn name_silent(all: &mut Stats, nodes: &Nodes, live: impl Iterator<Item = NodeOverview>) {
    for row in live {
        if row.node != nodes.me().to_string() && !all.nodes.iter().any(|known| known.node == row.node) {
            all.nodes.push(NodeOverview {
                status: SILENT.to_owned(),
                reason: Some("it did not answer in time".to_owned()),
                ..row
            });
        }
    }
    all.nodes
        .sort_by(|a, b| (&a.host, &a.address, &a.node).cmp(&(&b.host, &b.address, &b.node)));
}

/// They are well where each of them is.
fn tell_health(all: &mut Stats) {
    if all.reason.is_some() {
        return;
    }
    let unwell = all.nodes.iter().find_map(|row| {
        let reason = row.reason.as_ref()?;
        Some(format!("the gateway {} at {}: {reason}", row.node, row.host))
    });
    if unwell.is_some() {
        "unhealthy".clone_into(&mut all.status);
        all.reason = unwell;
    }
}

/// Leaves so many rows of each, as one gateway would.
fn cut(all: &mut Stats, most: usize) {
    let before = all.by_connection.len();
    first_of(&mut all.by_connection, most, |row| {
        Reverse((row.lag_ms, row.connected_at))
    });
    all.more_connections += before - all.by_connection.len();
    all.by_connection
        .sort_by(|a, b| (a.connected_at, &a.node, a.number).cmp(&(b.connected_at, &b.node, b.number)));
    let busy = |row: &ChannelOverview| Reverse((row.per_second.to_bits(), row.last_id));
    first_of(&mut all.by_channel, most, busy);
    all.by_channel.sort_by(|a, b| a.channel.cmp(&b.channel));
    all.more_channels = all.channels.saturating_sub(all.by_channel.len());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Settings, engine::Engine};

    fn stats() -> Stats {
        let settings = Settings {
            store: Some("memory".to_owned()),
            ..Settings::default()
        };
        let config = crate::config::Config::from_settings(&settings).unwrap();
        let engine = Engine::open(&config.storage, config.retention).unwrap();
        Gateway::open(config, engine).unwrap().stats(10)
    }

    fn latency(count: u64, p50_ms: f64, p99_ms: f64) -> Latency {
        Latency {
            count,
            p50_ms: Some(p50_ms),
            p99_ms: Some(p99_ms),
        }
    }

    #[test]
    fn of_latencies_the_half_is_weighted_and_the_slowest_is_the_worse() {
        let one = latency(3, 10.0, 20.0);
        assert_eq!(both(one, latency(1, 2.0, 80.0)), latency(4, 8.0, 80.0));
        assert_eq!(both(one, Latency::default()), one);
        assert_eq!(both(Latency::default(), one), one);
    }

    fn channel(name: &str, last_ms: u64, readers: usize, per_second: f64) -> ChannelOverview {
        let channel: Channel = name.parse().unwrap();
        ChannelOverview {
            service: channel.service().to_owned(),
            workspace_id: channel.workspace_id().to_owned(),
            resource_id: None,
            channel,
            records: 1,
            first_id: None,
            last_id: Some(logs_shared::RecordId::new(last_ms, 0)),
            readers,
            bytes: last_ms,
            per_second,
        }
    }

    #[test]
    fn of_a_channel_who_knows_the_newest_knows_best_and_readers_add_up() {
        let one = vec![channel("logs:a:w", 5, 1, 2.0), channel("logs:b:w", 1, 0, 0.0)];
        let other = vec![channel("logs:a:w", 7, 2, 1.0), channel("logs:c:w", 1, 4, 0.0)];
        let rows = channels(one, other);
        let names: Vec<_> = rows.iter().map(|row| row.channel.service().to_owned()).collect();
        assert_eq!(names, ["a", "b", "c"]);
        let a = &rows[0];
        assert_eq!((a.bytes, a.readers, a.per_second), (7, 3, 2.0));
    }

    #[test]
    fn of_more_rows_than_are_asked_for_the_rest_is_counted() {
        let mut all = stats();
        all.by_channel = vec![channel("logs:a:w", 1, 0, 1.0), channel("logs:b:w", 1, 0, 2.0)];
        all.channels = 5;
        cut(&mut all, 1);
        assert_eq!((all.by_channel[0].channel.service(), all.more_channels), ("b", 4));
    }

    #[test]
    fn a_limit_that_one_of_them_does_not_have_all_do_not_have() {
        let (mut all, mut other) = (stats(), stats());
        (all.max_fds, other.max_fds) = (5, 7);
        add(&mut all, other.clone());
        assert_eq!(all.max_fds, 12);
        other.max_fds = 0;
        add(&mut all, other);
        assert_eq!(all.max_fds, 0);
    }
}
