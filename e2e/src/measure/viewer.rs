//! What a viewer costs in the browser.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use fastrand::Rng;
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::{MESSAGE_BYTES, filler::Filler, mib};
use crate::{Browser, HostPage, TestGateway};

const CHANNEL: &str = "logs:etl:measure:workflow456";
/// How often records are published.
const TICK: Duration = Duration::from_millis(20);
/// How long the last records may take to the page.
const PATIENCE: Duration = Duration::from_secs(60);

/// A viewer under load.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Records per second.
    pub rate: u64,
    /// For so long.
    pub seconds: u64,
    /// How many lines the viewer keeps.
    pub buffer: u64,
}

/// What was seen in the page: the times between its frames, in milliseconds, in ascending order.
struct Frames(Vec<f64>);

impl Frames {
    async fn stop(browser: &Browser) -> Result<Self> {
        let frames = browser.run("return window.bench.stop();", json!([])).await?;
        let mut frames: Vec<f64> = serde_json::from_value(frames)?;
        frames.sort_by(f64::total_cmp);
        Ok(Self(frames))
    }

    /// The frame time that so many of a hundred are within.
    fn within(&self, percent: usize) -> f64 {
        let place = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0.get(place).copied().unwrap_or_default()
    }

    fn row(&self) -> String {
        let over = self.0.iter().filter(|frame| **frame > 50.0).count();
        format!(
            "{:>6} {:>7.1} {:>7.1} {:>8.1} {over:>6}",
            self.0.len(),
            self.within(50),
            self.within(99),
            self.within(100)
        )
    }
}

/// Follows records as they are published, and prints a row: frames, main thread, memory.
///
/// # Errors
/// The page or the gateway fails, or the last record does not come.
pub async fn viewer_under(load: Load) -> Result<()> {
    let gateway = TestGateway::start_with(&[("STORE", "memory")]).await?;
    let (site, browser) = open(&gateway, load.buffer).await?;
    let filler = Filler::new(&gateway, vec![CHANNEL.to_owned()], MESSAGE_BYTES)?;
    let mut rng = Rng::with_seed(0);
    // A full buffer: what it costs to fill it, it costs once.
    filler.publish(load.buffer).await?;
    shows_all(&browser, &gateway).await?;
    sleep(Duration::from_secs(1)).await;

    let before = memory(&browser).await?;
    let (worked, started) = (browser.worked().await?, Instant::now());
    browser.run("window.bench.start();", json!([])).await?;
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let ticks_a_second = 1_000 / u64::try_from(TICK.as_millis())?;
    for _ in 0..load.seconds * ticks_a_second {
        ticks.tick().await;
        filler.publish_batch(&mut rng, load.rate / ticks_a_second).await?;
    }
    let published = started.elapsed();
    shows_all(&browser, &gateway).await?;
    let (frames, worked) = (Frames::stop(&browser).await?, browser.worked().await? - worked);
    let share = worked.as_secs_f64() / started.elapsed().as_secs_f64() * 100.0;
    let after = memory(&browser).await?;
    println!(
        "{:>9} {} {share:>5.0} % {:>5} → {:>3} MiB {:>9.1} s late",
        load.rate,
        frames.row(),
        mib(before),
        mib(after),
        (started.elapsed() - published).as_secs_f64(),
    );
    drop(site);
    Ok(())
}

/// Scrolls through so many lines, from the first to the last, and prints a row.
///
/// # Errors
/// As [`viewer_under`].
pub async fn viewer_scrolled(lines: u64) -> Result<()> {
    let gateway = TestGateway::start_with(&[("STORE", "memory"), ("RETENTION_RECORDS", "1000000")]).await?;
    let filler = Filler::new(&gateway, vec![CHANNEL.to_owned()], MESSAGE_BYTES)?;
    filler.publish(lines).await?;
    let (site, browser) = open(&gateway, lines).await?;
    shows_all(&browser, &gateway).await?;
    let script = "
        const list = document.querySelector('logs-widget').shadowRoot.querySelector('.logs-list');
        list.dispatchEvent(new WheelEvent('wheel', { deltaY: -100, bubbles: true }));
        list.scrollTop = 0;";
    browser.run(script, json!([])).await?;
    sleep(Duration::from_secs(1)).await;
    let height = browser.run("return window.bench.height();", json!([])).await?;
    // About ten seconds.
    let pixels = height.as_f64().context("the list has no height")? / 600.0;
    let worked = browser.worked().await?;
    browser
        .run(
            "window.bench.start(); window.bench.scroll(arguments[0]);",
            json!([pixels]),
        )
        .await?;
    browser
        .wait_for(
            "the end of the list",
            PATIENCE,
            "return window.isScrolling === false;",
            json!([]),
        )
        .await?;
    let (frames, worked) = (Frames::stop(&browser).await?, browser.worked().await? - worked);
    println!(
        "{lines:>9} {} {:>5.1} s of work, {} MiB",
        frames.row(),
        worked.as_secs_f64(),
        mib(memory(&browser).await?)
    );
    drop(site);
    Ok(())
}

/// The heads of the rows.
pub fn viewer_heads() {
    println!(
        "{:>9} {:>6} {:>7} {:>7} {:>8} {:>6}  main thread and memory",
        "", "frames", "p50 ms", "p99 ms", "longest", "> 50"
    );
}

async fn open(gateway: &TestGateway, buffer: u64) -> Result<(HostPage, Browser)> {
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
    let policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";
    let site = HostPage::start(web, policy, Some(&gateway.url(""))).await?;
    let browser = Browser::start().await?;
    let path = format!("/bench.html?channels={CHANNEL}&max-logs={buffer}");
    browser.open(&site.url(&path)).await?;
    let script = "return window.bench?.status() === 'CONNECTED';";
    browser.wait("the viewer is connected", script, json!([])).await?;
    Ok((site, browser))
}

/// The bytes that the page's scripts and its WebAssembly have.
async fn memory(browser: &Browser) -> Result<u64> {
    let wasm = browser.run("return window.bench.wasmBytes();", json!([])).await?;
    Ok(browser.heap().await? + wasm.as_u64().context("no WebAssembly")?)
}

/// Waits until the page has been given the newest record.
async fn shows_all(browser: &Browser, gateway: &TestGateway) -> Result<()> {
    let newest = gateway.channels().await?.first().map(|channel| channel.last_id);
    let newest: Value = json!(newest.context("nothing was published")?);
    browser
        .wait_for(
            "the newest record",
            PATIENCE,
            "return window.bench.newest() === arguments[0];",
            json!([newest]),
        )
        .await
}
