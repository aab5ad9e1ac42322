//! What a person does with the lines in the viewer: looking for some, opening one, taking them along.

use anyhow::{Context, Result};
use logs_e2e::{Browser, TestGateway};
use logs_shared::{Channel, LogRecord};
use serde_json::{Value, json};

const CONNECTED: &str = "Status: CONNECTED 🔴 LIVE";

fn channel() -> Result<Channel> {
    Ok(Channel::new("etl", "workspace123", Some("workflow456"))?)
}

/// The live logs page with these lines, once the last of them is there. Keeps what is copied and saved, which a
/// browser without a person does not hand out.
async fn page_with(gateway: &TestGateway, lines: &[Value]) -> Result<Browser> {
    for line in lines {
        gateway.publish(&channel()?, line.clone()).await?;
    }
    let browser = Browser::start().await?;
    let path = format!("/?channels={}&connect=1", channel()?);
    browser.open(&gateway.url(&path)).await?;
    browser.shows(".logs-status", CONNECTED).await?;
    let all = "
        const counts = [...document.querySelectorAll('.logs-live .logs-level-chip')].map(chip => chip.textContent.split(' ')[1]);
        return counts.reduce((sum, count) => sum + Number(count), 0) === arguments[0];";
    browser.wait("all lines", all, json!([lines.len()])).await?;
    let keep = "
        window.copied = [];
        window.saved = [];
        Object.defineProperty(navigator, 'clipboard', { value: { writeText: async text => { window.copied.push(text); } } });
        const make = URL.createObjectURL;
        URL.createObjectURL = blob => {
            const file = { type: blob.type };
            window.saved.push(file);
            blob.text().then(text => { file.text = text; });
            return make.call(URL, blob);
        };
        HTMLAnchorElement.prototype.click = function () { window.saved.at(-1).name = this.download; };
        return true;";
    browser
        .wait("what is copied and saved is kept", keep, json!([]))
        .await?;
    Ok(browser)
}

/// Types into the search field.
async fn look_for(browser: &Browser, text: &str) -> Result<()> {
    let script = "
        const field = document.querySelector('.logs-live .logs-find');
        field.focus();
        field.value = arguments[0];
        field.dispatchEvent(new Event('input', { bubbles: true }));
        return true;";
    browser.wait("the search field", script, json!([text])).await
}

/// Presses a key in what the selector finds.
async fn press(browser: &Browser, selector: &str, key: &str) -> Result<()> {
    let script = "
        const target = document.querySelector(arguments[0]);
        target?.focus();
        target?.dispatchEvent(new KeyboardEvent('keydown', { key: arguments[1], bubbles: true, cancelable: true, composed: true }));
        return target !== null;";
    browser
        .wait(&format!("{key} in {selector}"), script, json!([selector, key]))
        .await
}

async fn selected_message_is(browser: &Browser, expected: &str) -> Result<()> {
    browser
        .shows(".logs-live .logs-selected .logs-message", expected)
        .await
}

/// What the page has kept under a name, once there is some.
async fn kept(browser: &Browser, name: &str) -> Result<Value> {
    let script = "const kept = window[arguments[0]].at(-1); return kept !== undefined && kept.text !== null;";
    browser.wait(name, script, json!([name])).await?;
    browser
        .run("return window[arguments[0]].at(-1);", json!([name]))
        .await
}

#[tokio::test]
async fn hostile_lines_are_text_and_leave_their_neighbours_alone() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let markup = "<img src=x onerror='window.ran = true'><script>window.ran = true</script>";
    let lines = [
        json!({ "message": markup, markup: markup }),
        json!({ "message": "\u{1b}]0;title\u{7}bell\u{0}\u{8} \u{1b}[31mred\u{1b}[0m", "control": "a\u{0}b" }),
        json!({ "message": "photo\u{202e}gpj.exe", "user\u{202e}": "\u{202e}evil" }),
        json!({ "message": "שלום עולם 😀👨‍👩‍👧‍👦" }),
    ];
    let browser = page_with(&gateway, &lines).await?;
    let open_all = "document.querySelectorAll('.logs-live .logs-toggle').forEach(toggle => toggle.click()); return true;";
    browser.wait("all lines opened", open_all, json!([])).await?;
    browser.shows(".logs-live .logs-message", markup).await?;
    browser.shows(".logs-live .logs-message", "bell red").await?;
    browser.shows(".logs-live .logs-tree", "a␀b").await?;
    let harmless = "
        const list = document.querySelector('.logs-live .logs-list');
        const plain = element => getComputedStyle(element).direction === 'ltr';
        return window.ran === undefined
            && list.querySelector('img, script, b') === null
            && list.scrollWidth <= list.clientWidth
            && [...list.querySelectorAll('.logs-time, .logs-level, .logs-tag')].every(plain)
            // What turns the direction of a text is shut up in it: the sign after it stands where it would anyway.
            && [...list.querySelectorAll('.logs-message, .logs-value, .logs-name, .logs-chip-value')]
                .every(text => ['isolate', 'plaintext'].includes(getComputedStyle(text).unicodeBidi));";
    browser
        .wait("nothing from the lines is more than text", harmless, json!([]))
        .await?;
    assert!(browser.policy_violations().await?.is_empty());
    browser.screenshot("viewer-hostile").await?;
    Ok(())
}

