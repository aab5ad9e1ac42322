//! The page of how the gateway does.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use logs_e2e::{Browser, ColorScheme, SseReader, TestGateway};
use logs_shared::{Channel, ServerEvent};
use serde_json::{Value, json};

const CHANNEL: &str = "logs:etl:workspace123:workflow456";
const ADMIN: &str = "a token of the operator";

async fn admin_page(gateway: &TestGateway) -> Result<Browser> {
    let browser = Browser::start().await?;
    browser.open(&gateway.url("/admin")).await?;
    Ok(browser)
}

/// A stream of this user.
async fn stream_of(gateway: &TestGateway, user: &str) -> Result<SseReader> {
    SseReader::open_with(&gateway.stream_url(CHANNEL), &[("x-user-id", user)]).await
}

async fn publish(gateway: &TestGateway, count: usize) -> Result<()> {
    let channel: Channel = CHANNEL.parse()?;
    for number in 0..count {
        gateway.publish(&channel, json!(number.to_string())).await?;
    }
    Ok(())
}

/// Waits until a tile's note or value has this text.
async fn tile(browser: &Browser, name: &str, text: &str) -> Result<()> {
    browser
        .shows(&format!(".logs-tile[data-name='{name}']"), text)
        .await
}

/// Waits until a table's rows have these texts as their first cells, from the top.
async fn first_cells(browser: &Browser, table: &str, expected: &[&str]) -> Result<()> {
    let script = "
        const rows = document.querySelectorAll(`[data-name='${arguments[0]}'] tbody tr`);
        return JSON.stringify([...rows].map((row) => row.cells[0].textContent)) === JSON.stringify(arguments[1]);";
    browser
        .wait(
            &format!("{table}: {expected:?}"),
            script,
            json!([table, expected]),
        )
        .await
}

/// Puts a text into a field, as a person does.
async fn fill(browser: &Browser, field: &str, text: &str) -> Result<()> {
    let script = "
        const field = document.querySelector(arguments[0]);
        if (!field?.checkVisibility()) return false;
        field.focus();
        field.value = arguments[1];
        field.dispatchEvent(new Event('input', { bubbles: true }));
        return true;";
    browser
        .wait(&format!("the field {field}"), script, json!([field, text]))
        .await
}

async fn give(browser: &Browser, token: &str) -> Result<()> {
    fill(browser, "#logs-token", token).await?;
    browser.click("Use token").await
}

/// The events of a stream up to its end, by their names.
async fn ends(reader: &mut SseReader) -> Result<String> {
    loop {
        let received = reader.next().await.context("a stream that is closed says so")?;
        if let ServerEvent::Close(close) = received.event {
            return Ok(close.reason);
        }
    }
}

