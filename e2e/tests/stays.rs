//! Lines stay: whatever happens to the page, its tabs, the network and the gateway, what is on screen is what was
//! published.

use std::time::Duration;

use anyhow::{Result, ensure};
use logs_e2e::{Browser, TestGateway, eventually};
use logs_shared::Channel;
use serde_json::json;

const PATH: &str = "/?channels=logs:etl:workspace123:workflow456&connect=1";
const CONNECTED: &str = "Status: CONNECTED 🔴 LIVE";

/// What was published, and few enough to be all on screen.
#[derive(Default)]
struct Published(Vec<String>);

impl Published {
    async fn publish(&mut self, gateway: &TestGateway, when: &str) -> Result<()> {
        for number in 1..=2 {
            let message = format!("{when}, line {number}");
            let channel = Channel::new("etl", "workspace123", Some("workflow456"))?;
            gateway.publish(&channel, json!(message)).await?;
            self.0.push(message);
        }
        Ok(())
    }

    async fn is_shown(&self, browser: &Browser) -> Result<()> {
        let shown = async || -> Result<Vec<String>> {
            let script = "return [...document.querySelectorAll('.logs-live .logs-message')].map(line => line.textContent);";
            Ok(serde_json::from_value(browser.run(script, json!([])).await?)?)
        };
        let last = self.0.last();
        let what = format!("the line {last:?}");
        eventually(&what, Duration::from_secs(20), async || {
            Ok((shown().await?.last() == last).then_some(()))
        })
        .await?;
        let shown = shown().await?;
        ensure!(shown == self.0, "on screen: {shown:#?}\npublished: {:#?}", self.0);
        Ok(())
    }
}

#[tokio::test]
async fn what_is_on_screen_is_what_was_published_through_everything() -> Result<()> {
    let mut gateway = TestGateway::start_with(&[("DRAIN_MS", "1000")]).await?;
    let browser = Browser::start().await?;
    let mut lines = Published::default();
    lines.publish(&gateway, "before").await?;
    browser.open(&gateway.url(PATH)).await?;
    lines.is_shown(&browser).await?;

    // What has come is kept within half a second; what comes after that, not.
    tokio::time::sleep(Duration::from_secs(1)).await;
    lines.publish(&gateway, "before a reload").await?;
    browser.reload().await?;
    lines.publish(&gateway, "after a reload").await?;
    lines.is_shown(&browser).await?;

    let first = browser.tab().await?;
    let second = browser.new_tab().await?;
    browser.open(&gateway.url(PATH)).await?;
    lines.is_shown(&browser).await?;
    lines.publish(&gateway, "with a second tab").await?;
    for tab in [&first, &second] {
        browser.switch_to(tab).await?;
        lines.is_shown(&browser).await?;
    }
    browser.close_tab().await?;
    browser.switch_to(&first).await?;

    gateway.kill().await?;
    gateway.restart().await?;
    lines.publish(&gateway, "after a crash").await?;
    lines.is_shown(&browser).await?;

    browser.set_offline(true).await?;
    lines.publish(&gateway, "while offline").await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    browser.set_offline(false).await?;
    lines.is_shown(&browser).await?;

    gateway.stop().await?;
    gateway.restart().await?;
    lines.publish(&gateway, "after a polite stop").await?;
    lines.is_shown(&browser).await?;
    browser.shows(".logs-status", CONNECTED).await?;
    Ok(())
}

#[tokio::test]
async fn going_to_another_page_and_back_shows_the_same_lines_and_goes_on() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let browser = Browser::start().await?;
    let mut lines = Published::default();
    lines.publish(&gateway, "before").await?;
    browser.open(&gateway.url(PATH)).await?;
    lines.is_shown(&browser).await?;
    browser.open(&gateway.url("/health")).await?;
    let connections = async || Ok((gateway.stats().await?.connections == 0).then_some(()));
    eventually("no open stream", Duration::from_secs(10), connections).await?;
    lines.publish(&gateway, "while away").await?;
    browser.run("history.back();", json!([])).await?;
    lines.is_shown(&browser).await?;
    lines.publish(&gateway, "back again").await?;
    lines.is_shown(&browser).await
}
