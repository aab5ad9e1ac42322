//! [`Browser`]: headless Chromium, and what it shows.

mod figures;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use fantoccini::{Client, ClientBuilder, wd::WebDriverCompatibleCommand};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

pub use self::figures::Counted;
use crate::{chromedriver::Chromedriver, deadline::eventually};

/// How long a page may take to show what it should.
const PATIENCE: Duration = Duration::from_secs(20);

/// Counts the page's streams and notes what its policy forbade. Runs before the page's own scripts.
const WATCH: &str = "
    const streams = [];
    window.EventSource = class extends window.EventSource {
        constructor(...args) {
            super(...args);
            streams.push(this);
        }
    };
    window.e2eOpenStreams = () => streams
        .filter(stream => stream.readyState === EventSource.OPEN).map(stream => stream.url);
    window.e2eStreams = () => ({
        opened: streams.length,
        open: streams.filter(stream => stream.readyState !== EventSource.CLOSED).length,
    });
    const violations = [];
    addEventListener('securitypolicyviolation', event => {
        violations.push(event.effectiveDirective + ': ' + event.blockedURI);
    });
    window.e2eViolations = () => violations;
";

/// What a person prefers to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorScheme {
    /// As on paper.
    Light,
    /// As at night.
    Dark,
}

/// The event streams of the page that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streams {
    /// Ever since the page was loaded.
    pub opened: u64,
    /// Now, or being opened.
    pub open: u64,
}

/// A headless Chromium of one's own with an empty profile. It ends with this value.
pub struct Browser {
    client: Client,
    // After the client, which speaks to it.
    _driver: Chromedriver,
    _profile: TempDir,
}

impl Browser {
    /// A browser with an empty page.
    ///
    /// # Errors
    /// Chromium or its driver is missing or does not start.
    pub async fn start() -> Result<Self> {
        let driver = Chromedriver::start().await?;
        let profile = TempDir::new()?;
        let Value::Object(capabilities) = capabilities(profile.path()) else {
            unreachable!("the capabilities are an object");
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&driver.url())
            .await
            .context("chromedriver opens no browser")?;
        let browser = Self {
            client,
            _driver: driver,
            _profile: profile,
        };
        let script = json!({ "source": WATCH });
        browser
            .devtools("Page.addScriptToEvaluateOnNewDocument", script)
            .await?;
        Ok(browser)
    }

    /// Goes to an address, as a person does who types it.
    ///
    /// # Errors
    /// The page cannot be loaded.
    pub async fn open(&self, url: &str) -> Result<()> {
        self.client
            .goto(url)
            .await
            .with_context(|| format!("cannot open {url}"))
    }

    /// Opens another tab, which is the one that is spoken to from now on, and gives its name.
    ///
    /// # Errors
    /// The browser is gone.
    pub async fn new_tab(&self) -> Result<String> {
        let tab = self.client.new_window(true).await?.handle;
        self.switch_to(&String::from(tab.clone())).await?;
        let script = json!({ "source": WATCH });
        self.devtools("Page.addScriptToEvaluateOnNewDocument", script)
            .await?;
        Ok(tab.into())
    }

    /// The name of the tab that is spoken to.
    ///
    /// # Errors
    /// The browser is gone.
    pub async fn tab(&self) -> Result<String> {
        Ok(self.client.window().await?.into())
    }

    /// Speaks to this tab from now on.
    ///
    /// # Errors
    /// There is no such tab.
    pub async fn switch_to(&self, tab: &str) -> Result<()> {
        Ok(self.client.switch_to_window(tab.to_owned().try_into()?).await?)
    }

    /// Closes the tab that is spoken to. Another must be switched to.
    ///
    /// # Errors
    /// The browser is gone.
    pub async fn close_tab(&self) -> Result<()> {
        Ok(self.client.close_window().await?)
    }

    /// Cuts the page off the network, or connects it again.
    ///
    /// # Errors
    /// The browser is gone.
    pub async fn set_offline(&self, is_offline: bool) -> Result<()> {
        self.set_network(is_offline, Duration::ZERO).await
    }

    /// Has each of the page's requests take this much longer.
    ///
    /// # Errors
    /// The browser is gone.
    pub async fn set_latency(&self, latency: Duration) -> Result<()> {
        self.set_network(false, latency).await
    }

    async fn set_network(&self, is_offline: bool, latency: Duration) -> Result<()> {
        self.devtools("Network.enable", json!({})).await?;
        let conditions = json!({
            "offline": is_offline,
            "latency": u64::try_from(latency.as_millis())?,
            "downloadThroughput": -1,
            "uploadThroughput": -1
        });
        self.devtools("Network.emulateNetworkConditions", conditions)
            .await?;
        Ok(())
    }

