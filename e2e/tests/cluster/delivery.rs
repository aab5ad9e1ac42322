//! Whatever gateway a record is published to and whatever gateway a reader reads from.

use std::time::Duration;

use anyhow::{Result, ensure};
use logs_e2e::cluster::{Cluster, Load, Redis};

const RECORDS: usize = 10_000;
const CHANNELS: u16 = 50;
const READERS: usize = 200;
const WITHIN: Duration = Duration::from_secs(120);

/// 10,000 records over 50 channels, published to the gateways in turn and to the balancer; 200 readers of channels and of
/// patterns, spread over the gateways and the balancer.
async fn deliver(mut cluster: Cluster) -> Result<()> {
    let mut load = Load::new("w", CHANNELS)?;
    load.read_all_ways(READERS, |reader| cluster.urls_of(reader));
    load.has_begun().await?;
    for publisher in 0..4 {
        load.publish(&cluster.urls_of(publisher), RECORDS / 4, Duration::ZERO);
    }
    let report = load.finish(&cluster.gateways, WITHIN).await?;
    println!("{} gateways: {report}", cluster.gateways.len());
    report.ensure_faultless()?;
    ensure!(report.counts.records == RECORDS as u64, "{report}");
    ensure!(report.readers == READERS, "{report}");
    // Each has a part of the readers: it was not one that did it all.
    for gateway in &cluster.gateways {
        ensure!(gateway.stats().await?.messages_delivered > 0);
    }
    cluster.ensure_well()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_two_gateways_each_reader_gets_every_record_once_and_in_order() -> Result<()> {
    let redis = Redis::start(&[]).await?;
    let cluster = Cluster::start(&vec![redis.url(); 2], &[]).await?;
    deliver(cluster).await
}

#[tokio::test(flavor = "multi_thread")]
async fn with_three_gateways_each_reader_gets_every_record_once_and_in_order() -> Result<()> {
    let redis = Redis::start(&["appendonly yes"]).await?;
    let cluster = Cluster::start(&vec![redis.url(); 3], &[]).await?;
    deliver(cluster).await
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_nginx_each_reader_gets_every_record_once_and_in_order() -> Result<()> {
    let redis = Redis::start(&[]).await?;
    let cluster = Cluster::start_behind_nginx(&vec![redis.url(); 2], &[]).await?;
    deliver(cluster).await
}

#[tokio::test(flavor = "multi_thread")]
async fn gateways_with_another_prefix_are_another_cluster_in_the_same_redis() -> Result<()> {
    let redis = Redis::start(&[]).await?;
    let one = Cluster::start(&[redis.url()], &[("REDIS_PREFIX", "one:")]).await?;
    let other = Cluster::start(&[redis.url()], &[("REDIS_PREFIX", "other:")]).await?;
    let mut loads = Vec::new();
    for cluster in [&one, &other] {
        let mut load = Load::new("w", 3)?;
        load.read_all_ways(20, |_| cluster.urls());
        load.has_begun().await?;
        load.publish(&cluster.urls(), 200, Duration::ZERO);
        loads.push(load);
    }
    for (load, cluster) in loads.into_iter().zip([one, other]) {
        // The other's records have the same names: a reader would see each twice.
        load.finish(&cluster.gateways, WITHIN).await?.ensure_faultless()?;
    }
    Ok(())
}
