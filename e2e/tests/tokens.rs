//! Who reads in a browser: tokens that end and are taken back, one reader after the other, cookies, and where no token is ever seen.

use std::{fs, time::Duration};

use anyhow::{Result, ensure};
use logs_e2e::{Browser, ColorScheme, HostPage, TestGateway, Traffic, eventually};
use logs_shared::{Channel, RecordId};
use serde_json::{Value, json};
use tempfile::TempDir;

const SECRET: &str = "of tests alone, and as long as it has to be";
const CONNECTED: &str = "Status: CONNECTED 🔴 LIVE";
const PATIENCE: Duration = Duration::from_secs(20);
/// Everything of this reader's workspace, as the live page follows it.
const EVERYTHING: &str = "/?channels=logs:*:*:*&connect=1";

/// A page whose script gives the first tag a token before there is a tag, and can sign others.
const HTML: &str = r#"<!DOCTYPE html>
<html lang="en">
<title>A host page</title>
<script type="module" src="/page.js"></script>
<script type="module" src="{gateway}/logs-widget.js"></script>
<main>
<logs-widget id="one" service="etl" workspace-id="ann" workflow-id="f" max-logs="100000"></logs-widget>
</main>
</html>"#;
const PAGE: &str = "
    window.said = [];
    for (const name of ['log', 'info', 'warn', 'error', 'debug']) {
        console[name] = (...words) => window.said.push(words.map(String).join(' '));
    }
    const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
        .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
    const text = (value) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
    window.given = [];
    window.sign = async (sub, seconds) => {
        const key = await crypto.subtle.importKey('raw', text('{secret}'), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
        const now = Math.floor(Date.now() / 1000);
        const claims = { sub, iat: now, exp: now + seconds, workspaces: [sub], jti: String(window.given.length) };
        const signed = `${base64(text({ alg: 'HS256', typ: 'JWT' }))}.${base64(text(claims))}`;
        const token = `${signed}.${base64(await crypto.subtle.sign('HMAC', key, text(signed)))}`;
        window.given.push(token);
        return token;
    };
    window.statuses = [];
    addEventListener('logs-status', ({ detail }) => window.statuses.push(detail.status));
    const seconds = Number(new URLSearchParams(location.search).get('seconds') ?? 3600);
    document.getElementById('one').token = () => window.sign('ann', seconds);
";

async fn start() -> Result<TestGateway> {
    let settings = [
        ("AUTH", "jwt"),
        ("JWT_SECRET", SECRET),
        ("JWT_COOKIE", "logs_session"),
    ];
    TestGateway::start_with(&settings).await
}

/// A page on an origin of its own, whose policy lets it have the gateway.
async fn host(gateway: &TestGateway) -> Result<(TempDir, HostPage)> {
    let dir = TempDir::new()?;
    let address = gateway.url("");
    fs::write(dir.path().join("index.html"), HTML.replace("{gateway}", &address))?;
    fs::write(dir.path().join("page.js"), PAGE.replace("{secret}", SECRET))?;
    let policy = format!(
        "default-src 'none'; script-src 'self' {address} 'wasm-unsafe-eval'; connect-src {address}; base-uri 'none'"
    );
    let site = HostPage::start(dir.path(), &policy, None).await?;
    Ok((dir, site))
}

/// A token for who may see the workspace of the same name.
async fn token_of(gateway: &TestGateway, user: &str) -> Result<String> {
    let args = ["token", "--secret", SECRET, "--user", user, "--workspace", user];
    let output = gateway.command(&args).output().await?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn channel_of(user: &str) -> Result<Channel> {
    Ok(Channel::new("etl", user, Some("f"))?)
}

async fn publish(gateway: &TestGateway, user: &str, message: &str) -> Result<()> {
    gateway.publish(&channel_of(user)?, json!(message)).await?;
    Ok(())
}

/// The messages on the live page.
async fn messages(browser: &Browser) -> Result<Vec<String>> {
    let script =
        "return [...document.querySelectorAll('.logs-live .logs-message')].map(line => line.textContent);";
    Ok(serde_json::from_value(browser.run(script, json!([])).await?)?)
}

/// Types a token into the live page's field, and presses Enter.
async fn give(browser: &Browser, token: &str) -> Result<()> {
    let script = "
        const field = document.getElementById('logs-token');
        if (!field?.checkVisibility()) return false;
        field.focus();
        field.value = arguments[0];
        field.dispatchEvent(new Event('input', { bubbles: true }));
        field.form.requestSubmit();
        return true;";
    browser
        .wait("the field for a token", script, json!([token]))
        .await
}

async fn widget_shows(browser: &Browser, text: &str) -> Result<()> {
    let script =
        "return document.getElementById('one').shadowRoot?.textContent.includes(arguments[0]) ?? false;";
    browser
        .wait(&format!("the widget shows {text:?}"), script, json!([text]))
        .await
}

#[tokio::test]
async fn a_page_whose_tokens_hold_for_seconds_stays_live_without_a_hole() -> Result<()> {
    let gateway = start().await?;
    let (_dir, site) = host(&gateway).await?;
    let browser = Browser::start().await?;
    browser.open(&site.url("/?seconds=6")).await?;
    let live = "return document.getElementById('one').status === 'CONNECTED';";
    browser.wait("live", live, json!([])).await?;
    browser.run("window.statuses.length = 0;", json!([])).await?;
    let traffic = Traffic::start(&gateway.publisher(), &[channel_of("ann")?], 100);
    // Two tokens at least have ended by then, whenever the first was made.
    tokio::time::sleep(Duration::from_secs(14)).await;
    let told = traffic.stop().await?;
    let mut published: Vec<RecordId> = told.acknowledged.iter().map(|(id, _)| *id).collect();
    published.sort_unstable();
    let shown = eventually("the last record", PATIENCE, async || {
        let script = "return document.getElementById('one').logs.map(({ id }) => id);";
        let shown: Vec<RecordId> = serde_json::from_value(browser.run(script, json!([])).await?)?;
        Ok((shown.last() >= published.last()).then_some(shown))
    });
    let shown = shown.await?;
    ensure!(
        shown == published,
        "{} are shown, {} were published",
        shown.len(),
        published.len()
    );
    let statuses = browser
        .run("return [...new Set(window.statuses)];", json!([]))
        .await?;
    assert!(
        statuses == json!([]) || statuses == json!(["CONNECTED"]),
        "{statuses}"
    );
    let tokens = browser.run("return window.given.length;", json!([])).await?;
    assert!(tokens.as_u64() > Some(3), "{tokens} tokens in 14 seconds");
    assert_eq!(browser.streams().await?.open, 1);
    println!("{} records, {tokens} tokens", published.len());
    Ok(())
}

#[tokio::test]
async fn a_tag_that_is_refused_says_so_and_not_that_there_are_no_lines_yet() -> Result<()> {
    let gateway = start().await?;
    let watch = gateway.printed("  watch  ").unwrap_or_default();
    ensure!(watch.contains("authorization: Bearer $TOKEN"), "{watch}");
    let (_dir, site) = host(&gateway).await?;
    let browser = Browser::start().await?;
    browser.open(&site.url("/")).await?;
    widget_shows(&browser, "No lines yet").await?;
    let wanted = "return document.getElementById('one').isUnauthorized === arguments[0];";
    browser
        .wait("a token that counts", wanted, json!([false]))
        .await?;
    browser
        .run("document.getElementById('one').token = 'none at all';", json!([]))
        .await?;
    browser
        .wait("another token to be wanted", wanted, json!([true]))
        .await?;
    widget_shows(&browser, "No lines: the gateway refuses this stream.").await?;
    let failing = "
        const tag = document.getElementById('one');
        tag.token = () => { throw new Error('not now'); };
        tag.connect();";
    browser.run(failing, json!([])).await?;
    widget_shows(&browser, "The token could not be had").await
}

#[tokio::test]
async fn a_tag_on_another_origin_takes_a_token_at_any_time_and_never_shows_it() -> Result<()> {
    let gateway = start().await?;
    publish(&gateway, "ann", "from before").await?;
    publish(&gateway, "bob", "for bob only").await?;
    let (_dir, site) = host(&gateway).await?;
    let browser = Browser::start().await?;
    browser.open(&site.url("/")).await?;
    // Given before the script was there, with the past.
    widget_shows(&browser, "from before").await?;
    publish(&gateway, "ann", "and live").await?;
    widget_shows(&browser, "and live").await?;

    // A tag that comes later, without a token of its own: it is the same page, and the same reader.
    let add = "
        const tag = Object.assign(document.createElement('logs-widget'), { id: 'two', channels: 'logs:*:ann:*' });
        tag.setAttribute('gateway-url', arguments[0]);
        document.querySelector('main').append(tag);";
    browser.run(add, json!([gateway.url("")])).await?;
    let shows = "return document.getElementById('two').shadowRoot?.textContent.includes('and live');";
    browser.wait("the second tag", shows, json!([])).await?;
    assert_eq!(browser.streams().await?.open, 1);

    // No token: it says so, and goes on once it is given one, as a text.
    let take = "
        document.getElementById('two').remove();
        document.getElementById('one').token = null;";
    browser.run(take, json!([])).await?;
    widget_shows(&browser, "token is needed").await?;
    let script =
        "const token = await window.sign('bob', 3600); document.getElementById('one').token = token;";
    browser
        .run("document.getElementById('one').workspaceId = 'bob';", json!([]))
        .await?;
    browser
        .run(&format!("return (async () => {{ {script} }})();"), json!([]))
        .await?;
    widget_shows(&browser, "for bob only").await?;
    let left = "return document.getElementById('one').shadowRoot.textContent.includes('and live');";
    assert_eq!(browser.run(left, json!([])).await?, Value::Bool(false));

    // What there is of a token in the page: nothing.
    let seen = "
        const texts = [document.documentElement.outerHTML, location.href, JSON.stringify(localStorage),
            JSON.stringify(sessionStorage), document.cookie, ...window.said];
        for (const tag of document.querySelectorAll('logs-widget')) {
            texts.push(tag.shadowRoot.innerHTML, ...[...tag.attributes].map(({ value }) => value));
        }
        const parts = window.given.flatMap((token) => [token, token.split('.')[2]]);
        return { tokens: window.given.length, seen: texts.filter((text) => parts.some((part) => text.includes(part))) };";
    let answer = browser.run(seen, json!([])).await?;
    assert!(answer["tokens"].as_u64() > Some(1), "{answer}");
    assert_eq!(answer["seen"], json!([]), "{answer}");
    Ok(())
}

#[tokio::test]
async fn a_cookie_goes_to_another_origin_where_the_tag_says_so() -> Result<()> {
    let dir = TempDir::new()?;
    let site = HostPage::start(dir.path(), "script-src * 'wasm-unsafe-eval'", None).await?;
    let settings = [
        ("AUTH", "jwt"),
        ("JWT_SECRET", SECRET),
        ("JWT_COOKIE", "logs_session"),
        ("ALLOWED_ORIGINS", site.origin()),
    ];
    let gateway = TestGateway::start_with(&settings).await?;
    publish(&gateway, "ann", "hers").await?;
    // By the name that the site has: another origin, and the same cookies.
    let address = gateway.url("").replace("127.0.0.1", "localhost");
    fs::write(
        dir.path().join("index.html"),
        HTML.replace("{gateway}", &address)
            .replace("/page.js", "data:text/javascript,"),
    )?;
    let browser = Browser::start().await?;
    browser.open(&site.url("/")).await?;
    widget_shows(&browser, "token is needed").await?;
    let token = token_of(&gateway, "ann").await?;
    let log_in = "document.cookie = `logs_session=${arguments[0]}; samesite=strict`;
        const tag = document.getElementById('one');
        tag.connect();";
    browser.run(log_in, json!([token])).await?;
    widget_shows(&browser, "token is needed").await?;
    let say_so = "
        const tag = document.getElementById('one');
        tag.withCredentials = '';
        tag.connect();";
    browser.run(say_so, json!([])).await?;
    widget_shows(&browser, "hers").await?;
    publish(&gateway, "ann", "and live").await?;
    widget_shows(&browser, "and live").await
}

#[tokio::test]
async fn the_live_page_asks_for_a_token_and_keeps_it_to_itself() -> Result<()> {
    let gateway = start().await?;
    publish(&gateway, "ann", "hers").await?;
    let token = token_of(&gateway, "ann").await?;
    let browser = Browser::start().await?;
    for (scheme, name) in [
        (ColorScheme::Light, "token-light"),
        (ColorScheme::Dark, "token-dark"),
    ] {
        browser.prefer(scheme).await?;
        browser.open(&gateway.url(EVERYTHING)).await?;
        browser.shows(".logs-status", "Status: ERROR").await?;
        browser.shows(".logs-error", "token is needed").await?;
        browser.shows(".logs-token", "Token").await?;
        browser.screenshot(name).await?;
    }
    let field = "
        const field = document.getElementById('logs-token');
        return [field.type, field.autocomplete, field.labels[0].textContent, field.tabIndex];";
    let field = browser.run(field, json!([])).await?;
    assert_eq!(field, json!(["password", "off", "Token", 0]));
    give(&browser, "no token").await?;
    browser
        .shows(".logs-error", "not one that this gateway knows")
        .await?;
    give(&browser, &token).await?;
    browser.shows(".logs-status", CONNECTED).await?;
    browser.shows(".logs-live .logs-message", "hers").await?;
    browser.screenshot("token-given").await?;
    // The keyboard goes on from there, though the field is gone.
    let focused = "return document.activeElement.closest('.logs-actions') !== null;";
    browser
        .wait("the focus beside the field", focused, json!([]))
        .await?;

    // Not in the page, its address or what outlives the tab; nor in a link to a line.
    let seen = "
        const texts = [document.documentElement.outerHTML, location.href, JSON.stringify(localStorage), document.cookie];
        return texts.filter((text) => text.includes(arguments[0]));";
    assert_eq!(browser.run(seen, json!([token])).await?, json!([]));
    browser.reload().await?;
    browser.shows(".logs-status", CONNECTED).await?;
    browser.click("Forget token").await?;
    browser.shows(".logs-status", "Status: ERROR").await?;
    browser.shows(".logs-token", "Token").await?;
    assert_eq!(messages(&browser).await?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_link_with_a_token_opens_and_the_address_has_it_no_more() -> Result<()> {
    let gateway = start().await?;
    publish(&gateway, "ann", "hers").await?;
    let token = token_of(&gateway, "ann").await?;
    let browser = Browser::start().await?;
    for link in [
        format!("{EVERYTHING}#token={token}"),
        format!("/?token={token}&channels=logs:*:*:*&connect=1"),
    ] {
        browser.open(&gateway.url("/health")).await?;
        browser.run("sessionStorage.clear();", json!([])).await?;
        browser.open(&gateway.url(&link)).await?;
        browser.shows(".logs-live .logs-message", "hers").await?;
        let address = browser
            .run(
                "return location.pathname + location.search + location.hash;",
                json!([]),
            )
            .await?;
        assert_eq!(address, json!(EVERYTHING));
    }
    Ok(())
}

#[tokio::test]
async fn a_cookie_of_the_same_origin_is_enough_and_its_next_owner_sees_nothing_of_the_last() -> Result<()> {
    let gateway = start().await?;
    for user in ["ann", "bob"] {
        publish(&gateway, user, &format!("for {user}")).await?;
    }
    let browser = Browser::start().await?;
    for user in ["ann", "bob", "ann"] {
        // As whoever logs them in does it.
        browser.open(&gateway.url("/health")).await?;
        let token = token_of(&gateway, user).await?;
        let script = "document.cookie = `logs_session=${arguments[0]}; path=/; samesite=strict`;";
        browser.run(script, json!([token])).await?;
        browser.open(&gateway.url(EVERYTHING)).await?;
        browser.shows(".logs-status", CONNECTED).await?;
        browser.shows_messages(&[&format!("for {user}")]).await?;
        let asks = "return document.querySelector('.logs-token') !== null;";
        assert_eq!(browser.run(asks, json!([])).await?, Value::Bool(false));
        // What has come is kept within half a second.
        tokio::time::sleep(Duration::from_secs(1)).await;
        browser.reload().await?;
        browser.shows_messages(&[&format!("for {user}")]).await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_was_kept_when_it_was_not_known_whose_it_is_is_dropped() -> Result<()> {
    let gateway = start().await?;
    publish(&gateway, "ann", "hers").await?;
    let browser = Browser::start().await?;
    browser.open(&gateway.url("/health")).await?;
    // As the page kept its lines before: by channels alone.
    let keep = r#"
        const request = indexedDB.open('logs-sse-gateway', 1);
        const name = JSON.stringify(['', 2000, 'logs:*:*:*']);
        request.onupgradeneeded = () => {
            request.result.createObjectStore('feeds', { keyPath: 'name' });
            request.result.createObjectStore('blocks');
        };
        return new Promise((resolve) => (request.onsuccess = () => {
            const { result } = request;
            const transaction = result.transaction(['feeds', 'blocks'], 'readwrite');
            const text = '{"type":"log","id":"1-0","channel":"logs:etl:bob:f","service":"etl","workspace_id":"bob","timestamp":"2025-09-25T10:30:00.000Z","level":"INFO","message":"his"}';
            transaction.objectStore('feeds').put({ name, cursor: '1-0', usedAt: 1, blocks: [{ number: 1, lines: 1, chars: text.length }] });
            transaction.objectStore('blocks').put({ texts: [text] }, [name, 1]);
            transaction.oncomplete = () => (result.close(), resolve(true));
        }));"#;
    assert_eq!(browser.run(keep, json!([])).await?, Value::Bool(true));
    let token = token_of(&gateway, "ann").await?;
    browser
        .open(&gateway.url(&format!("{EVERYTHING}#token={token}")))
        .await?;
    browser.shows_messages(&["hers"]).await?;
    let kept = "return indexedDB.databases().then((all) => all.map(({ version }) => version));";
    assert_eq!(browser.run(kept, json!([])).await?, json!([2]));
    Ok(())
}

#[tokio::test]
async fn a_pattern_and_saved_lines_show_only_what_the_reader_may_see() -> Result<()> {
    let gateway = start().await?;
    for user in ["ann", "bob"] {
        publish(&gateway, user, &format!("for {user}")).await?;
    }
    let browser = Browser::start().await?;
    for user in ["ann", "bob"] {
        browser.open(&gateway.url("/health")).await?;
        browser.run("sessionStorage.clear();", json!([])).await?;
        browser.open(&gateway.url(EVERYTHING)).await?;
        give(&browser, &token_of(&gateway, user).await?).await?;
        browser.shows(".logs-status", CONNECTED).await?;
        browser
            .shows(".logs-live .logs-message", &format!("for {user}"))
            .await?;
        // Also of channels that are new.
        for other in ["ann", "bob"] {
            let channel = Channel::new("faas", other, Some(user))?;
            gateway
                .publish(&channel, json!(format!("new for {other}")))
                .await?;
        }
        let own = format!("new for {user}");
        browser.shows(".logs-live .logs-message", &own).await?;
        let seen = messages(&browser).await?;
        assert!(seen.iter().all(|message| message.ends_with(user)), "{seen:?}");
        tokio::time::sleep(Duration::from_secs(1)).await;
        browser.reload().await?;
        browser.shows(".logs-status", CONNECTED).await?;
        browser.shows(".logs-live .logs-message", &own).await?;
        let seen = messages(&browser).await?;
        assert!(seen.iter().all(|message| message.ends_with(user)), "{seen:?}");
    }
    Ok(())
}

#[tokio::test]
async fn who_is_revoked_is_told_and_sees_nothing_more_until_there_is_a_new_token() -> Result<()> {
    let gateway = start().await?;
    publish(&gateway, "ann", "hers").await?;
    let browser = Browser::start().await?;
    let token = token_of(&gateway, "ann").await?;
    browser
        .open(&gateway.url(&format!("{EVERYTHING}#token={token}")))
        .await?;
    browser.shows(".logs-live .logs-message", "hers").await?;
    gateway.revoke("ann").await?;
    browser.shows(".logs-status", "Status: ERROR").await?;
    browser.shows(".logs-error", "taken back").await?;
    assert_eq!(messages(&browser).await?, [""; 0]);
    let opened = browser.streams().await?.opened;
    // A token counts from its second on.
    tokio::time::sleep(Duration::from_millis(2_000)).await;
    assert_eq!(browser.streams().await?.opened, opened, "nothing is tried");
    give(&browser, &token).await?;
    browser.shows(".logs-error", "revoked").await?;
    give(&browser, &token_of(&gateway, "ann").await?).await?;
    browser.shows(".logs-status", CONNECTED).await?;
    browser.shows(".logs-live .logs-message", "hers").await
}
