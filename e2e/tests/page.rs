//! What a person sees who watches logs in a browser.

use std::time::{Duration, Instant};

use anyhow::Result;
use logs_e2e::{Browser, ColorScheme, Streams, TestGateway, eventually};
use logs_shared::Channel;
use serde_json::json;

const CONNECTED: &str = "Status: CONNECTED 🔴 LIVE";
const PATIENCE: Duration = Duration::from_secs(20);

/// What the demo's micro frontends watch, each with its path and its publisher's service.
const DEMO: [(&str, &str); 3] = [
    ("/indata/logs", "etl"),
    ("/faas/logs", "faas"),
    ("/functions/logs", "function"),
];

fn channel(service: &str) -> Result<Channel> {
    Ok(Channel::new(service, "workspace123", Some("workflow456"))?)
}

/// The live logs page, connected to the channel of `service`.
async fn live_page(gateway: &TestGateway, service: &str) -> Result<Browser> {
    let browser = Browser::start().await?;
    let path = format!("/?channels={}&connect=1", channel(service)?);
    browser.open(&gateway.url(&path)).await?;
    browser.shows(".logs-status", CONNECTED).await?;
    Ok(browser)
}

/// Goes to one of the demo's micro frontends, as a click on its tab does.
async fn switch_to(browser: &Browser, path: &str) -> Result<()> {
    browser.click_on(&format!("a[href=\"{path}\"]")).await?;
    let script = "return location.pathname === arguments[0];";
    browser
        .wait(&format!("the tab {path}"), script, json!([path]))
        .await
}

#[tokio::test]
async fn a_published_record_is_on_the_page_within_two_seconds() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let browser = live_page(&gateway, "etl").await?;
    for round in 1..=5 {
        let message = format!("ETL process completed, round {round}");
        let published = Instant::now();
        gateway
            .publish(&channel("etl")?, json!({ "message": message, "rows": round }))
            .await?;
        browser
            .shows_within(Duration::from_secs(2), ".logs-live .logs-message", &message)
            .await?;
        println!(
            "round {round}: on the page {} ms after it was sent",
            published.elapsed().as_millis()
        );
    }
    Ok(())
}

#[tokio::test]
async fn fifteen_samples_are_shown_first_and_the_live_section_comes_above_them() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let browser = Browser::start().await?;
    browser.open(&gateway.url("/")).await?;
    let fifteen = "return document.querySelectorAll('.logs-samples .logs-row').length === 15;";
    browser.wait("fifteen samples", fifteen, json!([])).await?;
    browser.shows(".logs-status", "Status: DISCONNECTED").await?;
    let streams = browser.streams().await?;
    assert_eq!(
        streams,
        Streams { opened: 0, open: 0 },
        "nobody asked for a stream yet"
    );

    browser.click("Connect Live Logs").await?;
    browser.shows(".logs-status", CONNECTED).await?;
    let above = "
        const [live, samples] = ['.logs-live', '.logs-samples'].map(name => document.querySelector(name));
        return live !== null && samples !== null
            && live.getBoundingClientRect().bottom <= samples.getBoundingClientRect().top;";
    browser
        .wait("the live section above the samples", above, json!([]))
        .await?;
    browser.wait("fifteen samples still", fifteen, json!([])).await?;

    browser.click("Disconnect").await?;
    browser.shows(".logs-status", "Status: DISCONNECTED").await?;
    assert_eq!(browser.streams().await?.open, 0);
    Ok(())
}

#[tokio::test]
async fn the_three_demo_pages_share_one_stream_and_lines_stay_across_tabs() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let browser = Browser::start().await?;
    browser.open(&gateway.url("/demo")).await?;
    browser
        .wait("a stream", "return window.e2eStreams().open > 0;", json!([]))
        .await?;
    // A stream that serves no tab yet may name other channels; only one may be left when all have been shown.
    for (path, _) in DEMO {
        switch_to(&browser, path).await?;
        browser.shows(".logs-status", "CONNECTED").await?;
    }
    let all_follow = async || {
        let stats = gateway.stats().await?;
        let followed = stats
            .by_connection
            .iter()
            .map(|stream| stream.channels.len())
            .max();
        Ok((stats.connections == 1 && followed == Some(DEMO.len())).then_some(()))
    };
    eventually("one connection that follows three channels", PATIENCE, all_follow).await?;

    for (_, service) in DEMO {
        gateway
            .publish(&channel(service)?, json!(format!("hello from {service}")))
            .await?;
    }
    let before = browser.streams().await?;
    for round in 1..=2 {
        for (path, service) in DEMO {
            switch_to(&browser, path).await?;
            browser
                .shows(".logs-message", &format!("hello from {service}"))
                .await?;
            let others = DEMO.iter().filter(|(_, other)| *other != service);
            for (_, other) in others {
                let script = "return !document.body.innerText.includes(arguments[0]);";
                browser
                    .wait(
                        "only this tab's lines",
                        script,
                        json!([format!("hello from {other}")]),
                    )
                    .await?;
            }
        }
        println!("round {round}: {:?}", browser.streams().await?);
    }
    let after = browser.streams().await?;
    assert_eq!(after.open, 1);
    assert_eq!(after.opened, before.opened, "switching tabs reconnected");
    assert_eq!(gateway.stats().await?.connections, 1);
    Ok(())
}

