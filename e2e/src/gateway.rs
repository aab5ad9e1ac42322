//! [`TestGateway`]: a gateway of one's own.

use std::{
    env,
    ffi::{OsStr, OsString},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use logs_shared::{
    Channel, RecordId,
    api::{JSON_TYPE, PUBLISH_PATH, SERVICE_TOKEN_HEADER, STATS_PATH, STREAM_PATH},
    overview::Stats,
    publish::PublishAnswer,
};
use reqwest::{RequestBuilder, header::CONTENT_TYPE};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::timeout,
};

use crate::{deadline::eventually, transcript::Transcript};

/// Names the binary under test.
const BINARY: &str = "LOGS_GATEWAY_BIN";
/// May publish to every channel.
const TOKEN: &str = "e2e-token";
const START: Duration = Duration::from_secs(20);
const STOP: Duration = Duration::from_secs(20);

/// A gateway of one's own: the real binary on a free port, with an empty folder to work in and nothing
/// of this process's configuration. It ends with this value.
pub struct TestGateway {
    binary: OsString,
    child: Child,
    transcript: Transcript,
    url: String,
    settings: Vec<(String, String)>,
    dir: TempDir,
    http: reqwest::Client,
}

impl TestGateway {
    /// A gateway with the settings of development.
    ///
    /// # Errors
    /// As [`Self::start_with`].
    pub async fn start() -> Result<Self> {
        Self::start_with(&[]).await
    }

    /// A gateway with these environment variables too.
    ///
    /// # Errors
    /// There is no binary, or it ends or says nothing instead of listening.
    pub async fn start_with(settings: &[(&str, &str)]) -> Result<Self> {
        let binary = env::var_os(BINARY);
        let binary = binary.with_context(|| {
            format!("{BINARY} is not set; `cargo xtask test` builds the gateway and sets it")
        })?;
        Self::start_program(binary, settings).await
    }

    async fn start_program(binary: OsString, settings: &[(&str, &str)]) -> Result<Self> {
        let dir = TempDir::new()?;
        let own = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let settings: Vec<_> = [("SERVICE_TOKENS".to_owned(), format!("{TOKEN}=*"))]
            .into_iter()
            .chain(own)
            .collect();
        let (child, transcript, url) = launch(&binary, &dir, &settings, 0).await?;
        Ok(Self {
            binary,
            child,
            transcript,
            url,
            settings,
            dir,
            http: reqwest::Client::builder().build()?,
        })
    }

    /// The address of a path of this gateway.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The address of the stream of these channels.
    #[must_use]
    pub fn stream_url(&self, channels: &str) -> String {
        self.url(&format!("{STREAM_PATH}?channels={channels}"))
    }

    /// The binary's own command line, set to this gateway and allowed to publish. It ends with its value.
    #[must_use]
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .env_clear()
            .env("LOGS_GATEWAY_URL", &self.url)
            .env("LOGS_GATEWAY_TOKEN", TOKEN)
            .args(args)
            .current_dir(self.dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Publishes one record and gives its id: it is stored.
    ///
    /// # Errors
    /// The gateway refuses it or cannot be reached.
    pub async fn publish(&self, channel: &Channel, log_data: Value) -> Result<RecordId> {
        let request = self
            .http
            .post(self.url(PUBLISH_PATH))
            .header(SERVICE_TOKEN_HEADER, TOKEN);
        let body = json!({ "channel": channel, "logData": log_data }).to_string();
        let answer = self
            .ask(request.header(CONTENT_TYPE, JSON_TYPE).body(body))
            .await?;
        let answer: PublishAnswer = serde_json::from_str(&answer)?;
        Ok(answer.id)
    }

    /// What the gateway says it is doing.
    ///
    /// # Errors
    /// It cannot be reached.
    pub async fn stats(&self) -> Result<Stats> {
        let answer = self.ask(self.http.get(self.url(STATS_PATH))).await?;
        Ok(serde_json::from_str(&answer)?)
    }

    /// Kills it as a crash or `kill -9` would: it gets no chance to do anything.
    ///
    /// # Errors
    /// It is not running.
    pub async fn kill(&mut self) -> Result<()> {
        self.signal(Signal::KILL).await?;
        Ok(())
    }

    /// Asks it to stop, as a service manager does, and does not wait.
    ///
    /// # Errors
    /// It is not running.
    pub fn ask_to_stop(&self) -> Result<()> {
        self.send(Signal::TERM)
    }

    /// Asks it to stop, and waits until it has.
    ///
    /// # Errors
    /// It is not running, or it does not stop.
    pub async fn stop(&mut self) -> Result<ExitStatus> {
        self.signal(Signal::TERM).await
    }

    /// Starts it again after its end, at the same address and with the same files.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn restart(&mut self) -> Result<()> {
        let port = self.url.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let port = port.with_context(|| format!("{} names no port", self.url))?;
        (self.child, self.transcript, self.url) =
            launch(&self.binary, &self.dir, &self.settings, port).await?;
        Ok(())
    }

