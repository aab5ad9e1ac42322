//! One gateway after the other is restarted politely.

use std::time::Duration;

use anyhow::{Result, ensure};
use logs_e2e::cluster::{Cluster, Load, Redis, is_ready};

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_loses_and_repeats_nothing_and_nobody_waits_long() -> Result<()> {
    let redis = Redis::start(&["appendonly yes"]).await?;
    let mut cluster = Cluster::start(&vec![redis.url(); 3], &[]).await?;
    let mut load = Load::new("w", 12)?;
    let balancer = [cluster.balancer.url("")];
    load.read_all_ways(60, |reader| match reader % 2 {
        0 => balancer.to_vec(),
        _ => cluster.urls_from(reader),
    });
    load.has_begun().await?;
    for publisher in 0..4 {
        let urls = match publisher % 2 {
            0 => balancer.to_vec(),
            _ => cluster.urls_from(publisher),
        };
        load.publish(&urls, usize::MAX, Duration::from_millis(20));
    }
    for gateway in 0..cluster.gateways.len() {
        load.goes_on(200, Duration::from_secs(10)).await?;
        let status = cluster.gateways[gateway].stop().await?;
        ensure!(status.success(), "{status}");
        load.goes_on(200, Duration::from_secs(10)).await?;
        cluster.gateways[gateway].restart().await?;
        is_ready(&cluster.gateways[gateway]).await?;
    }
    load.goes_on(200, Duration::from_secs(10)).await?;
    let report = load.stop(&cluster.gateways, Duration::from_secs(60)).await?;
    println!("rolling restart of {} gateways: {report}", cluster.gateways.len());
    report.ensure_faultless()?;
    ensure!(report.longest_pause < Duration::from_secs(3), "{report}");
    cluster.ensure_well()
}