#[tokio::test]
async fn figures_appear_and_move_with_the_traffic() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let mut reader = stream_of(&gateway, "ann").await?;
    let browser = admin_page(&gateway).await?;
    browser.shows(".logs-status", "Healthy").await?;
    tile(&browser, "Published", "0 since the start").await?;
    tile(&browser, "Streams", "1").await?;
    publish(&gateway, 7).await?;
    for _ in 0..7 {
        reader.next_record().await?;
    }
    tile(&browser, "Published", "7 since the start").await?;
    tile(&browser, "Delivered", "7 since the start").await?;
    first_cells(&browser, "channels", &[CHANNEL]).await?;
    let line = "
        const line = document.querySelector(`[data-name='Published'] svg`);
        return line.querySelector('path').getAttribute('d').includes('L')
            && line.getAttribute('aria-label').startsWith('Published: in the last minutes between 0/s and ');";
    browser
        .wait("a line of what was published", line, json!([]))
        .await?;
    drop(reader);
    browser
        .shows("[data-name='streams'] .logs-hint", "No stream is open.")
        .await?;
    assert_eq!(browser.policy_violations().await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_stream_is_closed_from_its_row_after_a_second_look() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let mut ann = stream_of(&gateway, "ann").await?;
    let mut bob = stream_of(&gateway, "bob").await?;
    let browser = admin_page(&gateway).await?;
    browser.shows("[data-name='streams'] tbody", "ann").await?;
    let row = "
        const row = [...document.querySelectorAll(`[data-name='streams'] tbody tr`)]
            .find((row) => row.textContent.includes(arguments[0]));
        const found = [...(row?.querySelectorAll('button') ?? [])].find((button) => button.textContent === arguments[1]);
        found?.click();
        return found !== undefined;";
    browser.wait("ann's button", row, json!(["ann", "Close"])).await?;
    browser.shows(".logs-dialog", "of ann?").await?;
    browser.click("Cancel").await?;
    let is_shut = "return !document.querySelector('.logs-dialog').open;";
    browser.wait("the dialog to shut", is_shut, json!([])).await?;
    assert_eq!(gateway.stats().await?.connections, 2);

    browser.wait("ann's button", row, json!(["ann", "Close"])).await?;
    browser.click("Close stream").await?;
    browser.shows(".logs-told", "was closed").await?;
    assert_eq!(ends(&mut ann).await?, "closed");
    // The button that was pressed is gone with its row: the keyboard goes on from what is told.
    let focused = "return document.activeElement.classList.contains('logs-told');";
    browser
        .wait("the focus on what is told", focused, json!([]))
        .await?;
    browser
        .wait("bob's button", row, json!(["bob", "Revoke user"]))
        .await?;
    browser.shows(".logs-dialog", "Revoke the user bob?").await?;
    let within = "return [...document.querySelectorAll('.logs-dialog button')].at(-1).click();";
    browser.run(within, json!([])).await?;
    browser.shows(".logs-told", "1 stream ends").await?;
    assert_eq!(ends(&mut bob).await?, "revoked");
    let again = SseReader::open_with(&gateway.stream_url(CHANNEL), &[("x-user-id", "bob")]).await;
    ensure!(again.is_err(), "who is revoked opens nothing");
    browser
        .shows("[data-name='streams'] .logs-hint", "No stream is open.")
        .await?;
    browser.shows("[data-name='refusals'] tbody", "revoked").await
}

#[tokio::test]
async fn of_many_rows_so_many_are_shown_and_those_that_are_looked_for() -> Result<()> {
    let gateway = TestGateway::start().await?;
    for number in 0..60 {
        let channel = Channel::new("etl", "w", Some(&format!("f{number:02}")))?;
        for _ in 0..=usize::from(number == 33) {
            gateway.publish(&channel, json!("m")).await?;
        }
    }
    let browser = admin_page(&gateway).await?;
    browser
        .shows("[data-name='channels'] .logs-hint", "10 more.")
        .await?;
    let sort = "
        const heads = [...document.querySelectorAll(`[data-name='channels'] .logs-sort`)];
        heads.find((head) => head.textContent.trim().startsWith(arguments[0])).click();";
    browser.run(sort, json!(["Records"])).await?;
    let first = "
        const row = document.querySelector(`[data-name='channels'] tbody tr`);
        return row.cells[0].textContent === arguments[0];";
    browser
        .wait("the largest first", first, json!(["logs:etl:w:f33"]))
        .await?;
    browser.run(sort, json!(["Channel"])).await?;
    browser
        .wait("the first first", first, json!(["logs:etl:w:f00"]))
        .await?;
    browser.run(sort, json!(["Channel"])).await?;
    browser
        .wait("the last first", first, json!(["logs:etl:w:f59"]))
        .await?;
    browser.click("Show 50 more").await?;
    let count =
        "return document.querySelectorAll(`[data-name='channels'] tbody tr`).length === arguments[0];";
    browser.wait("all rows", count, json!([60])).await?;
    fill(&browser, "#logs-filter-channels", "F1").await?;
    browser
        .wait("rows that have the text", count, json!([10]))
        .await?;
    fill(&browser, "#logs-filter-channels", "nowhere").await?;
    browser
        .shows("[data-name='channels'] .logs-hint", "None of them has this text.")
        .await
}

