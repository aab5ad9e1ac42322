//! What a person sees in a page that embeds `<logs-widget>`.

use std::{fs, time::Duration};

use anyhow::Result;
use logs_e2e::{Browser, HostPage, TestGateway, eventually};
use logs_shared::Channel;
use serde_json::{Value, json};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);

/// Two widgets, and what the page is told by them. `gateway` is empty where the page is on its origin.
const HTML: &str = r#"<!DOCTYPE html>
<html lang="en">
<title>A host page</title>
<script type="module" src="/page.js"></script>
<script type="module" src="{gateway}/logs-widget.js"></script>
<script type="module" src="{gateway}/logs-widget.js?again"></script>
<main>
<logs-widget id="one" service="etl" workspace-id="w" workflow-id="f" label="Jobs"></logs-widget>
<logs-widget id="two" channels="logs:faas:w:*"></logs-widget>
</main>
</html>"#;
const PAGE: &str = "
    window.told = [];
    for (const type of ['logs-status', 'logs-record']) {
        addEventListener(type, ({ target, detail }) => window.told.push({ id: target.id, type, ...detail }));
    }
";

/// A site with the page above.
async fn host(gateway: &TestGateway, is_same_origin: bool) -> Result<(TempDir, HostPage)> {
    let dir = TempDir::new()?;
    let address = gateway.url("");
    let (prefix, source, proxied) = if is_same_origin {
        ("", "'self'".to_owned(), Some(address.as_str()))
    } else {
        (address.as_str(), format!("'self' {address}"), None)
    };
    fs::write(dir.path().join("index.html"), HTML.replace("{gateway}", prefix))?;
    fs::write(dir.path().join("page.js"), PAGE)?;
    let policy = format!(
        "default-src 'none'; script-src {source} 'wasm-unsafe-eval'; connect-src {source}; style-src 'self'; base-uri 'none'"
    );
    let site = HostPage::start(dir.path(), &policy, proxied).await?;
    Ok((dir, site))
}

/// Waits until a widget shows this text.
async fn shows(browser: &Browser, id: &str, text: &str) -> Result<()> {
    let script = "return document.getElementById(arguments[0]).shadowRoot?.textContent.includes(arguments[1]) ?? false;";
    browser
        .wait(&format!("#{id} shows {text:?}"), script, json!([id, text]))
        .await
}

async fn connected(browser: &Browser, ids: &[&str]) -> Result<()> {
    for id in ids {
        let script = "return document.getElementById(arguments[0]).status === 'CONNECTED';";
        browser
            .wait(&format!("#{id} connected"), script, json!([id]))
            .await?;
    }
    Ok(())
}

async fn publish(gateway: &TestGateway, service: &str, resource: &str, message: &str) -> Result<()> {
    let channel = Channel::new(service, "w", Some(resource))?;
    gateway.publish(&channel, json!(message)).await?;
    Ok(())
}

/// The `gateway.stats()` have so many streams.
async fn streams(gateway: &TestGateway, count: usize) -> Result<()> {
    let what = format!("{count} streams at the gateway");
    let open = async || Ok((gateway.stats().await?.connections == count).then_some(()));
    eventually(&what, PATIENCE, open).await
}

async fn two_widgets_live(is_same_origin: bool) -> Result<()> {
    let gateway = TestGateway::start().await?;
    let (_dir, site) = host(&gateway, is_same_origin).await?;
    let browser = Browser::start().await?;
    browser.open(&site.url("/")).await?;
    connected(&browser, &["one", "two"]).await?;
    publish(&gateway, "etl", "f", "for the first").await?;
    publish(&gateway, "faas", "g", "for the second").await?;
    shows(&browser, "one", "for the first").await?;
    shows(&browser, "two", "for the second").await?;
    let other = "return document.getElementById('one').shadowRoot.textContent.includes('for the second');";
    assert_eq!(browser.run(other, json!([])).await?, Value::Bool(false));
    browser
        .screenshot(if is_same_origin {
            "widget-same-origin"
        } else {
            "widget-other-origin"
        })
        .await?;

    // Events, and the same as properties.
    let told = "return window.told.some(({ id, type, records }) =>
        id === 'one' && type === 'logs-record' && records.some(({ message }) => message === 'for the first'));";
    browser.wait("an event with the record", told, json!([])).await?;
    let told = "return window.told.some(({ id, type, status, streamId }) =>
        id === 'two' && type === 'logs-status' && status === 'CONNECTED' && streamId);";
    browser.wait("an event with the status", told, json!([])).await?;
    let logs = "return document.getElementById('two').logs.map(({ message }) => message).join();";
    assert_eq!(browser.run(logs, json!([])).await?, json!("for the second"));

    // Another channel, at runtime.
    let change = "document.getElementById('one').workflowId = 'other';";
    browser.run(change, json!([])).await?;
    connected(&browser, &["one"]).await?;
    publish(&gateway, "etl", "other", "for the other").await?;
    shows(&browser, "one", "for the other").await?;
    publish(&gateway, "etl", "f", "for nobody any more").await?;
    publish(&gateway, "etl", "other", "after it").await?;
    shows(&browser, "one", "after it").await?;
    let left = "return document.getElementById('one').shadowRoot.textContent.includes('for nobody');";
    assert_eq!(browser.run(left, json!([])).await?, Value::Bool(false));

    // Gone with its element.
    let remove = "document.querySelectorAll('logs-widget').forEach(widget => widget.remove());";
    browser.run(remove, json!([])).await?;
    let closed = "return window.e2eStreams().open === 0;";
    browser.wait("no stream", closed, json!([])).await?;
    streams(&gateway, 0).await?;
    let violations = browser.policy_violations().await?;
    assert!(violations.is_empty(), "{violations:?}");
    Ok(())
}