    /// Sends the signal, and waits for the end.
    async fn signal(&mut self, signal: Signal) -> Result<ExitStatus> {
        self.send(signal)?;
        match timeout(STOP, self.child.wait()).await {
            Ok(status) => Ok(status?),
            Err(_) => bail!(
                "the gateway has not ended within {STOP:?} of {signal:?}; {}",
                self.transcript
            ),
        }
    }

    fn send(&self, signal: Signal) -> Result<()> {
        let pid = self.child.id().context("the gateway is not running")?;
        let pid = Pid::from_raw(i32::try_from(pid)?).context("no process has the id 0")?;
        Ok(kill_process(pid, signal)?)
    }

    async fn ask(&self, request: RequestBuilder) -> Result<String> {
        let answer = request
            .send()
            .await
            .with_context(|| format!("no answer; {}", self.transcript))?;
        let status = answer.status();
        let body = answer.text().await?;
        if !status.is_success() {
            bail!("the gateway answered {status}: {body}");
        }
        Ok(body)
    }
}

/// Starts the program and waits until it says where it listens.
async fn launch(
    binary: &OsStr,
    dir: &TempDir,
    settings: &[(String, String)],
    port: u16,
) -> Result<(Child, Transcript, String)> {
    let kept = ["PATH", "HOME"]
        .into_iter()
        .filter_map(|name| Some((name, env::var_os(name)?)));
    let mut child = Command::new(binary)
        .env_clear()
        .envs(kept)
        .env("HOST", "127.0.0.1")
        .env("PORT", port.to_string())
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .current_dir(dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {}", binary.display()))?;
    let transcript = Transcript::default();
    transcript.record(&mut child);
    let listening = eventually("the gateway listens", START, async || {
        if let Some(url) = transcript.find(address) {
            return Ok(Some(url));
        }
        match child.try_wait()? {
            Some(status) if transcript.is_complete() => bail!("the gateway ended with {status}"),
            _ => Ok(None),
        }
    });
    match listening.await {
        Ok(url) => Ok((child, transcript, url)),
        Err(error) => Err(error.context(transcript.to_string())),
    }
}

/// The address in the line with which a gateway says where it listens.
fn address(line: &str) -> Option<String> {
    let (_, from) = line.split_once("listening on ")?;
    let url = from.split_whitespace().next()?;
    url.starts_with("http://").then(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    /// A program in place of the gateway.
    async fn start_script(script: &str) -> Result<TestGateway> {
        let dir = TempDir::new()?;
        let path = dir.path().join("gateway");
        fs::write(&path, format!("#!/bin/sh\n{script}\n"))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        TestGateway::start_program(path.into_os_string(), &[]).await
    }

    #[tokio::test]
    async fn a_gateway_that_ends_is_an_error_with_its_words() {
        let error = start_script("echo PORT is taken >&2; exit 3")
            .await
            .err()
            .unwrap();
        let text = format!("{error:#}");
        assert!(
            text.contains("PORT is taken") && text.contains("exit status: 3"),
            "{text}"
        );
    }

    #[tokio::test]
    async fn the_address_is_found_among_other_lines() {
        let gateway =
            start_script("echo hello; echo ' listening on http://127.0.0.1:7 and more'; exec sleep 60").await;
        assert_eq!(gateway.unwrap().url("/x"), "http://127.0.0.1:7/x");
    }

    #[tokio::test]
    async fn a_killed_gateway_is_gone() {
        let mut gateway = start_script("echo listening on http://127.0.0.1:7; exec sleep 60")
            .await
            .unwrap();
        gateway.kill().await.unwrap();
        let again = gateway.kill().await.unwrap_err();
        assert_eq!(again.to_string(), "the gateway is not running");
    }

    #[tokio::test]
    async fn nothing_of_this_process_reaches_the_gateway() {
        let script = "env >&2; echo end >&2; echo listening on http://127.0.0.1:7; exec sleep 60";
        let gateway = start_script(script).await.unwrap();
        let printed = async || Ok(gateway.transcript.find(|line| (line == "end").then_some(())));
        eventually("its environment", START, printed).await.unwrap();
        let environment = gateway.transcript.to_string();
        assert!(
            environment.contains("PORT=0") && !environment.contains("CARGO"),
            "{environment}"
        );
    }
}
