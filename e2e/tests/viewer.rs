//! What a person does who reads log lines: scrolls, looks back, follows a link, marks text.

use std::time::Duration;

use anyhow::{Context, Result};
use logs_e2e::{Browser, TestGateway};
use logs_shared::{Channel, LogRecord};
use serde_json::{Value, json};

const CHANNEL: &str = "logs:etl:workspace123:workflow456";

/// A long message, which is folded.
const LONG: &str = "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n17\n18\n19\n20";

/// What scripts of this file use: the list, and the drawn rows with their places in it.
const LIST: &str = "
    const list = document.querySelector('.logs-list');
    const place = item => item.getBoundingClientRect().top - list.getBoundingClientRect().top;
    const items = [...list.querySelectorAll('.logs-item')];
    const id = item => item.querySelector('[data-id]')?.dataset.id;
    const seen = items.filter(item => place(item) >= 0 && place(item) < list.clientHeight);
    const fromEnd = () => list.scrollHeight - list.clientHeight - list.scrollTop;
";

fn channel() -> Result<Channel> {
    Ok(CHANNEL.parse()?)
}

/// A gateway that so many lines were published to, and those it keeps.
async fn gateway_with(lines: usize) -> Result<(TestGateway, Vec<LogRecord>)> {
    let gateway = TestGateway::start().await?;
    publish(&gateway, 0..lines).await?;
    let records = gateway.history(CHANNEL).await?;
    Ok((gateway, records))
}

/// Publishes lines that say their number.
async fn publish(gateway: &TestGateway, numbers: std::ops::Range<usize>) -> Result<()> {
    let message = |number: usize| {
        if number % 50 == 7 {
            LONG.to_owned()
        } else {
            format!("line {number}")
        }
    };
    let lines: Vec<Value> = numbers
        .clone()
        .map(|number| json!({ "message": message(number) }))
        .collect();
    for (part, lines) in lines.chunks(1_000).enumerate() {
        let name = format!("{numbers:?} {part}");
        gateway
            .publisher()
            .publish_batch(&channel()?, lines, &name)
            .await?;
    }
    Ok(())
}

/// The live logs page with its newest line in view.
async fn page(gateway: &TestGateway, more: &str) -> Result<Browser> {
    let browser = Browser::start().await?;
    browser
        .open(&gateway.url(&format!("/?channels={CHANNEL}&connect=1{more}")))
        .await?;
    browser.shows(".logs-status", "CONNECTED").await?;
    browser
        .wait("lines", &script("return seen.length > 5;"), json!([]))
        .await?;
    Ok(browser)
}

fn script(rest: &str) -> String {
    format!("{LIST}{rest}")
}

async fn run(browser: &Browser, rest: &str) -> Result<Value> {
    browser.run(&script(rest), json!([])).await
}

/// Scrolls up by so many pixels, as a person does.
async fn scroll_up(browser: &Browser, px: usize) -> Result<()> {
    let step = script(
        "
        list.dispatchEvent(new WheelEvent('wheel', { deltaY: -1 }));
        list.scrollTop -= arguments[0];
        return true;",
    );
    browser.run(&step, json!([px])).await?;
    browser.shows(".logs-new", "↓").await
}

/// The message of the newest line that can be seen.
async fn is_at_end(browser: &Browser, message: &str) -> Result<()> {
    let at_end = script("return fromEnd() < 1 && items.at(-1)?.innerText.includes(arguments[0]);");
    browser
        .wait("the newest line at the end", &at_end, json!([message]))
        .await
}

