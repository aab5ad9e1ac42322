//! [`Redis`]: a server of one's own.

use std::{
    ffi::OsString,
    fs,
    net::SocketAddr,
    path::Path,
    process::{Output, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::{net::TcpStream, process::Command};

use crate::{deadline::eventually, gateway_process::GatewayProcess, port::Port};

/// How long it may take to start; with its files to read.
const START: Duration = Duration::from_secs(20);

/// A redis-server of one's own, on a port of its own and with an empty folder for its files. It ends with this value.
pub struct Redis {
    process: GatewayProcess,
    settings: Vec<String>,
    password: Option<String>,
    port: Port,
    dir: TempDir,
}

impl Redis {
    /// A server with these settings, as its configuration file has them: `appendonly yes`. It writes no snapshots unless it is
    /// told to.
    ///
    /// # Errors
    /// It is not installed, or does not start; with its words.
    pub async fn start(settings: &[&str]) -> Result<Self> {
        let (port, dir) = (Port::free()?, TempDir::new()?);
        let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
        let password = { settings.iter() }
            .find_map(|setting| setting.strip_prefix("requirepass "))
            .map(str::to_owned);
        let process = spawn(dir.path(), &port, &settings)?;
        let mut redis = Self {
            process,
            settings,
            password,
            port,
            dir,
        };
        redis.answers().await?;
        Ok(redis)
    }

    /// Where it is, for a gateway.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_at(self.address())
    }

    /// The same for who reaches it at another address.
    #[must_use]
    pub fn url_at(&self, address: SocketAddr) -> String {
        match &self.password {
            None => format!("redis://{address}"),
            Some(password) => format!("redis://:{password}@{address}"),
        }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// What it answers to a command.
    ///
    /// # Errors
    /// It cannot be reached, or the answer is an error.
    pub async fn ask(&self, command: &[&str]) -> Result<String> {
        let mut client = Command::new("redis-cli");
        if let Some(password) = &self.password {
            client.env("REDISCLI_AUTH", password);
        }
        let port = self.port.number().to_string();
        let Output {
            status,
            stdout,
            stderr,
        } = client
            .args(["-e", "-p", &port])
            .args(command)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .context("this test needs redis-cli, from Debian's package redis-tools")?;
        let (said, errors) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        ensure!(
            status.success(),
            "redis-cli {command:?}: {status}: {said}{errors}"
        );
        Ok(said.trim_end().to_owned())
    }

    /// Changes a setting while it runs.
    ///
    /// # Errors
    /// It does not take it.
    pub async fn set(&self, setting: &str, value: &str) -> Result<()> {
        let answer = self.ask(&["CONFIG", "SET", setting, value]).await?;
        ensure!(answer == "OK", "CONFIG SET {setting} {value}: {answer}");
        Ok(())
    }

    /// A figure of what it says about itself, such as `used_memory` of the section `memory`.
    ///
    /// # Errors
    /// It says no such thing.
    pub async fn figure(&self, section: &str, name: &str) -> Result<f64> {
        let info = self.ask(&["INFO", section]).await?;
        let value = { info.lines() }.find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'));
        let value = value.with_context(|| format!("there is no {name} in {info}"))?;
        Ok(value.parse()?)
    }

    /// The processor time it has taken, in seconds.
    ///
    /// # Errors
    /// It is not running.
    pub fn cpu_seconds(&self) -> Result<f64> {
        self.process.cpu_seconds()
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

    /// Starts it again after its end, with the same files, and waits until it answers.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_again(&mut self) -> Result<()> {
        self.respawn()?;
        self.answers().await
    }

    /// As [`Self::start_again`], and does not wait.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn respawn(&mut self) -> Result<()> {
        self.process = spawn(self.dir.path(), &self.port, &self.settings)?;
        Ok(())
    }

    /// Starts it again after its end with nothing of what it had.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_empty(&mut self) -> Result<()> {
        self.dir = TempDir::new()?;
        self.start_again().await
    }

    /// Gives it another setting, from its next start on.
    pub fn configure(&mut self, setting: &str) {
        self.settings.push(setting.to_owned());
    }

    /// The folder with its files.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Stops it in the middle of whatever it does, and it does not know; or lets it go on.
    ///
    /// # Errors
    /// It is not running.
    pub fn freeze(&self, is_frozen: bool) -> Result<()> {
        self.process.freeze(is_frozen)
    }

    /// Waits until it answers to commands.
    async fn answers(&mut self) -> Result<()> {
        let answers = eventually("Redis answers", START, async || {
            if !self.process.is_starting()? || TcpStream::connect(self.port.address()).await.is_err() {
                return Ok(None);
            }
            // While it reads its files it says so instead.
            Ok(self.ask(&["PING"]).await.ok().filter(|pong| pong == "PONG"))
        });
        answers.await?;
        Ok(())
    }
}

fn spawn(dir: &Path, port: &Port, settings: &[String]) -> Result<GatewayProcess> {
    // Of what is said twice the last counts: a test's own.
    let common = [
        "bind 127.0.0.1".to_owned(),
        format!("port {}", port.number()),
        "save \"\"".to_owned(),
        "daemonize no".to_owned(),
    ];
    let lines: Vec<_> = common.iter().chain(settings).map(String::as_str).collect();
    let path = dir.join("redis.conf");
    fs::write(&path, lines.join("\n") + "\n")?;
    start_program(dir, &[path.into_os_string()], port)
}

/// Starts redis-server with these arguments.
pub(super) fn start_program(dir: &Path, args: &[OsString], port: &Port) -> Result<GatewayProcess> {
    GatewayProcess::spawn("redis-server".as_ref(), args, dir, &[], port.number())
        .context("this test needs redis-server, from Debian's package of that name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_has_what_it_was_told_and_keeps_what_it_has_over_a_kill() -> Result<()> {
        let mut redis = Redis::start(&["appendonly yes", "appendfsync always", "requirepass s3cret"]).await?;
        assert_eq!(redis.ask(&["SET", "a", "1"]).await?, "OK");
        assert!(redis.url().starts_with("redis://:s3cret@127.0.0.1:"));
        redis.set("maxmemory", "100mb").await?;
        assert!((redis.figure("memory", "maxmemory").await? - 104_857_600.0).abs() < 1.0);
        redis.kill().await?;
        assert!(redis.ask(&["GET", "a"]).await.is_err());
        redis.start_again().await?;
        assert_eq!(redis.ask(&["GET", "a"]).await?, "1");
        assert!(redis.ask(&["NONSENSE"]).await.is_err());
        redis.kill().await?;
        redis.start_empty().await?;
        assert_eq!(redis.ask(&["GET", "a"]).await?, "");
        Ok(())
    }

    #[tokio::test]
    async fn what_it_does_not_take_is_told() {
        let error = Redis::start(&["nonsense yes"]).await.err().unwrap();
        assert!(format!("{error:#}").contains("nonsense"), "{error:#}");
    }
}