#[tokio::test]
async fn after_a_crash_of_the_gateway_the_page_reconnects_and_goes_on() -> Result<()> {
    let mut gateway = TestGateway::start().await?;
    let browser = live_page(&gateway, "etl").await?;
    gateway
        .publish(&channel("etl")?, json!("before the crash"))
        .await?;
    browser.shows(".logs-message", "before the crash").await?;

    gateway.kill().await?;
    browser.shows(".logs-status", "RECONNECTING").await?;
    browser.shows(".logs-message", "before the crash").await?;

    gateway.restart().await?;
    browser.shows(".logs-status", CONNECTED).await?;
    gateway
        .publish(&channel("etl")?, json!("after the crash"))
        .await?;
    browser.shows(".logs-message", "after the crash").await?;
    browser.shows(".logs-message", "before the crash").await?;
    assert_eq!(browser.streams().await?.open, 1);
    Ok(())
}

#[tokio::test]
async fn markup_in_a_log_line_is_text() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let browser = live_page(&gateway, "etl").await?;
    let markup = r#"<img src="x" onerror="window.ran = true"><b>bold</b><script>window.ran = true</script>"#;
    let log_data = json!({ "message": markup, markup: markup });
    gateway.publish(&channel("etl")?, log_data).await?;
    browser.shows(".logs-live .logs-message", markup).await?;
    let script = "return window.ran === undefined
        && document.querySelector('.logs-live :is(img, b, script)') === null;";
    browser
        .wait("no element from the log line", script, json!([]))
        .await
}

#[tokio::test]
async fn the_page_loads_nothing_that_its_policy_forbids() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let browser = Browser::start().await?;
    browser.open(&gateway.url("/")).await?;
    browser.shows(".logs-status", "Status: DISCONNECTED").await?;
    let violations = browser.policy_violations().await?;
    assert!(violations.is_empty(), "{violations:?}");
    Ok(())
}

#[tokio::test]
async fn light_and_dark_both_render() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let browser = live_page(&gateway, "etl").await?;
    for (level, message) in [
        ("DEBUG", "Reading manifest s3://landing/2025-09-25/manifest.json"),
        (
            "INFO",
            "\u{1b}[32m✓\u{1b}[0m 48 210 rows read from customers.csv in 1.8 s",
        ),
        (
            "WARN",
            "Row 1 209: postal code is empty, the country's default is used",
        ),
        (
            "ERROR",
            "Write to warehouse.orders failed: connection reset by peer, try 2 of 5 in 4 s",
        ),
        ("INFO", "ETL process completed"),
    ] {
        let log_data =
            json!({ "message": message, "level": level, "run_id": "42", "rows": { "read": 48_210 } });
        gateway.publish(&channel("etl")?, log_data).await?;
    }
    browser
        .shows(".logs-live .logs-message", "ETL process completed")
        .await?;

    let mut backgrounds = Vec::new();
    for (scheme, name) in [(ColorScheme::Light, "light"), (ColorScheme::Dark, "dark")] {
        browser.prefer(scheme).await?;
        let script = "return matchMedia('(prefers-color-scheme: ' + arguments[0] + ')').matches;";
        browser.wait(name, script, json!([name])).await?;
        browser.screenshot(&format!("page-{name}")).await?;
        let script = "return getComputedStyle(document.body).backgroundColor;";
        backgrounds.push(browser.run(script, json!([])).await?);
    }
    assert_ne!(backgrounds[0], backgrounds[1]);

    browser.open(&gateway.url("/demo")).await?;
    browser.shows(".logs-status", "CONNECTED").await?;
    browser.screenshot("demo-dark").await?;
    browser.prefer(ColorScheme::Light).await?;
    browser.screenshot("demo-light").await?;
    Ok(())
}

/// A channel was left and followed again: its lines had gone with it, and the page went on after the
/// last of them, so it stayed empty although the gateway had them all.
#[tokio::test]
async fn a_channel_that_is_followed_again_shows_its_lines_again() -> Result<()> {
    let gateway = TestGateway::start().await?;
    gateway
        .publish(&channel("etl")?, json!("kept by the gateway"))
        .await?;
    let browser = live_page(&gateway, "etl").await?;
    browser
        .shows(".logs-live .logs-message", "kept by the gateway")
        .await?;

    browser.click_on(".logs-leave").await?;
    let closed = "return window.e2eStreams().open === 0;";
    browser.wait("no stream", closed, json!([])).await?;

    let follow = "
        const field = document.querySelector('#logs-channel');
        field.value = arguments[0];
        field.dispatchEvent(new Event('input', { bubbles: true }));
        field.form.requestSubmit();
        return true;";
    browser
        .wait("the channel again", follow, json!([channel("etl")?]))
        .await?;
    browser
        .shows(".logs-live .logs-message", "kept by the gateway")
        .await
}

#[tokio::test]
async fn a_wrong_channel_in_the_address_is_told_and_nothing_else_followed() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let browser = Browser::start().await?;
    browser
        .open(&gateway.url("/?channels=logs:etl:workspace123:*,nonsense&connect=1"))
        .await?;
    browser.shows(".logs-chooser .logs-error", "nonsense").await?;
    assert_eq!(browser.streams().await?.opened, 0);
    Ok(())
}

#[tokio::test]
async fn going_to_the_demo_and_back_comes_back_to_the_same_live_lines() -> Result<()> {
    let gateway = TestGateway::start().await?;
    gateway.publish(&channel("faas")?, json!("still there")).await?;
    let browser = live_page(&gateway, "faas").await?;
    browser.shows(".logs-live .logs-message", "still there").await?;
    browser.click("Micro frontends").await?;
    browser.shows(".logs-heading", "InData").await?;
    browser.click("Live logs").await?;
    browser.shows(".logs-status", CONNECTED).await?;
    browser.shows(".logs-live .logs-message", "still there").await?;
    assert_eq!(browser.streams().await?.open, 1);
    Ok(())
}
