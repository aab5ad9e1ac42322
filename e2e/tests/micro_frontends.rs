//! A page shell with a React micro frontend, a Leptos one and a tag, each built apart.

use std::env;

use anyhow::{Context, Result, ensure};
use logs_e2e::{Browser, HostPage, Streams, TestGateway};
use logs_shared::Channel;
use serde_json::{Value, json};

/// Strict, but for what WebAssembly needs.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'";
const KINDS: [&str; 3] = ["react", "leptos", "tag"];

/// The shell, on the gateway's origin.
async fn shell(gateway: &TestGateway, browser: &Browser) -> Result<HostPage> {
    let bundles = env::var_os("LOGS_WEB_DIR");
    let bundles =
        bundles.context("LOGS_WEB_DIR is not set; `cargo xtask test` bundles the pages and sets it")?;
    let page = HostPage::start(bundles, POLICY, Some(&gateway.url(""))).await?;
    browser.open(&page.url("/shell.html")).await?;
    let script = "return window.shell !== undefined && customElements.get('logs-widget') !== undefined;";
    browser.wait("the shell", script, json!([])).await?;
    Ok(page)
}

async fn call(browser: &Browser, function: &str, args: Value) -> Result<Value> {
    let script = format!("return window.shell.{function}(...arguments) ?? null;");
    browser.run(&script, args).await
}

async fn mount(browser: &Browser, kind: &str, workflow: &str) -> Result<()> {
    call(browser, "mount", json!([kind, workflow])).await?;
    let script = "return window.shell.status(...arguments).startsWith('Status: CONNECTED');";
    let what = format!("{kind} {workflow} is connected");
    browser.wait(&what, script, json!([kind, workflow])).await
}

/// Waits until a micro frontend shows what was published, and exactly that.
async fn shows(browser: &Browser, kind: &str, workflow: &str, messages: &[String]) -> Result<()> {
    let script = "
        const lines = window.shell.lines(arguments[0], arguments[1]);
        return lines.length >= arguments[2];";
    let what = format!("{kind} {workflow} shows {} lines", messages.len());
    browser
        .wait(&what, script, json!([kind, workflow, messages.len()]))
        .await?;
    let lines: Vec<String> = serde_json::from_value(call(browser, "lines", json!([kind, workflow])).await?)?;
    ensure!(
        lines == messages,
        "{kind} {workflow} shows {lines:?}, published was {messages:?}"
    );
    Ok(())
}

fn channel(workflow: &str) -> Result<Channel> {
    Ok(Channel::new("etl", "workspace123", Some(workflow))?)
}

async fn publish(gateway: &TestGateway, workflow: &str, count: usize, all: &mut Vec<String>) -> Result<()> {
    for _ in 0..count {
        let message = format!("{workflow} line {}", all.len());
        gateway.publish(&channel(workflow)?, json!(message)).await?;
        all.push(message);
    }
    Ok(())
}

#[tokio::test]
async fn three_bundles_share_one_stream_and_keep_it_when_one_goes_and_another_comes() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let browser = Browser::start().await?;
    let _site = shell(&gateway, &browser).await?;
    let mut published = KINDS.map(|_| Vec::new());
    for (kind, all) in KINDS.into_iter().zip(&mut published) {
        publish(&gateway, kind, 3, all).await?;
        mount(&browser, kind, kind).await?;
        publish(&gateway, kind, 3, all).await?;
    }
    let stream = call(&browser, "stream", json!(["tag"])).await?;
    ensure!(stream.is_string(), "the page has no stream: {stream}");
    for (kind, all) in KINDS.into_iter().zip(&mut published) {
        publish(&gateway, kind, 2, all).await?;
        shows(&browser, kind, kind, all).await?;
    }
    assert_eq!(browser.streams().await?, Streams { opened: 1, open: 1 });
    assert_eq!(gateway.stats().await?.connections, 1);

    for kind in ["react", "leptos"] {
        call(&browser, "unmount", json!([kind, kind])).await?;
        let mut all = Vec::new();
        publish(&gateway, "another", 2, &mut Vec::new()).await?;
        let other = format!("other-{kind}");
        publish(&gateway, &other, 2, &mut all).await?;
        mount(&browser, kind, &other).await?;
        publish(&gateway, &other, 2, &mut all).await?;
        shows(&browser, kind, &other, &all).await?;
    }
    publish(&gateway, "tag", 2, &mut published[2]).await?;
    shows(&browser, "tag", "tag", &published[2]).await?;
    assert_eq!(call(&browser, "stream", json!(["tag"])).await?, stream);
    assert_eq!(browser.streams().await?, Streams { opened: 1, open: 1 });
    assert_eq!(gateway.stats().await?.connections, 1);
    assert_eq!(browser.policy_violations().await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_micro_frontend_that_was_left_shows_its_lines_again_after_a_reload() -> Result<()> {
    let mut gateway = TestGateway::start().await?;
    let browser = Browser::start().await?;
    let _site = shell(&gateway, &browser).await?;
    let mut all = Vec::new();
    publish(&gateway, "react", 5, &mut all).await?;
    mount(&browser, "react", "react").await?;
    shows(&browser, "react", "react", &all).await?;
    // What has come is written within half a second.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    publish(&gateway, "react", 5, &mut all).await?;
    gateway.kill().await?;
    gateway.restart().await?;
    browser.reload().await?;
    browser
        .wait("the shell", "return window.shell !== undefined;", json!([]))
        .await?;
    mount(&browser, "react", "react").await?;
    publish(&gateway, "react", 5, &mut all).await?;
    shows(&browser, "react", "react", &all).await
}
