//! Throughput and latency of gateways that share Redis, beside those of one alone.

mod delivery;
mod latency;
mod publishing;
mod setup;

use anyhow::Result;

use self::{
    delivery::delivered,
    latency::latency,
    publishing::{Rate, published},
    setup::Setup,
};
use crate::cluster::{Kills, Victims};

/// What was measured of one setup.
struct Row {
    singles: Rate,
    batches: Rate,
    delivered: f64,
    here: latency::Percentiles,
    elsewhere: Option<latency::Percentiles>,
}

/// Measures one gateway with its records in memory and on disk, and one, two and three that share Redis, all on this machine, with
/// whoever publishes and reads: prints a row each, and ratios to the first.
///
/// # Errors
/// A program fails, or a reader does not get everything once and in order.
pub async fn cluster() -> Result<()> {
    println!(
        "cluster: {:20} {:>9} {:>6} {:>9} {:>6} {:>11} {:>6}  {:>15} {:>15}  {:>17} {:>17}",
        "",
        "singles/s",
        "",
        "batched/s",
        "",
        "delivered/s",
        "",
        "ms here",
        "ms elsewhere",
        "ms CPU/1,000 1by1",
        "ms CPU/1,000 bat."
    );
    let mut first = None;
    for kind in setup::KINDS {
        let row = measure(kind).await?;
        print(kind.name, &row, first.as_ref().unwrap_or(&row));
        first.get_or_insert(row);
    }
    setup::memory_of_redis().await
}

async fn measure(kind: setup::Kind) -> Result<Row> {
    let setup = Setup::start(kind).await?;
    let singles = published(&setup, 1).await?;
    let batches = published(&setup, 100).await?;
    let delivered = delivered(&setup).await?;
    let urls = setup.urls();
    let here = latency(&urls[0], &urls[0]).await?;
    let elsewhere = match urls.get(1) {
        Some(other) => Some(latency(&urls[0], other).await?),
        None => None,
    };
    Ok(Row {
        singles,
        batches,
        delivered,
        here,
        elsewhere,
    })
}

fn print(name: &str, row: &Row, first: &Row) {
    let times = |now: f64, then: f64| format!("×{:.2}", now / then);
    let cpu = |rate: &Rate| match rate.redis_ms {
        Some(redis) => format!("{:.1} + {redis:.1} Redis", rate.gateways_ms),
        None => format!("{:.1}", rate.gateways_ms),
    };
    let elsewhere = row
        .elsewhere
        .as_ref()
        .map_or_else(|| "–".to_owned(), ToString::to_string);
    println!(
        "cluster: {name:20} {:>9.0} {:>6} {:>9.0} {:>6} {:>11.0} {:>6}  {:>15} {elsewhere:>15}  {:>17} {:>17}",
        row.singles.per_second,
        times(row.singles.per_second, first.singles.per_second),
        row.batches.per_second,
        times(row.batches.per_second, first.batches.per_second),
        row.delivered,
        times(row.delivered, first.delivered),
        row.here.to_string(),
        cpu(&row.singles),
        cpu(&row.batches),
    );
}

/// Kills gateways and Redis so many times, and says what became of what was acknowledged.
///
/// # Errors
/// Something was lost, repeated or out of order, or a program does not start again.
pub async fn cluster_kills(rounds: u32) -> Result<()> {
    for victims in [Victims::Gateways, Victims::Redis, Victims::GatewaysAndRedis] {
        let kills = Kills {
            rounds,
            victims,
            ..Kills::default()
        };
        let report = kills
            .run(|round, counts| {
                if round % 10 == 0 {
                    println!(
                        "cluster-kills: {round} rounds: {} records acknowledged",
                        counts.records
                    );
                }
            })
            .await?;
        println!("cluster-kills: {victims:?}, {rounds} rounds: {report}");
        report.ensure_faultless()?;
    }
    Ok(())
}