    /// Loads the page again.
    ///
    /// # Errors
    /// The browser is gone.
    pub async fn reload(&self) -> Result<()> {
        Ok(self.client.refresh().await?)
    }

    /// Clicks the first link or button with this text, once there is one.
    ///
    /// # Errors
    /// There is none in time.
    pub async fn click(&self, text: &str) -> Result<()> {
        let script = "
            const named = element => element.textContent.trim() === arguments[0]
                && !element.disabled && element.ariaDisabled !== 'true';
            const found = [...document.querySelectorAll('a, button')].find(named);
            found?.click();
            return found !== undefined;";
        self.wait(&format!("a link or button {text:?}"), script, json!([text]))
            .await
    }

    /// Clicks the first element that the selector matches, once there is one.
    ///
    /// # Errors
    /// There is none in time.
    pub async fn click_on(&self, selector: &str) -> Result<()> {
        let script = "
            const found = document.querySelector(arguments[0]);
            found?.click();
            return found !== null;";
        self.wait(&format!("an element {selector}"), script, json!([selector]))
            .await
    }

    /// Waits until an element that the selector matches shows this text.
    ///
    /// # Errors
    /// None does in time.
    pub async fn shows(&self, selector: &str, text: &str) -> Result<()> {
        self.shows_within(PATIENCE, selector, text).await
    }

    /// Waits until the live lines on screen have these messages, from the top, and no others.
    ///
    /// # Errors
    /// They do not in time.
    pub async fn shows_messages(&self, messages: &[&str]) -> Result<()> {
        let script = "
            const shown = [...document.querySelectorAll('.logs-live .logs-message')].map(message => message.textContent);
            return JSON.stringify(shown) === JSON.stringify(arguments[0]);";
        self.wait(&format!("the messages {messages:?}"), script, json!([messages]))
            .await
    }

    /// As [`Self::shows`], for as long as is said.
    ///
    /// # Errors
    /// As [`Self::shows`].
    pub async fn shows_within(&self, patience: Duration, selector: &str, text: &str) -> Result<()> {
        let script = "
            const shown = element => element.innerText.includes(arguments[1]) && element.checkVisibility();
            return [...document.querySelectorAll(arguments[0])].some(shown);";
        self.wait_for(
            &format!("{selector} shows {text:?}"),
            patience,
            script,
            json!([selector, text]),
        )
        .await
    }

    /// Waits until a script's body returns something true.
    ///
    /// # Errors
    /// It does not in time; then what the page shows is told, and a screenshot kept.
    pub async fn wait(&self, what: &str, script: &str, args: Value) -> Result<()> {
        self.wait_for(what, PATIENCE, script, args).await
    }

    /// As [`Self::wait`], for as long as is said.
    ///
    /// # Errors
    /// As [`Self::wait`].
    pub async fn wait_for(&self, what: &str, patience: Duration, script: &str, args: Value) -> Result<()> {
        let holds = eventually(what, patience, async || {
            let answer = self.run(script, args.clone()).await?;
            Ok((answer == Value::Bool(true)).then_some(()))
        });
        match holds.await {
            Ok(()) => Ok(()),
            Err(error) => Err(error.context(self.what_is_shown().await)),
        }
    }

    /// What a script's body returns in the page.
    ///
    /// # Errors
    /// The script fails.
    pub async fn run(&self, script: &str, args: Value) -> Result<Value> {
        let args = args.as_array().cloned().unwrap_or_default();
        self.client
            .execute(script, args)
            .await
            .with_context(|| format!("in the page: {script}"))
    }

    /// How many event streams the page has.
    ///
    /// # Errors
    /// No page has been opened.
    pub async fn streams(&self) -> Result<Streams> {
        let counts = self.run("return window.e2eStreams();", json!([])).await?;
        let count = |name: &str| {
            counts[name]
                .as_u64()
                .with_context(|| format!("no {name} in {counts}"))
        };
        Ok(Streams {
            opened: count("opened")?,
            open: count("open")?,
        })
    }

    /// The addresses of the page's event streams that are open.
    ///
    /// # Errors
    /// No page has been opened.
    pub async fn open_streams(&self) -> Result<Vec<String>> {
        let urls = self.run("return window.e2eOpenStreams();", json!([])).await?;
        Ok(serde_json::from_value(urls)?)
    }

    /// What the page tried and its content security policy forbade: directive and target.
    ///
    /// # Errors
    /// No page has been opened.
    pub async fn policy_violations(&self) -> Result<Vec<String>> {
        let violations = self.run("return window.e2eViolations();", json!([])).await?;
        Ok(serde_json::from_value(violations)?)
    }