#[tokio::test]
async fn a_long_message_is_folded_and_all_there_when_it_is_opened() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let long = format!("{}the end", "long ".repeat(40_000));
    let browser = page_with(&gateway, &[json!(long), json!("after it")]).await?;
    browser.shows(".logs-live .logs-message", "after it").await?;
    look_for(&browser, "the end").await?;
    browser
        .shows(".logs-live .logs-unfold", "characters, 1 match")
        .await?;
    let low = "return document.querySelector('.logs-live .logs-row').offsetHeight < 600;";
    browser
        .wait("a row that leaves room for others", low, json!([]))
        .await?;
    browser.click_on(".logs-live .logs-unfold").await?;
    let whole = "return document.querySelector('.logs-live .logs-message').textContent === arguments[0];";
    browser.wait("all of the message", whole, json!([long])).await
}

#[tokio::test]
async fn an_expression_finds_lines_and_leads_from_match_to_match() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let lines = ["😀 row 1", "nothing", "ROW 22", "row x", "row 333 שלום"].map(|line| json!(line));
    let browser = page_with(&gateway, &lines).await?;

    look_for(&browser, r"/row \d+/i").await?;
    browser
        .shows_messages(&["😀 row 1", "ROW 22", "row 333 שלום"])
        .await?;
    browser.shows(".logs-live .logs-matches", "3 matches").await?;
    let marked = "return [...document.querySelectorAll('.logs-live .logs-mark')].map(mark => mark.textContent).join();";
    assert_eq!(browser.run(marked, json!([])).await?, "row 1,ROW 22,row 333");

    press(&browser, ".logs-live .logs-find", "Enter").await?;
    browser.shows(".logs-live .logs-matches", "3 of 3").await?;
    press(&browser, ".logs-live .logs-find", "Enter").await?;
    browser.shows(".logs-live .logs-matches", "1 of 3").await?;
    selected_message_is(&browser, "😀 row 1").await?;

    // With the others to see as well.
    press(&browser, ".logs-live .logs-list", "m").await?;
    browser
        .shows_messages(&["😀 row 1", "nothing", "ROW 22", "row x", "row 333 שלום"])
        .await?;
    press(&browser, ".logs-live .logs-list", "n").await?;
    selected_message_is(&browser, "ROW 22").await?;
    press(&browser, ".logs-live .logs-list", "N").await?;
    selected_message_is(&browser, "😀 row 1").await?;

    look_for(&browser, "/row(/").await?;
    browser
        .shows(".logs-live .logs-find-error", "Not a regular expression")
        .await?;
    let all = "return document.querySelectorAll('.logs-live .logs-row').length === 5
        && document.querySelector('.logs-live .logs-find').getAttribute('aria-invalid') === 'true';";
    browser
        .wait("an expression that is none hides nothing", all, json!([]))
        .await
}

#[tokio::test]
async fn levels_are_counted_and_chosen_one_by_one() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let lines = ["INFO", "INFO", "WARN", "ERROR"].map(|level| json!({ "message": level, "level": level }));
    let browser = page_with(&gateway, &lines).await?;
    let named = |level: &str| format!(".logs-live .logs-level-chip.logs-of-{level}");
    let counts = "return [...document.querySelectorAll('.logs-live .logs-level-chip')].map(chip => chip.textContent).join('; ')
        === 'TRACE 0; DEBUG 0; INFO 2; WARN 1; ERROR 1; FATAL 0';";
    browser.wait("what each level has", counts, json!([])).await?;
    browser.click_on(&named("info")).await?;
    browser.shows_messages(&["WARN", "ERROR"]).await?;
    browser
        .wait("counts of what is hidden too", counts, json!([]))
        .await?;
    press(&browser, ".logs-live .logs-list", "4").await?;
    browser.shows_messages(&["ERROR"]).await?;
    press(&browser, ".logs-live .logs-list", "3").await?;
    browser.shows_messages(&["INFO", "INFO", "ERROR"]).await
}

