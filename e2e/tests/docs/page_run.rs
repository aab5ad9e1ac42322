//! [`run`]: does what a page says, from its beginning to its end.

use std::{env, fs, path::PathBuf, process};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::Signal;

use crate::{
    document::{Block, Document},
    example, output,
    snippet::{Action, Snippet},
    terminal::{self, Program, Terminal},
    tree, web,
};

/// How the gateway says that it is ready.
const READY: &str = "listening on ";

/// A page that is being executed.
struct PageRun {
    terminal: Terminal,
    gateway: Option<Program>,
    /// What was started in the background.
    others: Vec<Program>,
    /// The folder of the gateway that is there before the first snippet.
    gateway_folder: tempfile::TempDir,
}

/// Executes the snippets of a page, in the network namespace that this process has for it.
///
/// # Errors
/// One does not do what the page says; then its place, its text and what it printed are told. Those after it are not executed.
pub(crate) async fn run(document: &Document) -> Result<()> {
    loopback()?;
    let mut run = PageRun {
        terminal: Terminal::open()?,
        gateway: None,
        others: Vec::new(),
        gateway_folder: tempfile::TempDir::new()?,
    };
    let snippets = tree::snippets(document);
    for (at, (block, snippet)) in snippets.iter().enumerate() {
        let expected = snippets
            .get(at + 1)
            .filter(|(_, next)| next.action == Action::Output);
        let expected = expected.map(|(block, _)| block.text.as_str());
        run.execute(block, snippet, expected).await.with_context(|| {
            let Block {
                language, info, text, ..
            } = block;
            format!("{}: ```{language} {info}\n{text}```", document.at(block.line))
        })?;
    }
    for program in run.others.iter_mut().chain(&mut run.gateway) {
        let _ = program.end(Signal::KILL).await;
    }
    Ok(())
}

impl PageRun {
    async fn execute(&mut self, block: &Block, snippet: &Snippet, expected: Option<&str>) -> Result<()> {
        let text = block.text.as_str();
        let file = match &snippet.file {
            Some(name) => Some(self.terminal.write(name, text)?),
            None => None,
        };
        if self.gateway.is_none()
            && !matches!(snippet.action, Action::Gateway | Action::Nothing | Action::Output)
        {
            let start = format!("cd '{}'\nexec logs-gateway", self.gateway_folder.path().display());
            self.start_gateway(&start)
                .await
                .context("the gateway of the page")?;
        }
        let saved = |extension: &str| match file {
            Some(file) => Ok(file),
            None => self
                .terminal
                .write(&format!("line-{}.{extension}", block.line), text),
        };
        let printed = match &snippet.action {
            Action::Nothing | Action::Output | Action::PartOf(_) => return Ok(()),
            Action::Gateway => {
                if let Some(mut before) = self.gateway.take() {
                    before
                        .end(Signal::TERM)
                        .await
                        .context("the gateway that was there")?;
                }
                self.start_gateway(text).await?;
                let Some(expected) = expected else { return Ok(()) };
                let gateway = self.gateway.as_mut().context("the gateway is gone")?;
                return gateway
                    .until("its output", |printed| output::begins_as(printed, expected))
                    .await;
            }
            Action::Background | Action::Watch => {
                let expected = expected.context("its output must follow, to know when it is there")?;
                let mut program = self.terminal.start(text)?;
                program
                    .until("its output", |printed| output::begins_as(printed, expected))
                    .await?;
                if snippet.action == Action::Watch {
                    program.end(Signal::INT).await?;
                } else {
                    self.others.push(program);
                }
                return Ok(());
            }
            Action::Leptos(folder) => return self.terminal.leptos(folder),
            Action::Page(url) => {
                return web::open(&mut self.terminal, block, url.as_deref(), expected).await;
            }
            Action::Type => self.terminal.run(text).await?,
            Action::Python => {
                let file = saved("py")?;
                self.terminal.run_file("python3", &file).await?
            }
            Action::Node => {
                // As Node.js tells the two kinds of modules apart.
                let file = saved(if text.contains("require(") { "cjs" } else { "mjs" })?;
                self.terminal.run_file("node", &file).await?
            }
            Action::Example(name) => {
                self.terminal
                    .run(&format!("'{}'", example::program(name)?.display()))
                    .await?
            }
        };
        match expected {
            Some(expected) if !output::is_output(&printed, expected) => {
                bail!(
                    "it should print:\n{}\nit printed:\n{}",
                    expected.trim_end(),
                    printed.trim_end()
                )
            }
            _ => Ok(()),
        }
    }

    async fn start_gateway(&mut self, script: &str) -> Result<()> {
        let mut gateway = self.terminal.start(script)?;
        gateway.until(READY, |printed| printed.contains(READY)).await?;
        self.gateway = Some(gateway);
        Ok(())
    }
}

/// A network of one's own has a loopback, which is down.
fn loopback() -> Result<()> {
    let routes = fs::read_to_string("/proc/net/dev")?;
    ensure!(
        routes
            .lines()
            .skip(2)
            .all(|line| line.trim_start().starts_with("lo:")),
        "snippets are executed in a network of their own only: this one has more than a loopback"
    );
    let status = process::Command::new("ip")
        .env("PATH", terminal::path(&[])?)
        .args(["link", "set", "lo", "up"])
        .status()
        .context("snippets need the program ip, from iproute2")?;
    ensure!(status.success(), "`ip link set lo up` failed: {status}");
    Ok(())
}

/// The page that this process has been started for, if it has been.
pub(crate) fn wanted() -> Option<PathBuf> {
    env::var_os(PAGE).map(PathBuf::from)
}

/// Names the page that a process is started for.
pub(crate) const PAGE: &str = "LOGS_E2E_PAGE";
