//! What parts of a page that were built apart have together: one stream, and each of its records once.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use logs_e2e::{Browser, HostPage, Streams, TestGateway, Traffic, eventually};
use logs_shared::{Channel, RecordId};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A page with two copies of the library, on its own origin with the gateway behind it.
struct Site {
    page: HostPage,
    _dir: TempDir,
}

impl Site {
    async fn start(gateway: &TestGateway) -> Result<Self> {
        let dir = TempDir::new()?;
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        for copy in ["one", "two"] {
            fs::create_dir(dir.path().join(copy))?;
            for file in fs::read_dir(here.join("../client/js"))? {
                let file = file?;
                if file.file_type()?.is_file() {
                    fs::copy(file.path(), dir.path().join(copy).join(file.file_name()))?;
                }
            }
        }
        fs::copy(here.join("web/hub.html"), dir.path().join("index.html"))?;
        fs::copy(here.join("web/hub.js"), dir.path().join("hub.js"))?;
        let page = HostPage::start(dir.path(), "default-src 'self'", Some(&gateway.url(""))).await?;
        Ok(Self { page, _dir: dir })
    }

    async fn open(&self, browser: &Browser) -> Result<()> {
        browser.open(&self.page.url("/")).await?;
        browser
            .wait(
                "the page's script",
                "return window.parts !== undefined;",
                json!([]),
            )
            .await
    }
}

/// A gateway with these settings, and a browser with the page open.
async fn scene(settings: &[(&str, &str)]) -> Result<(TestGateway, Site, Browser)> {
    let gateway = TestGateway::start_with(settings).await?;
    let site = Site::start(&gateway).await?;
    let browser = Browser::start().await?;
    site.open(&browser).await?;
    Ok((gateway, site, browser))
}

fn channel(name: &str) -> Channel {
    Channel::new("etl", "workspace123", Some(name)).expect("a channel's name")
}

/// Calls a function of the page.
async fn call(browser: &Browser, function: &str, args: Value) -> Result<Value> {
    let script = format!("return window.parts.{function}(...arguments) ?? null;");
    browser.run(&script, args).await
}

async fn mount(browser: &Browser, part: &str, options: Value) -> Result<()> {
    call(browser, "mount", json!([part, options])).await.map(drop)
}

async fn unmount(browser: &Browser, part: &str) -> Result<()> {
    call(browser, "unmount", json!([part])).await.map(drop)
}

async fn ids(browser: &Browser, function: &str, part: &str) -> Result<Vec<RecordId>> {
    Ok(serde_json::from_value(
        call(browser, function, json!([part])).await?,
    )?)
}

async fn connected(browser: &Browser, part: &str) -> Result<String> {
    let script = "return window.parts.status(arguments[0]).connectionStatus === 'CONNECTED';";
    browser
        .wait("the part is connected", script, json!([part]))
        .await?;
    let status = call(browser, "status", json!([part])).await?;
    Ok(status["streamId"].as_str().context("no stream id")?.to_owned())
}

/// Waits until a part was given exactly what the gateway has of a channel: everything, once, in order.
async fn has_everything(browser: &Browser, gateway: &TestGateway, part: &str, channels: &str) -> Result<()> {
    let kept: Vec<RecordId> = gateway
        .history(channels)
        .await?
        .iter()
        .map(|record| record.id)
        .collect();
    ensure!(!kept.is_empty(), "nothing was published to {channels}");
    let what = format!("{part} has all {} records of {channels}", kept.len());
    let complete = eventually(&what, Duration::from_secs(20), async || {
        let given = ids(browser, "given", part).await?;
        Ok((given.len() >= kept.len()).then_some(given))
    });
    let given = complete.await?;
    ensure!(
        given == kept,
        "{part} was given {} records, the gateway has {}; they differ first at {:?}",
        given.len(),
        kept.len(),
        given.iter().zip(&kept).find(|(given, kept)| given != kept)
    );
    Ok(())
}

/// What a part was given is what the gateway has of a channel, from its first record on to where the part was unmounted.
async fn has_no_hole(browser: &Browser, gateway: &TestGateway, part: &str, channels: &str) -> Result<()> {
    let kept = gateway.history(channels).await?;
    let given = ids(browser, "given", part).await?;
    ensure!(!given.is_empty(), "{part} was given nothing");
    let kept: Vec<RecordId> = kept.iter().take(given.len()).map(|record| record.id).collect();
    ensure!(
        given == kept,
        "{part} has a hole among its {} records",
        given.len()
    );
    Ok(())
}