#[tokio::test]
async fn fields_are_a_tree_in_the_order_they_were_sent_with_their_digits() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let browser = page_with(&gateway, &[]).await?;
    // As text: what makes JSON here would sort the names and round the number.
    let body = r#"{"service":"etl","workspace_id":"workspace123","workflow_id":"workflow456","logData":[
        {"message":"fields","zebra":12345678901234567890,"apple":{"y":0.50,"x":[1,{"deep":"down"}]},"run_id":"r 7"},
        {"message":"other","run_id":"r 70"}]}"#;
    let publish = "
        const options = { method: 'POST', headers: { 'content-type': 'application/json' }, body: arguments[0] };
        return fetch('/test/logs', options).then(answer => answer.ok);";
    browser
        .wait("two lines published", publish, json!([body]))
        .await?;
    browser.shows(".logs-live .logs-message", "other").await?;
    browser.click_on(".logs-live .logs-toggle").await?;
    // Names where they stand on the page, each with its value.
    let tree = "
        const names = [...document.querySelectorAll('.logs-live .logs-tree .logs-name')].map(name => name.textContent);
        const values = [...document.querySelectorAll('.logs-live .logs-tree .logs-value')].map(value => value.textContent);
        return [names.join(), values.slice(0, 5).join()];";
    browser.shows(".logs-live .logs-tree", "zebra").await?;
    let seen = browser.run(tree, json!([])).await?;
    assert_eq!(seen[0], "zebra,apple,y,x,0,1,run_id,channel,time,id", "{seen}");
    assert_eq!(
        seen[1], "12345678901234567890,0.50,1,r 7,logs:etl:workspace123:workflow456",
        "{seen}"
    );

    let deeper = "[...document.querySelectorAll('.logs-live .logs-branch')].at(-1).click(); return true;";
    browser.wait("the innermost object", deeper, json!([])).await?;
    browser.shows(".logs-live .logs-tree", "down").await?;
    browser.screenshot("viewer-fields").await?;

    let last = "[...document.querySelectorAll('.logs-live .logs-filter-for')].at(-1).click(); return true;";
    browser.wait("the filter for a value", last, json!([])).await?;
    browser.shows_messages(&["fields"]).await?;
    let searched = "return document.querySelector('.logs-live .logs-find').value;";
    assert_eq!(browser.run(searched, json!([])).await?, "run_id=r 7");
    Ok(())
}

#[tokio::test]
async fn keys_do_what_the_help_sheet_says() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let lines = [
        json!({ "message": "first", "n": 1 }),
        json!({ "message": "second", "n": 2 }),
    ];
    let browser = page_with(&gateway, &lines).await?;
    let list = ".logs-live .logs-list";

    press(&browser, list, "?").await?;
    browser.shows(".logs-live .logs-help", "Next match").await?;
    browser.screenshot("viewer-help").await?;
    browser.click("Close").await?;
    let closed = "return !document.querySelector('.logs-live .logs-help').open
        && document.activeElement.classList.contains('logs-more');";
    browser
        .wait("no help, and the focus back", closed, json!([]))
        .await?;

    press(&browser, list, "/").await?;
    let found = "return document.activeElement.classList.contains('logs-find');";
    browser
        .wait("the focus in the search field", found, json!([]))
        .await?;
    // There letters are letters.
    press(&browser, ".logs-live .logs-find", "x").await?;
    browser.shows_messages(&["first", "second"]).await?;

    press(&browser, list, "ArrowUp").await?;
    selected_message_is(&browser, "second").await?;
    press(&browser, list, "Enter").await?;
    browser.shows(".logs-live .logs-selected .logs-tree", "n").await?;
    press(&browser, list, "Enter").await?;
    let folded = "return document.querySelector('.logs-live .logs-tree') === null;";
    browser.wait("the line folded", folded, json!([])).await?;

    press(&browser, list, "t").await?;
    let utc = "return /Z$/.test(document.querySelector('.logs-live .logs-time').textContent);";
    browser.wait("times in UTC", utc, json!([])).await?;
    press(&browser, list, "t").await?;
    browser.shows(".logs-live .logs-time", "ago").await?;
    press(&browser, list, "w").await?;
    let unbroken = "return document.querySelector('.logs-live .logs-nowrap') !== null;";
    browser.wait("long lines unbroken", unbroken, json!([])).await?;
    press(&browser, list, "x").await?;
    browser.shows(".logs-live .logs-empty", "Cleared").await
}

#[tokio::test]
async fn a_line_is_copied_as_a_person_would_write_it() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let line = json!({ "message": "\u{1b}[32mdone\u{1b}[0m", "timestamp": "2025-09-25T10:30:00Z", "rows": 42, "file": "a b.csv" });
    let browser = page_with(&gateway, &[line]).await?;
    press(&browser, ".logs-live .logs-list", "ArrowUp").await?;
    selected_message_is(&browser, "done").await?;
    press(&browser, ".logs-live .logs-list", "c").await?;
    let expected = r#"2025-09-25T10:30:00.000Z INFO etl/workflow456 done file="a b.csv" rows=42"#;
    assert_eq!(kept(&browser, "copied").await?, expected);
    browser.shows(".logs-live .logs-note", "Copied this line").await
}

