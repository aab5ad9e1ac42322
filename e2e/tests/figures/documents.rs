//! `docs/OPERATING.md` names every figure and every alert, and none that is not there.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use logs_e2e::{TestGateway, cluster::Redis};
use serde_json::json;

use super::{CHANNEL, prometheus::alerts, scrape::Scrape, text_of};

const DOCUMENT: &str = "docs/OPERATING.md";

/// The rows of its tables that begin with a metric: its name and its kind.
fn described(document: &str) -> BTreeMap<&str, &str> {
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    let metrics = cells.filter_map(|cells| {
        let name = cells.first()?.strip_suffix('`')?;
        let is_metric = ["logs_gateway_", "logs_redis_", "process_"]
            .iter()
            .any(|of| name.starts_with(of));
        is_metric.then_some((name, *cells.get(1)?))
    });
    metrics.collect()
}

#[tokio::test]
async fn every_figure_is_described_and_none_that_is_not_there() -> Result<()> {
    let gateway = TestGateway::start().await?;
    gateway.publish(&CHANNEL.parse()?, json!("m")).await?;
    let redis = Redis::start(&[]).await?;
    let shared = TestGateway::start_with(&[("REDIS_URL", &redis.url())]).await?;
    let (scrape, of_shared) = (Scrape::of(&gateway).await?, Scrape::of(&shared).await?);
    let document = text_of(DOCUMENT)?;
    let (described, mut there) = (described(&document), scrape.kinds());
    there.extend(of_shared.kinds());
    for (name, kind) in &there {
        let told = described.get(name);
        ensure!(told == Some(kind), "{name} is a {kind}; {DOCUMENT} says {told:?}");
    }
    for name in described.keys() {
        ensure!(there.contains_key(name), "there is no {name}");
    }
    Ok(())
}

#[test]
fn every_alert_has_its_section_and_every_section_its_alert() -> Result<()> {
    let document = text_of(DOCUMENT)?;
    let mut sections: Vec<_> = document
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .filter(|title| title.starts_with("LogsGateway"))
        .map(str::to_owned)
        .collect();
    let mut alerts = alerts()?;
    alerts.sort();
    sections.sort();
    ensure!(sections == alerts, "{sections:?} against {alerts:?}");
    let rules = text_of("deploy/prometheus/alerts.yml")?;
    for alert in alerts {
        let runbook = format!("runbook: {DOCUMENT}#{}", alert.to_lowercase());
        ensure!(rules.contains(&runbook), "{runbook}");
    }
    Ok(())
}