#[tokio::test]
async fn only_the_rows_near_the_viewport_are_drawn() -> Result<()> {
    let (gateway, _) = gateway_with(1_000).await?;
    let browser = page(&gateway, "").await?;
    is_at_end(&browser, "line 999").await?;
    let drawn = run(&browser, "return items.length;").await?;
    assert!(drawn.as_u64() < Some(100), "{drawn} rows are in the document");
    scroll_up(&browser, 5_000).await?;
    for _ in 0..20 {
        run(&browser, "list.scrollTop -= 400; return true;").await?;
        let full = script("
            const [first, last] = [items[0], items.at(-1)].map(item => item.getBoundingClientRect());
            return place(items[0]) <= 0 && place(items.at(-1)) + last.height >= list.clientHeight && items.length < 150;");
        browser.wait("a full viewport", &full, json!([])).await?;
    }
    Ok(())
}

/// The lines were copied when the reader scrolled up, or moved when the buffer dropped its oldest.
#[tokio::test]
async fn the_view_does_not_move_while_someone_reads() -> Result<()> {
    let (gateway, _) = gateway_with(2_500).await?;
    let browser = page(&gateway, "").await?;
    scroll_up(&browser, 700).await?;
    let watch = script("
        const read = seen[3];
        window.places = new Set();
        (function look() { window.places.add(read.isConnected ? place(read) : null); requestAnimationFrame(look); })();
        return true;");
    browser.run(&watch, json!([])).await?;
    // More than the page keeps.
    for part in 0..6 {
        publish(&gateway, 2_500 + part * 500..3_000 + part * 500).await?;
    }
    browser.shows(".logs-new", "3000 new").await?;
    let places = browser.run("return [...window.places];", json!([])).await?;
    assert_eq!(
        places.as_array().map(Vec::len),
        Some(1),
        "the row was at {places}"
    );

    browser.click_on(".logs-new").await?;
    is_at_end(&browser, "line 5499").await
}

/// A scroll of which the list had not been told yet was undone by lines that came at the same moment.
#[tokio::test]
async fn lines_move_by_what_is_scrolled_whatever_comes_meanwhile() -> Result<()> {
    let (gateway, _) = gateway_with(2_500).await?;
    let browser = page(&gateway, "").await?;
    scroll_up(&browser, 200).await?;
    let walk = script(
        "
        window.wrong = [];
        const frames = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
        (async () => {
            for (let step = 0; step < 100; step++) {
                const item = [...list.querySelectorAll('.logs-item')].find(item => place(item) > 20);
                const before = place(item);
                list.scrollTop -= 60;
                await frames();
                const went = place(item) - before;
                if (Math.abs(went - 60) > 0.02) window.wrong.push(went);
            }
            window.isDone = true;
        })();
        return true;",
    );
    browser.run(&walk, json!([])).await?;
    for part in 0..40 {
        publish(&gateway, 2_500 + part * 50..2_550 + part * 50).await?;
    }
    let done = "return window.isDone === true;";
    browser.wait("the end of the walk", done, json!([])).await?;
    let wrong = browser.run("return window.wrong;", json!([])).await?;
    assert_eq!(wrong, json!([]), "lines went so far instead of 60 pixels");
    browser.shows(".logs-new", "2000 new").await
}

#[tokio::test]
async fn marked_text_stays_where_it_is() -> Result<()> {
    let (gateway, _) = gateway_with(500).await?;
    let browser = page(&gateway, "").await?;
    is_at_end(&browser, "line 499").await?;
    let mark = "
        const [from, to] = [seen[2], seen[5]].map(item => item.querySelector('.logs-message').firstChild);
        getSelection().setBaseAndExtent(from, 0, to, 3);
        window.marked = seen[2];
        window.place = place(seen[2]);
        window.text = getSelection().toString();
        return true;";
    run(&browser, mark).await?;
    browser.shows(".logs-new", "Paused").await?;
    publish(&gateway, 500..3_500).await?;
    browser.shows(".logs-new", "3000 new").await?;
    let unmoved =
        "return place(window.marked) === window.place && getSelection().toString() === window.text;";
    assert_eq!(run(&browser, unmoved).await?, json!(true));
    scroll_up(&browser, 4_000).await?;
    let kept = "return window.marked.isConnected && getSelection().toString() === window.text;";
    assert_eq!(
        run(&browser, kept).await?,
        json!(true),
        "far away it is still marked"
    );
    Ok(())
}

/// Waits until the viewer has so many records, of whatever level.
async fn has_records(browser: &Browser, count: usize) -> Result<()> {
    let script = "
        const counts = [...document.querySelectorAll('.logs-live .logs-level-count')].map(count => Number(count.textContent));
        return counts.reduce((sum, count) => sum + count, 0) === arguments[0];";
    browser
        .wait(&format!("{count} records"), script, json!([count]))
        .await
}

#[tokio::test]
async fn scrolling_up_goes_back_into_history() -> Result<()> {
    let (gateway, records) = gateway_with(3_000).await?;
    let browser = page(&gateway, "").await?;
    scroll_up(&browser, 300).await?;
    let up = script(
        "
        list.scrollTop = 0;
        return document.querySelector('.logs-head').innerText.includes('The beginning');",
    );
    browser.wait("the beginning", &up, json!([])).await?;
    has_records(&browser, 3000).await?;
    // All the way down, every line in its place.
    let down = script(
        "
        window.ids ??= [];
        const known = new Set(window.ids);
        window.ids.push(...items.map(id).filter(id => !known.has(id)));
        const isEnd = fromEnd() < 30;
        list.scrollTop += 300;
        return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(isEnd))));",
    );
    while browser.run(&down, json!([])).await? != json!(true) {}
    let ids: Vec<String> = serde_json::from_value(browser.run("return window.ids;", json!([])).await?)?;
    let kept: Vec<String> = records.iter().map(|record| record.id.to_string()).collect();
    assert_eq!(ids.len(), kept.len());
    assert!(ids == kept, "in another order");
    // At the end it follows again, and what was loaded is gone.
    publish(&gateway, 3_000..3_001).await?;
    is_at_end(&browser, "line 3000").await?;
    has_records(&browser, 2000).await
}

