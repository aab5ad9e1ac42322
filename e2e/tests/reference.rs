//! The page that says what can be asked of the gateway.

use anyhow::{Context, Result, ensure};
use logs_e2e::{Browser, ColorScheme, TestGateway};
use serde_json::{Value, json};

#[tokio::test]
async fn every_operation_and_code_is_there_and_every_link_leads_somewhere() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let browser = Browser::start().await?;
    browser.open(&gateway.url("/docs")).await?;
    let compare = "
        return fetch('/openapi.json').then((answer) => answer.json());";
    // The page itself may ask for nothing: its policy says so.
    let blocked = browser.run(compare, json!([])).await;
    ensure!(blocked.is_err(), "the page's policy lets it ask");
    browser.open(&gateway.url("/")).await?;
    let described = browser.run(compare, json!([])).await?;
    browser.open(&gateway.url("/docs")).await?;
    let script = "
        const texts = (selector) => [...document.querySelectorAll(selector)].map((found) => found.textContent);
        const links = [...document.querySelectorAll(`a[href^='#']`)];
        return {
            operations: texts('.logs-operation h3'),
            codes: texts(`[id^='code-'] th`),
            lost: links.filter((link) => !document.getElementById(link.hash.slice(1))).map((link) => link.hash),
            scripts: document.scripts.length,
            loaded: performance.getEntriesByType('resource').map(({ name }) => name),
        };";
    let page = browser.run(script, json!([])).await?;
    let expected: Vec<String> = described["paths"]
        .as_object()
        .context("paths")?
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().into_iter().flat_map(|methods| methods.keys());
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let mut shown: Vec<String> = serde_json::from_value(page["operations"].clone())?;
    shown.sort();
    let mut expected = expected;
    expected.sort();
    assert_eq!(shown, expected);
    assert_eq!(page["codes"], described["components"]["schemas"]["Code"]["enum"]);
    assert_eq!(page["lost"], json!([]));
    assert_eq!((&page["scripts"], &page["loaded"]), (&json!(0), &json!([])));
    let violations = browser.policy_violations().await?;
    ensure!(violations.is_empty(), "{violations:?}");
    Ok(())
}

#[tokio::test]
async fn it_fits_a_phone_and_a_desk_and_the_keyboard_comes_past_the_contents() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let browser = Browser::start().await?;
    browser.open(&gateway.url("/docs")).await?;
    for (width, height) in [(400, 900), (1280, 900)] {
        browser.resize(width, height).await?;
        for scheme in [ColorScheme::Light, ColorScheme::Dark] {
            browser.prefer(scheme).await?;
            let fits: Value = browser
                .run(
                    "return document.documentElement.scrollWidth <= innerWidth;",
                    json!([]),
                )
                .await?;
            ensure!(fits == json!(true), "{width} wide, the page goes over the edge");
            browser
                .screenshot(&format!("docs-{width}-{scheme:?}").to_lowercase())
                .await?;
        }
    }
    let first = "
        const first = document.querySelector('a');
        first.focus();
        return [first.textContent, first.getBoundingClientRect().left, first.hash];";
    let first = browser.run(first, json!([])).await?;
    assert_eq!(first, json!(["To the reference", 0, "#reference"]));
    Ok(())
}

#[tokio::test]
async fn the_pages_lead_to_it_and_it_leads_back() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let browser = Browser::start().await?;
    browser.open(&gateway.url("/")).await?;
    browser.click("API").await?;
    browser.shows("h2", "Logs SSE Gateway").await?;
    browser.click("Gateway").await?;
    browser.shows(".logs-status", "Healthy").await?;
    browser.click("Live logs").await?;
    browser.shows(".logs-samples", "Sample entries").await
}
