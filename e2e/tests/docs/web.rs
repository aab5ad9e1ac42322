//! What a page of Markdown shows of web pages, opened in a browser.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use logs_e2e::{Browser, HostPage, eventually};
use serde_json::json;

use crate::{document::Block, output, terminal::Terminal};

const GATEWAY: &str = "http://localhost:3002";
/// How long a page may take until its stream is open.
const PATIENCE: Duration = Duration::from_secs(30);

/// Keeps what the page says to the console, before its own scripts begin.
const CONSOLE: &str = "<script>window.said = []; const log = console.log;\n\
    console.log = (...words) => { window.said.push(words.join(' ')); log(...words); };</script>";

/// What the page shows, then what is in its shadow trees, then what it has said to the console.
const SHOWN: &str = "
    const texts = [document.body.innerText];
    const look = (node) => {
        for (const element of node.querySelectorAll('*')) {
            if (!element.shadowRoot) continue;
            texts.push(...[...element.shadowRoot.children].map((child) => child.innerText ?? ''));
            look(element.shadowRoot);
        }
    };
    look(document);
    return [...texts, ...(window.said ?? [])].join('\\n');";

/// Opens what the block shows, at `url` or on an origin of its own, publishes a line to what the page follows, and waits until the
/// page shows it, and what it is `expected` to show.
pub(crate) async fn open(
    terminal: &mut Terminal,
    block: &Block,
    url: Option<&str>,
    expected: Option<&str>,
) -> Result<()> {
    let site;
    let url = match url {
        Some(url) => url.to_owned(),
        None => {
            let folder = format!("site-{}", block.line);
            terminal.write(&format!("{folder}/index.html"), &html(terminal, block)?)?;
            site = HostPage::start(terminal.folder().join(folder), "", Some(GATEWAY)).await?;
            site.url("/")
        }
    };
    let browser = Browser::start().await?;
    browser.open(&url).await?;
    let followed = eventually("the page opens a stream", PATIENCE, async || {
        Ok(browser.open_streams().await?.first().cloned())
    });
    let stream = told(&browser, followed.await).await?;
    let channel = channel(&stream)?;
    let message = format!("a line for {}", block.line);
    // In development nobody needs a token.
    terminal
        .run(&format!(
            "curl -fs {GATEWAY}/test/logs -H 'content-type: application/json' \
             -d '{{\"channel\":\"{channel}\",\"logData\":\"{message}\"}}' ||\
             echo '{message}' | logs-gateway publish '{channel}'"
        ))
        .await
        .with_context(|| format!("publishing to {channel}, which the page follows"))?;
    let expected = expected.unwrap_or_default();
    let what = format!("the page shows {message:?}, and:\n{expected}");
    let shows = eventually(what, PATIENCE, async || {
        let shown = shown(&browser).await?;
        Ok((shown.contains(&message) && output::contains(&shown, expected)).then_some(()))
    });
    told(&browser, shows.await).await?;
    let violations = browser.policy_violations().await?;
    ensure!(
        violations.is_empty(),
        "the page's content policy forbade {violations:?}"
    );
    Ok(())
}

async fn shown(browser: &Browser) -> Result<String> {
    Ok(browser
        .run(SHOWN, json!([]))
        .await?
        .as_str()
        .unwrap_or_default()
        .to_owned())
}

/// An error with what the page shows instead.
async fn told<T>(browser: &Browser, result: Result<T>) -> Result<T> {
    match result {
        Ok(value) => Ok(value),
        Err(error) => Err(error.context(format!("the page shows:\n{}", shown(browser).await?))),
    }
}

/// The page that the block is, or is a part of.
fn html(terminal: &Terminal, block: &Block) -> Result<String> {
    if block.language == "html" {
        let is_whole = block.text.contains("<html") || block.text.to_lowercase().contains("<!doctype");
        return Ok(if is_whole {
            block.text.clone()
        } else {
            format!("<!DOCTYPE html>\n<body>\n{}", block.text)
        });
    }
    bundle(terminal, block)?;
    Ok(format!(
        "<!DOCTYPE html>\n<body>\n<div id=\"root\"></div>\n{CONSOLE}\n<script type=\"module\" src=\"page.js\"></script>"
    ))
}

/// Makes one file of the block and all that it imports, as an application's build does.
fn bundle(terminal: &Terminal, block: &Block) -> Result<()> {
    let folder = terminal.folder();
    let name = format!("line-{}.{}", block.line, block.language);
    terminal.write(&name, &block.text)?;
    let mut entry = name.clone();
    // A component that is not put anywhere is shown in the page's root.
    if block.language == "jsx" && !block.text.contains("createRoot") {
        ensure!(
            block.text.contains("export default"),
            "a component without `createRoot` is the module's `export default`"
        );
        entry = format!("mount-{}.jsx", block.line);
        let mount = format!(
            "import {{ createRoot }} from 'react-dom/client';\nimport App from './{name}';\n\
             createRoot(document.getElementById('root')).render(<App />);\n"
        );
        terminal.write(&entry, &mount)?;
    }
    let output = Command::new(Path::new("node_modules/.bin/esbuild"))
        .current_dir(folder)
        .args([
            &entry,
            "--bundle",
            "--format=esm",
            "--jsx=automatic",
            "--log-level=warning",
        ])
        .arg("--define:process.env.NODE_ENV=\"production\"")
        .arg(format!("--outfile=site-{}/page.js", block.line))
        .output()
        .context("cannot start esbuild")?;
    ensure!(
        output.status.success(),
        "esbuild: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// A channel that a stream with this address follows.
fn channel(stream: &str) -> Result<String> {
    let url: url::Url = stream.parse()?;
    let query = |name: &str| {
        url.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let channels = query("channels").with_context(|| format!("{stream} names no channels"))?;
    let first = channels.split(',').next().unwrap_or_default();
    let segments = first
        .split(':')
        .map(|segment| if segment == "*" { "etl" } else { segment });
    Ok(segments.collect::<Vec<_>>().join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_to_the_first_channel_of_a_stream() -> Result<()> {
        let stream = "http://localhost:1/api/logs/stream?channels=logs%3Afaas%3Aw%3A*%2Clogs%3Aetl%3Aw&x=1";
        assert_eq!(channel(stream)?, "logs:faas:w:etl");
        assert!(channel("http://localhost:1/api/logs/stream").is_err());
        Ok(())
    }
}
