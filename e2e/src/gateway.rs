//! [`TestGateway`]: a gateway of one's own.

mod requests;

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
};

use anyhow::{Context, Result, bail};
use logs_shared::{
    Channel, RecordId,
    api::{JSON_TYPE, PUBLISH_PATH, SERVICE_TOKEN_HEADER, STATS_PATH, STREAM_PATH},
    overview::Stats,
    publish::PublishAnswer,
};
use reqwest::{RequestBuilder, header::CONTENT_TYPE};
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::{
    gateway_process::{GatewayProcess, Memory},
    port::Port,
};

/// Names the binary under test.
const BINARY: &str = "LOGS_GATEWAY_BIN";
/// May publish to every channel.
pub(crate) const TOKEN: &str = "e2e-token";

/// The binary under test.
pub(crate) fn binary() -> Result<OsString> {
    env::var_os(BINARY)
        .with_context(|| format!("{BINARY} is not set; `cargo xtask test` builds the gateway and sets it"))
}

/// A gateway of one's own: the real binary on a free port, with an empty folder to work in and nothing
/// of this process's configuration. It ends with this value.
pub struct TestGateway {
    binary: OsString,
    process: GatewayProcess,
    url: String,
    settings: Vec<(String, String)>,
    port: Port,
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
        Self::start_program(binary()?, settings).await
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
        let port = Port::free()?;
        let mut process = GatewayProcess::spawn(&binary, &[], dir.path(), &settings, port.number())?;
        let url = process.listening().await?;
        Ok(Self {
            binary,
            process,
            url,
            settings,
            port,
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

    /// The folder with its records, unless `DATA_DIR` names another.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// What the gateway says it is doing.
    ///
    /// # Errors
    /// It cannot be reached.
    pub async fn stats(&self) -> Result<Stats> {
        let answer = self.ask(self.http.get(self.url(STATS_PATH))).await?;
        Ok(serde_json::from_str(&answer)?)
    }

    /// What it has in memory.
    ///
    /// # Errors
    /// It is not running, or the system does not tell.
    pub fn memory(&self) -> Result<Memory> {
        self.process.memory()
    }

    /// The folder it works in.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// An error where it has ended, with its words.
    ///
    /// # Errors
    /// It is not running.
    pub fn ensure_running(&mut self) -> Result<()> {
        self.process.ensure_running()
    }

    /// The processor time it has taken, in seconds.
    ///
    /// # Errors
    /// It is not running, or the system does not tell.
    pub fn cpu_seconds(&self) -> Result<f64> {
        self.process.cpu_seconds()
    }

    /// Stops it in the middle of whatever it does, and it does not know; or lets it go on.
    ///
    /// # Errors
    /// It is not running.
    pub fn freeze(&self, is_frozen: bool) -> Result<()> {
        self.process.freeze(is_frozen)
    }

    /// Kills it as a crash or `kill -9` would: it gets no chance to do anything.
    ///
    /// # Errors
    /// It is not running, or has ended by itself before.
    pub async fn kill(&mut self) -> Result<()> {
        self.process.ensure_running()?;
        self.process.signal(Signal::KILL).await?;
        Ok(())
    }

    /// Asks it to stop, as a service manager does, and does not wait.
    ///
    /// # Errors
    /// It is not running.
    pub fn ask_to_stop(&self) -> Result<()> {
        self.process.send(Signal::TERM)
    }

    /// Asks it to read its files again.
    ///
    /// # Errors
    /// It is not running.
    pub fn hang_up(&self) -> Result<()> {
        self.process.send(Signal::HUP)
    }

    /// Asks it to stop, and waits until it has.
    ///
    /// # Errors
    /// It is not running, or it does not stop.
    pub async fn stop(&mut self) -> Result<ExitStatus> {
        self.process.signal(Signal::TERM).await
    }

    /// Starts it again after its end, at the same address and with the same files.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn restart(&mut self) -> Result<()> {
        self.respawn()?;
        self.listening().await
    }

    /// As [`Self::restart`], and does not wait until it listens.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn respawn(&mut self) -> Result<()> {
        let port = self.port.number();
        self.process = GatewayProcess::spawn(&self.binary, &[], self.dir.path(), &self.settings, port)?;
        Ok(())
    }

    /// Waits until it listens.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn listening(&mut self) -> Result<()> {
        self.process.listening().await?;
        Ok(())
    }

    /// The first line with these words that it has printed since it was last started.
    #[must_use]
    pub fn printed(&self, words: &str) -> Option<String> {
        let transcript = self.process.transcript();
        transcript.find(|line| line.contains(words).then(|| line.to_owned()))
    }

    async fn ask(&self, request: RequestBuilder) -> Result<String> {
        let answer = request
            .send()
            .await
            .with_context(|| format!("no answer; {}", self.process.transcript()))?;
        let status = answer.status();
        let body = answer.text().await?;
        if !status.is_success() {
            bail!("the gateway answered {status}: {body}");
        }
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

    use super::*;
    use crate::deadline::eventually;

    const SOON: Duration = Duration::from_secs(10);

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
    async fn a_gateway_that_ended_by_itself_was_not_killed() {
        let script = "echo listening on http://127.0.0.1:7; echo out of luck >&2; sleep 0.1; exit 3";
        let mut gateway = start_script(script).await.unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(gateway.printed("out of luck").is_some() && gateway.printed("panicked").is_none());
        let error = gateway.kill().await.unwrap_err().to_string();
        assert!(
            error.contains("exit status: 3") && error.contains("out of luck"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn nothing_of_this_process_reaches_the_gateway() {
        let script = "env >&2; echo end >&2; echo listening on http://127.0.0.1:7; exec sleep 60";
        let gateway = start_script(script).await.unwrap();
        let printed = async || {
            Ok(gateway
                .process
                .transcript()
                .find(|line| (line == "end").then_some(())))
        };
        eventually("its environment", SOON, printed).await.unwrap();
        let environment = gateway.process.transcript().to_string();
        assert!(
            environment.contains("PORT=") && !environment.contains("CARGO"),
            "{environment}"
        );
    }
}