    /// Sets what the person prefers.
    ///
    /// # Errors
    /// The browser is gone.
    pub async fn prefer(&self, scheme: ColorScheme) -> Result<()> {
        let value = match scheme {
            ColorScheme::Light => "light",
            ColorScheme::Dark => "dark",
        };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.devtools("Emulation.setEmulatedMedia", features).await?;
        Ok(())
    }

    /// Gives the page another size, in pixels.
    ///
    /// # Errors
    /// The browser is gone.
    pub async fn resize(&self, width: u32, height: u32) -> Result<()> {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await?;
        Ok(())
    }

    /// Keeps a picture of the page in `target/screenshots`.
    ///
    /// # Errors
    /// It cannot be taken or written.
    pub async fn screenshot(&self, name: &str) -> Result<PathBuf> {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots");
        fs::create_dir_all(&dir)?;
        let path = dir.join(format!("{name}.png"));
        fs::write(&path, self.client.screenshot().await?)?;
        Ok(path)
    }

    async fn what_is_shown(&self) -> String {
        let text = self
            .run(
                "return location.href + '\\n' + document.body.innerText;",
                json!([]),
            )
            .await;
        let name = std::thread::current().name().unwrap_or("page").replace("::", "-");
        let picture = self.screenshot(&format!("failed-{name}")).await;
        let text = text.map_or_else(
            |error| error.to_string(),
            |text| text.as_str().unwrap_or_default().to_owned(),
        );
        let picture = picture.map_or_else(|error| error.to_string(), |path| path.display().to_string());
        format!("the page ({picture}) shows:\n{text}\n")
    }

    async fn devtools(&self, command: &'static str, parameters: Value) -> Result<Value> {
        let command = Devtools { command, parameters };
        Ok(self.client.issue_cmd(command).await?)
    }
}

fn capabilities(profile: &Path) -> Value {
    let flags = [
        "--headless",
        // Chromium has no sandbox for root, which containers and build machines run as.
        "--no-sandbox",
        // A container's shared memory is often too small for a page.
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--window-size=1280,900",
        // The browser shall speak to the gateway and to nobody else.
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-quic",
        "--disable-sync",
        "--no-first-run",
    ];
    let flags: Vec<_> = flags
        .map(str::to_owned)
        .into_iter()
        .chain([format!("--user-data-dir={}", profile.display())])
        .collect();
    // A gateway of a test has a certificate that nobody else knows.
    json!({ "goog:chromeOptions": { "args": flags }, "acceptInsecureCerts": true })
}

/// A command of the Chrome DevTools protocol, which chromedriver passes on.
#[derive(Debug)]
struct Devtools {
    command: &'static str,
    parameters: Value,
}

impl WebDriverCompatibleCommand for Devtools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!(
            "session/{}/goog/cdp/execute",
            session.unwrap_or_default()
        ))
    }

    fn method_and_body(&self, _: &Url) -> (http::Method, Option<String>) {
        let body = json!({ "cmd": self.command, "params": self.parameters });
        (http::Method::POST, Some(body.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The picture of a failure that was meant to happen would only mislead.
    fn forget_failure(error: &str) -> Result<()> {
        let path = error.split(['(', ')']).find(|part| part.ends_with(".png"));
        Ok(fs::remove_file(path.context("no picture was kept")?)?)
    }

    #[tokio::test]
    async fn what_is_never_shown_is_an_error_that_tells_what_is() -> Result<()> {
        let browser = Browser::start().await?;
        browser.open("data:text/html,<p>hello").await?;
        browser.shows("p", "hello").await?;
        let soon = Duration::from_millis(100);
        let error = browser
            .wait_for("a miracle", soon, "return false;", json!([]))
            .await;
        let error = format!("{:#}", error.unwrap_err());
        assert!(error.contains("a miracle") && error.contains("hello"), "{error}");
        forget_failure(&error)
    }

    #[tokio::test]
    async fn hidden_text_is_not_shown() -> Result<()> {
        let browser = Browser::start().await?;
        browser
            .open("data:text/html,<p style='display:none'>hello")
            .await?;
        let script = "return document.querySelector('p') !== null;";
        browser.wait("the paragraph", script, json!([])).await?;
        let shown = browser
            .shows_within(Duration::from_millis(100), "p", "hello")
            .await;
        forget_failure(&format!("{:#}", shown.unwrap_err()))
    }

    #[tokio::test]
    async fn streams_are_counted_while_they_are_open() -> Result<()> {
        let browser = Browser::start().await?;
        browser.open("data:text/html,<p>hello").await?;
        let script =
            "window.first = new EventSource('http://127.0.0.1:9'); new EventSource('http://127.0.0.1:9');";
        browser.run(script, json!([])).await?;
        browser.run("window.first.close();", json!([])).await?;
        assert_eq!(browser.streams().await?.opened, 2);
        assert!(browser.streams().await?.open < 2);
        Ok(())
    }
}
