//! The page at the balancer's address.

use std::time::Duration;

use anyhow::{Result, ensure};
use logs_e2e::{
    Browser, SseReader,
    cluster::{Cluster, Redis},
};
use logs_shared::{Channel, ServerEvent};
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

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_page_names_each_gateway_and_closes_a_stream_of_any() -> Result<()> {
    let redis = Redis::start(&[]).await?;
    let cluster = Cluster::start(&vec![redis.url(); 2], &[]).await?;
    let [one, two] = cluster.gateways.as_slice() else {
        anyhow::bail!("two gateways were started");
    };
    let _ann = SseReader::open_with(&one.stream_url(CHANNEL), &[("x-user-id", "ann")]).await?;
    let mut bob = SseReader::open_with(&two.stream_url(CHANNEL), &[("x-user-id", "bob")]).await?;
    let browser = Browser::start().await?;
    browser.open(&one.url("/admin")).await?;
    let gateways = "
        const rows = [...document.querySelectorAll(`[data-name='gateways'] tbody tr`)];
        return rows.length === 2 && rows.every((row) => row.textContent.includes('healthy'));";
    browser
        .wait("a row for each gateway", gateways, json!([]))
        .await?;
    let close = "
        const rows = [...document.querySelectorAll(`[data-name='streams'] tbody tr`)];
        const row = rows.find((row) => row.textContent.includes('bob'));
        const button = [...(row?.querySelectorAll('button') ?? [])].find((button) => button.textContent === 'Close');
        button?.click();
        return button !== undefined;";
    browser.wait("bob's button", close, json!([])).await?;
    browser.shows(".logs-dialog", "of bob?").await?;
    browser.click("Close stream").await?;
    browser.shows(".logs-told", "was closed").await?;
    loop {
        if let ServerEvent::Close(close) = bob.next().await?.event {
            ensure!(close.reason == "closed", "{close:?}");
            break;
        }
    }
    browser.screenshot("cluster-admin").await?;
    ensure!(browser.policy_violations().await?.is_empty());
    Ok(())
}
