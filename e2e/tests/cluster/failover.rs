//! The primary dies, and a sentinel makes its replica the next one.

use std::time::Duration;

use anyhow::{Result, ensure};
use logs_e2e::{
    cluster::{Cluster, Load, Redis, Sentinel},
    eventually,
};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_replica_must_have_before_it_is_acknowledged_outlives_the_primary() -> Result<()> {
    let mut primary = Redis::start(&["repl-diskless-sync-delay 0"]).await?;
    let follows = format!("replicaof 127.0.0.1 {}", primary.address().port());
    let replica = Redis::start(&[&follows]).await?;
    eventually("the replica follows", Duration::from_secs(20), async || {
        let info = replica.ask(&["INFO", "replication"]).await?;
        Ok(info.contains("master_link_status:up").then_some(()))
    })
    .await?;
    let sentinel = Sentinel::watch(&primary, Duration::from_secs(1)).await?;
    let settings = [("REDIS_REPLICAS", "1")];
    let mut cluster = Cluster::start(&vec![sentinel.url(); 2], &settings).await?;
    let mut load = Load::new("w", 6)?;
    load.read_all_ways(40, |reader| cluster.urls_from(reader));
    load.has_begun().await?;
    for publisher in 0..3 {
        load.publish(
            &cluster.urls_from(publisher),
            usize::MAX,
            Duration::from_millis(10),
        );
    }
    load.goes_on(500, Duration::from_secs(10)).await?;

    let old = primary.address();
    primary.kill().await?;
    let new = sentinel.has_changed_from(old).await?;
    ensure!(new == replica.address(), "{new}");
    // It has no replica of its own yet, and nothing may be acknowledged: that is what the old one becomes. It has nothing until it has
    // caught up, and a sentinel that is impatient on a busy machine is not to choose it.
    primary.configure(&format!("replicaof 127.0.0.1 {}", new.port()));
    primary.configure("replica-priority 0");
    primary.start_again().await?;
    load.goes_on(500, Duration::from_secs(40)).await?;
    cluster.is_ready().await?;
    let report = load.stop(&cluster.gateways, Duration::from_secs(60)).await?;
    println!("failover: {report}");
    report.ensure_faultless()?;
    cluster.ensure_well()
}