#[tokio::test]
async fn a_page_of_another_origin_shows_lines_under_a_strict_policy() -> Result<()> {
    two_widgets_live(false).await
}

#[tokio::test]
async fn a_page_of_the_gateways_origin_shows_lines_under_a_strict_policy() -> Result<()> {
    two_widgets_live(true).await
}

#[tokio::test]
async fn an_element_that_is_moved_keeps_its_lines_and_its_stream() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let (_dir, site) = host(&gateway, false).await?;
    let browser = Browser::start().await?;
    browser.open(&site.url("/")).await?;
    connected(&browser, &["one", "two"]).await?;
    publish(&gateway, "etl", "f", "before the move").await?;
    shows(&browser, "one", "before the move").await?;
    let before = browser.streams().await?;
    browser
        .run("document.body.append(document.getElementById('one'));", json!([]))
        .await?;
    publish(&gateway, "etl", "f", "after the move").await?;
    shows(&browser, "one", "after the move").await?;
    shows(&browser, "one", "before the move").await?;
    assert_eq!(browser.streams().await?, before);
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_with_an_attribute_is_shown_and_gone_when_it_is_right() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let (_dir, site) = host(&gateway, false).await?;
    let browser = Browser::start().await?;
    browser.open(&site.url("/")).await?;
    connected(&browser, &["two"]).await?;
    let set = "document.getElementById('two').setAttribute(arguments[0], arguments[1]);";
    browser.run(set, json!(["channels", "nonsense"])).await?;
    shows(&browser, "two", "\"nonsense\" is none").await?;
    browser.run(set, json!(["channels", "logs:faas:w:*"])).await?;
    browser.run(set, json!(["max-logs", "many"])).await?;
    shows(&browser, "two", "max-logs is a number").await?;
    browser.run(set, json!(["max-logs", "10"])).await?;
    let right = "const two = document.getElementById('two');
        return two.error === null && two.status === 'CONNECTED' && !two.shadowRoot.textContent.includes('max-logs');";
    browser.wait("no error", right, json!([])).await
}

/// A framework may create an element and set its properties before the script is there.
#[tokio::test]
async fn what_was_set_before_the_script_was_there_holds() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let (dir, site) = host(&gateway, false).await?;
    let early = format!(
        "const widget = document.createElement('logs-widget');
        Object.assign(widget, {{ id: 'early', channels: ['logs:etl:w:f', 'logs:faas:w:g'], maxLogs: 5 }});
        document.querySelector('main').replaceChildren(widget);
        widget.dataset.upgraded = widget.shadowRoot !== null;
        const script = document.createElement('script');
        script.type = 'module';
        script.src = '{}';
        document.head.append(script);",
        gateway.url("/logs-widget.js")
    );
    fs::write(dir.path().join("page.js"), early)?;
    let html = r#"<!DOCTYPE html><main></main><script type="module" src="/page.js"></script>"#;
    fs::write(dir.path().join("index.html"), html)?;
    let browser = Browser::start().await?;
    browser.open(&site.url("/")).await?;
    connected(&browser, &["early"]).await?;
    publish(&gateway, "faas", "g", "it is heard").await?;
    shows(&browser, "early", "it is heard").await?;
    let script =
        "const { dataset, maxLogs } = document.getElementById('early'); return [dataset.upgraded, maxLogs];";
    assert_eq!(browser.run(script, json!([])).await?, json!(["false", "5"]));
    Ok(())
}

#[tokio::test]
async fn a_thousand_viewers_leave_nothing_behind() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let browser = Browser::start().await?;
    let (dir, site) = host(&gateway, true).await?;
    // Without the watchers of streams and events: they hold what they have seen.
    fs::write(dir.path().join("page.js"), "")?;
    browser.open(&site.url("/")).await?;
    connected(&browser, &["one", "two"]).await?;
    for number in 0..20 {
        publish(&gateway, "etl", "f", &format!("line {number}")).await?;
    }
    shows(&browser, "one", "line 19").await?;
    let round = "
        return (async () => {
            for (let round = 0; round < 100; round += 1) {
                const widget = document.createElement('logs-widget');
                Object.assign(widget, { service: 'etl', workspaceId: 'w', workflowId: round % 2 ? 'f' : 'g' });
                document.querySelector('main').append(widget);
                await new Promise((resolve) => setTimeout(resolve, round % 9));
                widget.remove();
            }
        })();";
    let rounds = async |count: usize| -> Result<logs_e2e::Counted> {
        for _ in 0..count {
            browser.run(round, json!([])).await?;
        }
        // What is kept for a second for the next view goes.
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        browser.counted().await
    };
    // What a browser keeps to be faster the next time is kept by then.
    let before = rounds(3).await?;
    let after = rounds(10).await?;
    println!("before {before:?}, after a thousand viewers {after:?}");
    assert_eq!(after.listeners, before.listeners);
    assert_eq!(after.nodes, before.nodes);
    assert!(after.heap_bytes < before.heap_bytes + 256 * 1024);
    streams(&gateway, 1).await
}
