//! [`Redis`]: a server that a command starts for itself.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::{beside::Beside, environments};

/// Far more than starting takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A Redis on a free port of this machine, started as a file of `deploy/` says. It ends with this value.
pub(super) struct Redis {
    process: Option<Beside>,
    /// The program and its arguments.
    words: Vec<String>,
    address: SocketAddr,
    dir: PathBuf,
}

impl Redis {
    /// Starts it with what `command` says, a word a line, whose last word is given what is different here. What was in
    /// `dir` is gone.
    pub(super) fn start(dir: &Path, command: &str) -> Result<Self> {
        if dir.exists() {
            fs::remove_dir_all(dir).context("cannot remove what is left of the last Redis")?;
        }
        fs::create_dir_all(dir).context("cannot make a folder for Redis")?;
        let mut redis = Self {
            process: None,
            words: command.lines().map(str::to_owned).collect(),
            address: free_port()?,
            dir: dir.to_owned(),
        };
        redis.again()?;
        Ok(redis)
    }

    /// Where it is.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it at once, as `kill -9` does.
    pub(super) fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it where it was, with what it has kept.
    pub(super) fn again(&mut self) -> Result<()> {
        let (last, before) = self.words.split_last().context("no command starts Redis")?;
        let (program, args) = before.split_first().context("one word starts no Redis")?;
        let here = format!(
            "{last} --bind 127.0.0.1 --port {} --dir '{}'",
            self.address.port(),
            self.dir.display()
        );
        let mut command = Command::new(program);
        command.args(args).arg(here).current_dir(&self.dir);
        let password = environments::filled_in("REDIS_PASSWORD").context("a password for Redis")?;
        command.env("REDISCLI_AUTH", password);
        let process = self
            .process
            .insert(Beside::start(&mut command, &self.dir.join("said"))?);
        let started = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            process.ensure_running()?;
            ensure!(
                started.elapsed() < PATIENCE,
                "Redis does not listen: {}",
                process.said()
            );
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

/// A port that nobody has at this moment.
pub(super) fn free_port() -> Result<SocketAddr> {
    let listener = TcpListener::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));
    listener
        .and_then(|listener| listener.local_addr())
        .context("no port is free")
}
