//! What axe-core finds on the pages: nothing.

use std::{env, fs, path::Path};

use anyhow::{Context, Result, ensure};
use logs_e2e::{Browser, ColorScheme, SseReader, TestGateway};
use logs_shared::Channel;
use serde_json::{Value, json};

/// Runs axe-core's rules on the page as it is.
async fn has_no_violation(browser: &Browser, what: &str) -> Result<()> {
    let dir = env::var_os("LOGS_WEB_DIR");
    let dir = dir.context("LOGS_WEB_DIR is not set; `cargo xtask test` prepares the pages and sets it")?;
    let axe = fs::read_to_string(Path::new(&dir).join("axe.js"))?;
    // By the driver, not by the page: its policy lets no strange script in.
    browser.run(&axe, json!([])).await?;
    let script = "
        return axe.run(document, { resultTypes: ['violations'] }).then(({ violations, passes }) => ({
            rules: passes.length,
            found: violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ target }) => target).join(' | ')}`),
        }));";
    let answer = browser.run(script, json!([])).await?;
    let found: Vec<String> = serde_json::from_value(answer["found"].clone())?;
    ensure!(found.is_empty(), "{what}:\n{}", found.join("\n"));
    let rules = answer["rules"].as_u64();
    ensure!(rules > Some(10), "{what}: axe looked at nothing: {answer}");
    Ok(())
}

async fn publish(gateway: &TestGateway) -> Result<()> {
    let channel = Channel::new("etl", "workspace123", Some("workflow456"))?;
    for (level, message) in [
        ("debug", "chunk 3 of 12"),
        ("info", "\u{1b}[32mloaded\u{1b}[0m \u{1b}[41mred\u{1b}[0m"),
        ("warn", "slow\nvery slow"),
        ("error", "failed"),
        ("fatal", "gone"),
        ("trace", "why"),
    ] {
        let data: Value =
            json!({ "message": message, "level": level, "run_id": "r-1", "deep": { "a": [1, 2] } });
        gateway.publish(&channel, data).await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_viewer_has_no_violation_however_it_is_used() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let browser = Browser::start().await?;
    for scheme in [ColorScheme::Light, ColorScheme::Dark] {
        browser.prefer(scheme).await?;
        browser.open(&gateway.url("/")).await?;
        browser.shows("h1", "Logs").await?;
        has_no_violation(&browser, "not connected").await?;
        browser
            .open(&gateway.url("/?channels=logs:etl:workspace123:workflow456&connect=1"))
            .await?;
        publish(&gateway).await?;
        browser.shows(".logs-live .logs-message", "failed").await?;
        has_no_violation(&browser, "lines").await?;
        browser.click_on(".logs-live .logs-toggle").await?;
        browser.shows(".logs-live .logs-tree", "run_id").await?;
        has_no_violation(&browser, "fields open").await?;
        browser.click_on(".logs-live .logs-follow-run").await?;
        browser.shows(".logs-run", "through all services").await?;
        has_no_violation(&browser, "a run is followed").await?;
        browser.click("More").await?;
        has_no_violation(&browser, "the menu").await?;
    }
    browser.open(&gateway.url("/demo")).await?;
    browser.shows(".logs-tabs", "FaaS").await?;
    has_no_violation(&browser, "the demo").await
}

#[tokio::test]
async fn a_page_that_asks_who_reads_has_no_violation() -> Result<()> {
    let secret = "of tests alone, and as long as it has to be";
    let gateway = TestGateway::start_with(&[("AUTH", "jwt"), ("JWT_SECRET", secret)]).await?;
    let browser = Browser::start().await?;
    for scheme in [ColorScheme::Light, ColorScheme::Dark] {
        browser.prefer(scheme).await?;
        browser.open(&gateway.url("/?connect=1")).await?;
        browser.shows(".logs-token", "Token").await?;
        has_no_violation(&browser, "a token is wanted").await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_page_of_how_the_gateway_does_has_no_violation() -> Result<()> {
    let secret = "a token of the operator";
    let gateway = TestGateway::start_with(&[("ADMIN_TOKEN", secret)]).await?;
    let browser = Browser::start().await?;
    browser.open(&gateway.url("/admin")).await?;
    browser.shows(".logs-token", "Admin token").await?;
    has_no_violation(&browser, "a token is wanted").await?;
    let kept = "sessionStorage.setItem('logs-admin-token', arguments[0]);";
    browser.run(kept, json!([secret])).await?;
    publish(&gateway).await?;
    let _reader = SseReader::open(&gateway.stream_url("logs:*:*:*")).await?;
    for scheme in [ColorScheme::Light, ColorScheme::Dark] {
        browser.prefer(scheme).await?;
        for width in [400, 1280] {
            browser.resize(width, 900).await?;
            browser.open(&gateway.url("/admin")).await?;
            browser.shows("[data-name='channels'] tbody", "logs:etl").await?;
            has_no_violation(&browser, "figures").await?;
            browser.click("Close").await?;
            browser.shows(".logs-dialog", "Close the stream").await?;
            has_no_violation(&browser, "a stream is about to be closed").await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_reference_has_no_violation() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let browser = Browser::start().await?;
    for scheme in [ColorScheme::Light, ColorScheme::Dark] {
        browser.prefer(scheme).await?;
        for width in [400, 1280] {
            browser.resize(width, 900).await?;
            browser.open(&gateway.url("/docs#operation-publish")).await?;
            has_no_violation(&browser, "the reference").await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_with_a_page_is_found() -> Result<()> {
    let browser = Browser::start().await?;
    browser
        .open("data:text/html,<html lang=en><title>x</title><main><img src=x><button></button><p>text</p>")
        .await?;
    let found = has_no_violation(&browser, "a bad page").await;
    let found = format!("{:#}", found.err().context("axe finds nothing on a bad page")?);
    ensure!(
        found.contains("image-alt") && found.contains("button-name"),
        "{found}"
    );
    Ok(())
}