#[tokio::test]
async fn a_download_has_all_lines_that_are_shown_and_no_other() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let line = |n: usize| json!({ "message": format!("line {n}"), "kind": if n.is_multiple_of(3) { "third" } else { "other" } });
    let lines: Vec<Value> = (0..600).map(line).collect();
    let browser = page_with(&gateway, &lines).await?;
    look_for(&browser, "kind=third").await?;
    browser.shows(".logs-live .logs-matches", "200 matches").await?;
    let expected: Vec<String> = (0..600).step_by(3).map(|n| format!("line {n}")).collect();

    browser.click_on(".logs-live .logs-download-ndjson").await?;
    let file = kept(&browser, "saved").await?;
    let messages: Vec<String> = text_of(&file)?
        .lines()
        .map(|line| Ok(serde_json::from_str::<LogRecord>(line)?.message.clone()))
        .collect::<Result<_>>()?;
    assert_eq!(messages, expected);
    let name = file["name"].as_str().unwrap_or_default();
    assert!(
        name.starts_with("logs-etl-workspace123-workflow456-") && name.ends_with("Z.ndjson"),
        "{name}"
    );

    browser.click_on(".logs-live .logs-download-txt").await?;
    let named = "return window.saved.length === 2 && window.saved[1].text !== undefined;";
    browser.wait("the other file", named, json!([])).await?;
    let file = kept(&browser, "saved").await?;
    let text = text_of(&file)?;
    assert_eq!(text.lines().count(), expected.len());
    assert!(
        text.lines()
            .all(|line| line.contains(" INFO etl/workflow456 line ") && line.ends_with(" kind=third"))
    );
    Ok(())
}

fn text_of(file: &Value) -> Result<&str> {
    file["text"].as_str().context("a file without text")
}

/// Each tab of the demo is a viewer of its own that is taken away with its tab: what was looked for went with it.
#[tokio::test]
async fn a_filter_is_there_again_when_its_tab_is() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let browser = Browser::start().await?;
    browser.open(&gateway.url("/indata/logs")).await?;
    browser.shows(".logs-status", "CONNECTED").await?;
    look_for(&browser, "only this").await?;
    let searched = "return document.querySelector('.logs-live .logs-find').value === arguments[0];";
    browser.click_on("a[href='/faas/logs']").await?;
    browser.shows(".logs-heading", "FaaS").await?;
    browser.wait("another filter", searched, json!([""])).await?;
    browser.click_on("a[href='/indata/logs']").await?;
    browser.shows(".logs-heading", "InData").await?;
    browser
        .wait("the filter again", searched, json!(["only this"]))
        .await
}

#[tokio::test]
async fn on_a_narrow_page_the_lines_have_most_of_the_room() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let browser = page_with(&gateway, &[json!({ "message": "m", "level": "ERROR" })]).await?;
    look_for(&browser, "m").await?;
    browser.shows(".logs-live .logs-matches", "1 match").await?;
    // In a frame, which can be as narrow as a telephone.
    let frame = "
        const frame = document.createElement('iframe');
        frame.width = 400;
        frame.height = 800;
        frame.src = location.href;
        frame.id = 'narrow';
        document.body.append(frame);
        return true;";
    browser.wait("a narrow page", frame, json!([])).await?;
    let narrow = "
        const page = document.querySelector('#narrow').contentDocument;
        const list = page?.querySelector('.logs-live .logs-list');
        if (!list) return false;
        const toolbar = page.querySelector('.logs-live .logs-toolbar').getBoundingClientRect();
        const { top, height } = list.getBoundingClientRect();
        return top < 0.3 * 800 && height > 0.5 * 800 && toolbar.height < 80
            && page.documentElement.scrollWidth <= 400;";
    browser.wait("room for the lines", narrow, json!([])).await
}

#[tokio::test]
async fn a_copied_link_opens_at_its_line() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let lines: Vec<Value> = (0..300).map(|n| json!(format!("line {n}"))).collect();
    let browser = page_with(&gateway, &lines).await?;
    look_for(&browser, "line 57").await?;
    browser.shows(".logs-live .logs-matches", "1 match").await?;
    press(&browser, ".logs-live .logs-find", "Enter").await?;
    selected_message_is(&browser, "line 57").await?;
    press(&browser, ".logs-live .logs-list", "l").await?;
    let link = kept(&browser, "copied").await?;
    browser.open(link.as_str().context("no link")?).await?;
    selected_message_is(&browser, "line 57").await?;
    browser.shows(".logs-live .logs-message", "line 58").await
}
