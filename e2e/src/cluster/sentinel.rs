//! [`Sentinel`]: knows which server takes writes, and makes another one take them.

use std::{fs, net::SocketAddr, time::Duration};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::process::Command;

use super::redis::{Redis, start_program};
use crate::{deadline::eventually, gateway_process::GatewayProcess, port::Port};

/// How long a failover may take.
const FAILOVER: Duration = Duration::from_secs(30);

/// A sentinel that is alone and decides alone. It ends with this value.
pub struct Sentinel {
    _process: GatewayProcess,
    port: Port,
    _dir: TempDir,
}

impl Sentinel {
    /// What it calls the server that takes writes.
    const NAME: &str = "main";

    /// A sentinel that counts this server as dead after it was silent for so long, and knows of its replica.
    ///
    /// # Errors
    /// It does not start, or does not find the replica.
    pub async fn watch(primary: &Redis, silent_for: Duration) -> Result<Self> {
        let (port, dir) = (Port::free()?, TempDir::new()?);
        let (name, at) = (Self::NAME, primary.address());
        let config = format!(
            "bind 127.0.0.1\nport {}\nsentinel monitor {name} {} {} 1\nsentinel down-after-milliseconds {name} {}\n\
             sentinel failover-timeout {name} 5000\n",
            port.number(),
            at.ip(),
            at.port(),
            silent_for.as_millis()
        );
        let path = dir.path().join("sentinel.conf");
        // It writes into it what it has found.
        fs::write(&path, config)?;
        let args = [path.into_os_string(), "--sentinel".into()];
        let process = start_program(dir.path(), &args, &port)?;
        let sentinel = Self {
            _process: process,
            port,
            _dir: dir,
        };
        eventually("the sentinel knows one replica", FAILOVER, async || {
            let known = sentinel.ask(&["SENTINEL", "REPLICAS", name]).await;
            Ok(known.is_ok_and(|known| known.contains("slave")).then_some(()))
        })
        .await?;
        Ok(sentinel)
    }

    /// Where it is, for a gateway.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis-sentinel://{}/{}", self.port.address(), Self::NAME)
    }

    /// The server that takes writes, as it says.
    ///
    /// # Errors
    /// It cannot be reached.
    pub async fn primary(&self) -> Result<SocketAddr> {
        let answer = self
            .ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", Self::NAME])
            .await?;
        let (ip, port) = answer.split_once('\n').context("no address")?;
        Ok(SocketAddr::new(ip.parse()?, port.trim().parse()?))
    }

    /// Waits until another server than this one takes writes.
    ///
    /// # Errors
    /// None does in time.
    pub async fn has_changed_from(&self, old: SocketAddr) -> Result<SocketAddr> {
        eventually("another server takes writes", FAILOVER, async || {
            Ok(self.primary().await.ok().filter(|now| *now != old))
        })
        .await
    }

    async fn ask(&self, command: &[&str]) -> Result<String> {
        let port = self.port.number().to_string();
        let mut client = Command::new("redis-cli");
        let output = client.args(["-e", "-p", &port]).args(command).output().await?;
        ensure!(output.status.success(), "the sentinel does not answer");
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