/// The ids are the newest of a channel, none missing and none twice.
async fn has_newest(browser: &Browser, gateway: &TestGateway, part: &str, channels: &str) -> Result<usize> {
    let kept = gateway.history(channels).await?;
    let last = kept.last().context("nothing was published")?.id;
    eventually("the newest record", Duration::from_secs(20), async || {
        Ok((ids(browser, "shown", part).await?.last() == Some(&last)).then_some(()))
    })
    .await?;
    let shown = ids(browser, "shown", part).await?;
    let newest: Vec<RecordId> = kept
        .iter()
        .rev()
        .take(shown.len())
        .rev()
        .map(|it| it.id)
        .collect();
    ensure!(
        shown == newest,
        "{part} shows {} lines, and others than the newest",
        shown.len()
    );
    Ok(shown.len())
}

#[tokio::test]
async fn parts_that_were_built_apart_share_one_stream_through_every_change() -> Result<()> {
    let (gateway, _site, browser) = scene(&[]).await?;
    // The third is none of the pattern's below, so it is given up and followed again.
    let channels = [
        channel("a"),
        channel("b"),
        Channel::new("etl", "elsewhere", None)?,
    ];
    let traffic = Traffic::start(&gateway.publisher(), &channels, 100);
    let part = |copy: &str, channel: &str| json!({ "copy": copy, "channels": [channel] });
    let [a, b, c] = channels.each_ref().map(Channel::as_str);

    mount(&browser, "one", part("one", a)).await?;
    let stream = connected(&browser, "one").await?;
    // Records come while the gateway is being asked for others.
    browser.set_latency(Duration::from_millis(50)).await?;
    mount(&browser, "two", part("two", b)).await?;
    mount(&browser, "both", part("two", "logs:etl:workspace123:*")).await?;
    for round in 0..5 {
        mount(&browser, &format!("passing {round}"), part("one", c)).await?;
        mount(&browser, &format!("late {round}"), part("two", a)).await?;
        let has_some = "return window.parts.given(arguments[0]).length > 0;";
        browser
            .wait("a record", has_some, json!([format!("passing {round}")]))
            .await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
        unmount(&browser, &format!("passing {round}")).await?;
        // Sometimes it is back before its channel is given up, sometimes not.
        tokio::time::sleep(Duration::from_millis(round * 400)).await;
    }
    mount(&browser, "last", part("two", c)).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    traffic.stop().await?;

    has_everything(&browser, &gateway, "one", channels[0].as_str()).await?;
    has_everything(&browser, &gateway, "two", channels[1].as_str()).await?;
    has_everything(&browser, &gateway, "both", "logs:etl:workspace123:*").await?;
    has_everything(&browser, &gateway, "last", c).await?;
    for round in 0..5 {
        has_everything(&browser, &gateway, &format!("late {round}"), a).await?;
        has_no_hole(&browser, &gateway, &format!("passing {round}"), c).await?;
    }
    assert_eq!(browser.streams().await?, Streams { opened: 1, open: 1 });
    assert_eq!(connected(&browser, "last").await?, stream);
    assert_eq!(gateway.stats().await?.connections, 1);
    assert_eq!(browser.policy_violations().await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_crash_a_polite_stop_and_a_lost_network_lose_and_repeat_nothing() -> Result<()> {
    let (mut gateway, _site, browser) = scene(&[("DRAIN_MS", "1000")]).await?;
    let channels = ["a", "b"].map(channel);
    mount(&browser, "one", json!({ "channels": [channels[0]] })).await?;
    mount(
        &browser,
        "run",
        json!({ "channels": [{ "channel": "logs:*:workspace123:*", "where": { "run_id": "42" } }] }),
    )
    .await?;
    connected(&browser, "one").await?;
    let traffic = Traffic::start(&gateway.publisher(), &channels, 100);

    let pause = || tokio::time::sleep(Duration::from_millis(700));
    for round in 0..2 {
        pause().await;
        gateway.kill().await?;
        gateway.restart().await?;
        pause().await;
        gateway.stop().await?;
        gateway.restart().await?;
        pause().await;
        browser.set_offline(true).await?;
        // Mounted while there is no network.
        mount(
            &browser,
            &format!("offline {round}"),
            json!({ "copy": "two", "channels": [channels[1]] }),
        )
        .await?;
        pause().await;
        browser.set_offline(false).await?;
        let data = json!({ "message": "of the run", "run_id": 42 });
        gateway
            .publish(&Channel::new("faas", "workspace123", None)?, data)
            .await?;
    }
    pause().await;
    traffic.stop().await?;

    has_everything(&browser, &gateway, "one", channels[0].as_str()).await?;
    for round in 0..2 {
        has_everything(
            &browser,
            &gateway,
            &format!("offline {round}"),
            channels[1].as_str(),
        )
        .await?;
    }
    has_everything(&browser, &gateway, "run", "logs:faas:workspace123").await?;
    assert_eq!(browser.streams().await?.open, 1);
    Ok(())
}

#[tokio::test]
async fn where_an_open_stream_cannot_be_changed_the_next_takes_over_without_a_hole() -> Result<()> {
    let (gateway, _site, browser) = scene(&[]).await?;
    // As a proxy that lets only GET through.
    let forbid = "
        const real = window.fetch;
        window.fetch = (url, request) =>
            request?.method === 'PATCH' ? Promise.resolve(new Response(null, { status: 405 })) : real(url, request);";
    browser.run(forbid, json!([])).await?;
    let channels = ["a", "b"].map(channel);
    let traffic = Traffic::start(&gateway.publisher(), &channels, 100);
    mount(&browser, "one", json!({ "channels": [channels[0]] })).await?;
    let first = connected(&browser, "one").await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    mount(&browser, "two", json!({ "channels": [channels[1]] })).await?;
    tokio::time::sleep(Duration::from_millis(700)).await;
    traffic.stop().await?;
    has_everything(&browser, &gateway, "one", channels[0].as_str()).await?;
    has_everything(&browser, &gateway, "two", channels[1].as_str()).await?;
    assert_eq!(browser.streams().await?, Streams { opened: 2, open: 1 });
    assert_ne!(connected(&browser, "two").await?, first);
    Ok(())
}

#[tokio::test]
async fn leaving_and_coming_back_goes_on_after_the_last_record() -> Result<()> {
    let (gateway, _site, browser) = scene(&[]).await?;
    let channels = [channel("a")];
    mount(&browser, "one", json!({ "channels": channels })).await?;
    let traffic = Traffic::start(&gateway.publisher(), &channels, 100);
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        call(&browser, "disconnect", json!(["one"])).await?;
        browser
            .wait(
                "no stream is open",
                "return window.e2eStreams().open === 0 && window.parts.status('one').connectionStatus === 'DISCONNECTED';",
                json!([]),
            )
            .await?;
        tokio::time::sleep(Duration::from_millis(300)).await;
        call(&browser, "connect", json!(["one"])).await?;
        connected(&browser, "one").await?;
    }
    traffic.stop().await?;
    has_everything(&browser, &gateway, "one", channels[0].as_str()).await
}

#[tokio::test]
async fn kept_lines_are_shown_at_once_and_the_stream_goes_on_after_them() -> Result<()> {
    let mut gateway = TestGateway::start().await?;
    let site = Site::start(&gateway).await?;
    let browser = Browser::start().await?;
    let channels = [channel("a"), channel("b")];
    let options = json!({ "channels": channels, "persistence": true, "maxLogs": 2_000 });
    let traffic = Traffic::start(&gateway.publisher(), &channels, 100);
    for round in 0..4 {
        site.open(&browser).await?;
        mount(&browser, "kept", options.clone()).await?;
        if round > 0 {
            // They are there before the stream is: the mount itself asks the browser's store.
            browser
                .wait(
                    "kept lines",
                    "return window.parts.shown('kept').length > 0;",
                    json!([]),
                )
                .await?;
        }
        connected(&browser, "kept").await?;
        tokio::time::sleep(Duration::from_millis(300 + round * 400)).await;
    }
    traffic.stop().await?;
    let shown = has_newest(&browser, &gateway, "kept", "logs:etl:workspace123:*").await?;
    let given = ids(&browser, "given", "kept").await?;
    ensure!(
        given.is_sorted_by(|a, b| a < b),
        "a record was given twice or too late"
    );

    // What is written comes together; then a page without a gateway has it all.
    tokio::time::sleep(Duration::from_secs(1)).await;
    gateway.kill().await?;
    site.open(&browser).await?;
    mount(&browser, "kept", options).await?;
    let script = "return window.parts.shown('kept').length === arguments[0];";
    browser
        .wait("all lines without a gateway", script, json!([shown]))
        .await
}

#[tokio::test]
async fn what_retention_took_while_a_page_was_away_is_a_gap() -> Result<()> {
    let (gateway, site, browser) = scene(&[("RETENTION_RECORDS", "50")]).await?;
    let channel = channel("a");
    let options = json!({ "channels": [channel], "persistence": true });
    mount(&browser, "kept", options.clone()).await?;
    connected(&browser, "kept").await?;
    gateway.publish(&channel, json!("before")).await?;
    browser
        .wait(
            "the line",
            "return window.parts.shown('kept').length === 1;",
            json!([]),
        )
        .await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    browser.open("about:blank").await?;
    for number in 0..80 {
        gateway.publish(&channel, json!(format!("line {number}"))).await?;
    }
    site.open(&browser).await?;
    mount(&browser, "kept", options).await?;
    browser
        .wait(
            "what is left",
            "return window.parts.shown('kept').length >= 50;",
            json!([]),
        )
        .await?;
    let gaps = call(&browser, "gaps", json!(["kept"])).await?;
    assert_eq!(gaps.as_array().map(Vec::len), Some(1), "{gaps}");
    assert_eq!(gaps[0]["reason"], "retention");
    Ok(())
}

#[tokio::test]
async fn ten_tabs_share_one_stream_and_the_leaders_end_loses_nothing() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let site = Site::start(&gateway).await?;
    let browser = Browser::start().await?;
    let channels = ["a", "b"].map(channel);
    let traffic = Traffic::start(&gateway.publisher(), &channels, 100);
    let mut tabs = vec![browser.tab().await?];
    for number in 0..10 {
        if number > 0 {
            tabs.push(browser.new_tab().await?);
        }
        site.open(&browser).await?;
        let options = json!({ "client": { "scope": "browser" }, "channels": [channels[number % 2]] });
        mount(&browser, "tab", options).await?;
        connected(&browser, "tab").await?;
    }
    assert_eq!(gateway.stats().await?.connections, 1);
    for tab in tabs.drain(..3) {
        // The first leads, then the second, …
        browser.switch_to(&tab).await?;
        browser.close_tab().await?;
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    traffic.stop().await?;
    for (tab, number) in tabs.iter().zip(3..) {
        browser.switch_to(tab).await?;
        has_everything(&browser, &gateway, "tab", channels[number % 2].as_str()).await?;
    }
    assert_eq!(gateway.stats().await?.connections, 1);
    Ok(())
}

#[tokio::test]
async fn a_thousand_mounts_leave_nothing_behind() -> Result<()> {
    let (_gateway, _site, browser) = scene(&[]).await?;
    /// What a thousand mounts may leave: less than one small object each.
    const HEAP_BYTES: u64 = 128 * 1024;
    let channels = ["a", "b", "c", "d"].map(channel);
    mount(&browser, "stays", json!({ "channels": [channels[0]] })).await?;
    connected(&browser, "stays").await?;
    let round = "
        for (let round = 0; round < 100; round += 1) {
            const channel = arguments[0][round % 4];
            window.parts.mount('passing', { copy: round % 2 ? 'one' : 'two', channels: [channel], persistence: round % 3 === 0 });
            await new Promise((resolve) => setTimeout(resolve, round % 7));
            window.parts.unmount('passing');
        }";
    let rounds = async |count: usize| -> Result<()> {
        for _ in 0..count {
            let script = format!(
                "return (async (...given) => {{ {} }})(...arguments);",
                round.replace("arguments[0]", "given[0]")
            );
            browser.run(&script, json!([channels])).await?;
        }
        // What is kept for a second for the next view goes.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        Ok(())
    };
    // What a browser keeps to be faster the next time is kept by then.
    rounds(5).await?;
    let before = browser.counted().await?;
    rounds(10).await?;
    // A request that is under way has listeners and memory of its own; what is left behind stays.
    let at_rest = async || {
        let counted = browser.counted().await?;
        let is_back =
            counted.listeners <= before.listeners && counted.heap_bytes < before.heap_bytes + HEAP_BYTES;
        Ok(is_back.then_some(counted))
    };
    let after = eventually(
        "the listeners and the memory of what is gone are gone",
        Duration::from_secs(20),
        at_rest,
    )
    .await?;
    println!("before {before:?}, after a thousand mounts {after:?}");
    assert_eq!(browser.streams().await?, Streams { opened: 1, open: 1 });
    Ok(())
}
