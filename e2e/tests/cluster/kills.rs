//! Gateways and Redis are killed again and again. `cargo xtask measure -- cluster-kills` is the long form.

use std::time::Duration;

use anyhow::Result;
use logs_e2e::cluster::{Kills, Victims};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_acknowledged_outlives_kills_of_gateways_and_of_redis_complete_once_and_in_order()
-> Result<()> {
    let kills = Kills {
        rounds: 30,
        victims: Victims::GatewaysAndRedis,
        ..Kills::default()
    };
    let report = kills.run(|_, _| {}).await?;
    println!("{report}");
    report.ensure_faultless()?;
    assert!(report.longest_pause < Duration::from_secs(15), "{report}");
    Ok(())
}
