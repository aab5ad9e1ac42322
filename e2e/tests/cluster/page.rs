//! The page at the balancer's address.

use std::time::Duration;

use anyhow::{Result, ensure};
use logs_e2e::{
    Browser,
    cluster::{Cluster, Redis},
};
use logs_shared::Channel;
use serde_json::json;

use super::CHANNEL;

const LINES: &str =
    "return [...document.querySelectorAll('.logs-live .logs-message')].map(line => line.textContent);";

#[tokio::test(flavor = "multi_thread")]
async fn lines_go_on_without_a_hole_when_the_gateway_of_the_page_is_killed() -> Result<()> {
    let redis = Redis::start(&["appendonly yes"]).await?;
    let mut cluster = Cluster::start(&vec![redis.url(); 2], &[]).await?;
    let channel: Channel = CHANNEL.parse()?;
    let browser = Browser::start().await?;
    let url = cluster.balancer.url(&format!("/?channels={CHANNEL}&connect=1"));
    browser.open(&url).await?;
    browser.shows(".logs-status", "CONNECTED").await?;
    let mut published = Vec::new();
    let mut alive = vec![0, 1];
    for round in 0..4 {
        for number in 0..5 {
            let message = format!("round {round}, line {number}");
            let gateway = &cluster.gateways[alive[number % alive.len()]];
            gateway.publish(&channel, json!(message)).await?;
            published.push(message);
        }
        // While it looks elsewhere, so that some come only after it is back.
        if round == 1 {
            let mut of_page = None;
            for (number, gateway) in cluster.gateways.iter().enumerate() {
                if has_stream(gateway).await? {
                    of_page = Some(number);
                }
            }
            let Some(dead) = of_page else {
                anyhow::bail!("no gateway has the page's stream");
            };
            cluster.gateways[dead].kill().await?;
            alive.retain(|number| *number != dead);
        }
    }
    let last = published.last().cloned().unwrap_or_default();
    browser
        .shows_within(Duration::from_secs(30), ".logs-live .logs-list", &last)
        .await?;
    browser.shows(".logs-status", "CONNECTED").await?;
    ensure!(
        browser.streams().await?.opened > 1,
        "the page's stream was not cut"
    );
    browser.screenshot("cluster").await?;
    let shown: Vec<String> = serde_json::from_value(browser.run(LINES, json!([])).await?)?;
    ensure!(
        shown == published,
        "on screen: {shown:#?}\npublished: {published:#?}"
    );
    Ok(())
}

/// Whether this gateway itself has an open stream.
async fn has_stream(gateway: &logs_e2e::TestGateway) -> Result<bool> {
    let health = super::said_at(gateway, "/health").await?;
    let health: logs_shared::overview::Health = serde_json::from_str(&health)?;
    Ok(health.connections > 0)
}
