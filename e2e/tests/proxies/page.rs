//! A page under a policy that knows its own origin only.

use std::{fs, time::Duration};

use anyhow::Result;
use logs_e2e::{Browser, HostPage, ProxyKind, eventually};
use logs_shared::Channel;
use serde_json::json;
use tempfile::TempDir;

use crate::claims::Scene;

const PATIENCE: Duration = Duration::from_secs(20);
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; style-src 'self'; \
     base-uri 'none'";

/// The page of somebody who is signed in, with a widget and one that comes when the stream is open already.
const HTML: &str = r#"<!DOCTYPE html>
<html lang="en">
<title>The page of the ETL job</title>
<script type="module" src="/page.js"></script>
<script type="module" src="/logs-widget.js"></script>
<main>
<logs-widget id="job" gateway-url="/api/dapadmin/l5-etl/sse/logs/stream"
  service="etl" workspace-id="workspace123" workflow-id="workflow456"></logs-widget>
</main>
</html>"#;
const PAGE: &str = "
    document.cookie = 'session=alice';
    window.add = () => {
        const widget = document.createElement('logs-widget');
        widget.id = 'functions';
        widget.gatewayUrl = '/api/dapadmin/l5-etl/sse/logs/stream';
        widget.channels = 'logs:faas:workspace123:*';
        document.querySelector('main').append(widget);
    };
";

async fn shows(browser: &Browser, id: &str, text: &str) -> Result<()> {
    let script = "return document.getElementById(arguments[0]).shadowRoot?.textContent.includes(arguments[1]) ?? false;";
    browser
        .wait(&format!("#{id} shows {text:?}"), script, json!([id, text]))
        .await
}

#[tokio::test]
async fn a_page_whose_policy_knows_its_own_origin_only_shows_what_is_live_and_what_was() -> Result<()> {
    let scene = Scene::of(ProxyKind::Binary).await?;
    let (job, worker): (Channel, Channel) = (
        "logs:etl:workspace123:workflow456".parse()?,
        "logs:faas:workspace123:worker".parse()?,
    );
    let dir = TempDir::new()?;
    fs::write(dir.path().join("index.html"), HTML)?;
    fs::write(dir.path().join("page.js"), PAGE)?;
    let site = HostPage::start(dir.path(), POLICY, Some(&scene.proxy.url(""))).await?;
    scene
        .gateway
        .publish(&worker, json!("before anybody looked"))
        .await?;
    let browser = Browser::start().await?;
    browser.open(&site.url("/")).await?;
    let connected = "return document.getElementById('job').status === 'CONNECTED';";
    browser
        .wait("the widget is connected", connected, json!([]))
        .await?;
    scene.gateway.publish(&job, json!("live from the job")).await?;
    shows(&browser, "job", "live from the job").await?;

    // The second one is on the same stream, which is changed, and its past comes from history.
    browser.run("window.add();", json!([])).await?;
    shows(&browser, "functions", "before anybody looked").await?;
    scene
        .gateway
        .publish(&worker, json!("live from a function"))
        .await?;
    shows(&browser, "functions", "live from a function").await?;
    let one_stream = async || {
        let stats = scene.gateway.stats().await?;
        Ok((stats.connections == 1).then_some(()))
    };
    eventually("one stream for the page", PATIENCE, one_stream).await
}