#[tokio::test]
async fn the_token_is_asked_for_and_a_wrong_one_is_told() -> Result<()> {
    let gateway = TestGateway::start_with(&[("ADMIN_TOKEN", ADMIN)]).await?;
    let browser = admin_page(&gateway).await?;
    browser.shows(".logs-status", "A token is needed").await?;
    browser.shows(".logs-token", "ADMIN_TOKEN").await?;
    give(&browser, "another").await?;
    browser
        .shows(".logs-error", "This is not the gateway's ADMIN_TOKEN.")
        .await?;
    give(&browser, ADMIN).await?;
    browser.shows(".logs-status", "Healthy").await?;
    tile(&browser, "Published", "0 since the start").await?;

    // Kept as long as the tab, apart from the reader's, and nowhere else.
    browser.reload().await?;
    browser.shows(".logs-status", "Healthy").await?;
    let kept = "
        const elsewhere = [document.documentElement.outerHTML, location.href, JSON.stringify(localStorage), document.cookie];
        return [elsewhere.filter((text) => text.includes(arguments[0])), { ...sessionStorage }];";
    let kept = browser.run(kept, json!([ADMIN])).await?;
    assert_eq!(kept, json!([[], { "logs-admin-token": ADMIN }]));
    browser.click("Forget token").await?;
    browser.shows(".logs-status", "A token is needed").await
}

#[tokio::test]
async fn where_nobody_administers_the_page_says_what_to_do() -> Result<()> {
    let gateway = TestGateway::start_with(&[("NODE_ENV", "production"), ("LOG_FORMAT", "text")]).await?;
    let browser = admin_page(&gateway).await?;
    browser.shows(".logs-status", "Administration is off").await?;
    browser
        .shows(".logs-admin-bar", "Start it with ADMIN_TOKEN")
        .await
}

#[tokio::test]
async fn a_gateway_that_is_gone_leaves_its_last_figures_and_its_return_is_told() -> Result<()> {
    let mut gateway = TestGateway::start().await?;
    publish(&gateway, 3).await?;
    let browser = admin_page(&gateway).await?;
    tile(&browser, "Published", "3 since the start").await?;
    gateway.kill().await?;
    browser.shows(".logs-status", "No connection").await?;
    browser
        .shows(".logs-admin-bar", "The figures are those of ")
        .await?;
    tile(&browser, "Published", "3 since the start").await?;
    gateway.restart().await?;
    browser.shows(".logs-status", "Healthy").await?;
    browser.shows(".logs-restarted", "was started anew").await?;
    tile(&browser, "Published", "0 since the start").await
}

#[tokio::test]
async fn a_page_that_is_not_seen_asks_nothing_and_asks_at_once_when_it_is() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let browser = admin_page(&gateway).await?;
    browser.shows(".logs-status", "Healthy").await?;
    let hide = "
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => arguments[0] });
        document.dispatchEvent(new Event('visibilitychange'));";
    let hide = hide.replace("arguments[0]", "window.e2eHidden");
    let set = |is_hidden: bool| format!("window.e2eHidden = {is_hidden}; {hide}");
    browser.run(&set(true), json!([])).await?;
    // What was asked before it was hidden is answered within this time, and the next would have been asked.
    tokio::time::sleep(Duration::from_secs(5)).await;
    publish(&gateway, 1).await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let note = "return document.querySelector(`[data-name='Published'] .logs-tile-note`).textContent;";
    let shown = browser.run(note, json!([])).await?;
    ensure!(
        shown.as_str().is_some_and(|text| text.starts_with("0 since")),
        "{shown}"
    );
    browser.run(&set(false), json!([])).await?;
    tile(&browser, "Published", "1 since the start").await
}

#[tokio::test]
async fn it_fits_a_phone_and_a_desk_by_day_and_by_night() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let _ann = stream_of(&gateway, "ann").await?;
    publish(&gateway, 20).await?;
    let browser = admin_page(&gateway).await?;
    first_cells(&browser, "channels", &[CHANNEL]).await?;
    for (width, height) in [(400, 900), (1280, 900)] {
        browser.resize(width, height).await?;
        for scheme in [ColorScheme::Light, ColorScheme::Dark] {
            browser.prefer(scheme).await?;
            let wide: Value = browser
                .run(
                    "return document.documentElement.scrollWidth <= innerWidth;",
                    json!([]),
                )
                .await?;
            ensure!(wide == json!(true), "{width} wide, the page goes over the edge");
            browser
                .screenshot(&format!("admin-{width}-{scheme:?}").to_lowercase())
                .await?;
        }
    }
    Ok(())
}