#[tokio::test]
async fn history_that_cannot_be_loaded_is_told_and_tried_again() -> Result<()> {
    let (gateway, _) = gateway_with(1_500).await?;
    let browser = page(&gateway, "").await?;
    run(
        &browser,
        "
        window.real = window.fetch;
        window.fetch = () => Promise.reject(new TypeError('offline'));
        return true;",
    )
    .await?;
    scroll_up(&browser, 300).await?;
    run(&browser, "list.scrollTop = 0; return true;").await?;
    browser.shows(".logs-head", "cannot be reached").await?;
    browser
        .run("window.fetch = window.real; return true;", json!([]))
        .await?;
    browser.click("Try again").await?;
    has_records(&browser, 1500).await
}

#[tokio::test]
async fn a_link_to_a_line_opens_there() -> Result<()> {
    let (gateway, records) = gateway_with(3_000).await?;
    let at = records.get(1_000).context("so many were published")?;
    let browser = page(&gateway, &format!("&at={}", at.id)).await?;
    let in_the_middle = script(
        "
        const item = list.querySelector('[aria-current=\"true\"]');
        return item !== null && id(item) === arguments[0]
            && place(item) > 0.25 * list.clientHeight && place(item) < 0.75 * list.clientHeight;",
    );
    browser
        .wait(
            "the line in the middle",
            &in_the_middle,
            json!([at.id.to_string()]),
        )
        .await?;
    publish(&gateway, 3_000..3_010).await?;
    browser.shows(".logs-new", "new").await?;
    browser
        .wait("the line still", &in_the_middle, json!([at.id.to_string()]))
        .await?;

    // On towards the newest lines there is what was not loaded.
    let hole = script(
        "
        const hole = items.find(item => item.innerText.includes('not loaded'));
        list.scrollTop += 400;
        hole?.querySelector('button')?.click();
        return fromEnd() < 30 && hole === undefined;",
    );
    browser
        .wait_for("all lines between", Duration::from_secs(60), &hole, json!([]))
        .await?;
    is_at_end(&browser, "line 3009").await?;

    let browser = page(&gateway, "&at=17-0").await?;
    browser.shows(".logs-lost", "no longer kept").await
}

#[tokio::test]
async fn arrows_go_from_line_to_line() -> Result<()> {
    let (gateway, records) = gateway_with(2_500).await?;
    let browser = page(&gateway, "").await?;
    is_at_end(&browser, "line 2499").await?;
    let press = async |key: &str| {
        let press = script(
            "
            const options = { key: arguments[0], bubbles: true, cancelable: true };
            (list.contains(document.activeElement) ? document.activeElement : list)
                .dispatchEvent(new KeyboardEvent('keydown', options));
            return true;",
        );
        browser.run(&press, json!([key])).await
    };
    let has_focus = async |number: usize| {
        let focused = script(
            "
            const item = document.activeElement;
            return list.contains(item) && item.ariaCurrent === 'true' && id(item) === arguments[0]
                && place(item) > -1 && place(item) + item.offsetHeight < list.clientHeight + 1;",
        );
        let id = records.get(number).context("a line")?.id.to_string();
        browser
            .wait(&format!("the focus on line {number}"), &focused, json!([id]))
            .await
    };
    run(&browser, "list.focus(); return true;").await?;
    for (key, number) in [
        ("ArrowUp", 2_499),
        ("ArrowUp", 2_498),
        ("ArrowUp", 2_497),
        ("ArrowDown", 2_498),
    ] {
        press(key).await?;
        has_focus(number).await?;
    }
    browser.shows(".logs-new", "Paused").await?;
    press("Home").await?;
    has_focus(500).await?;
    has_records(&browser, 2500).await?;
    has_focus(500).await?;
    press("PageUp").await?;
    press("End").await?;
    has_focus(2_499).await?;
    is_at_end(&browser, "line 2499").await
}

#[tokio::test]
async fn an_opened_line_stays_in_place_and_is_open_when_it_comes_back() -> Result<()> {
    let (gateway, _) = gateway_with(610).await?;
    let browser = page(&gateway, "").await?;
    is_at_end(&browser, "line 609").await?;
    let open = "
        const button = list.querySelector('.logs-unfold');
        window.folded = button.closest('.logs-item');
        window.place = place(window.folded);
        button.click();
        return true;";
    run(&browser, open).await?;
    let opened = script("
        return list.querySelector('.logs-unfold')?.ariaExpanded === 'true' && place(window.folded) === window.place;");
    browser
        .wait("an open line in its place", &opened, json!([]))
        .await?;
    scroll_up(&browser, 4_000).await?;
    browser
        .wait(
            "the line to be gone",
            "return !window.folded.isConnected;",
            json!([]),
        )
        .await?;
    run(&browser, "list.scrollTop += 4000; return true;").await?;
    let open_again = script(
        "return items.some(item =>
        item.querySelector('.logs-unfold')?.ariaExpanded === 'true' && item.innerText.includes('20'));",
    );
    browser.wait("the line open again", &open_again, json!([])).await
}
