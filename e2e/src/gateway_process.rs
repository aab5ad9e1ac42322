//! [`GatewayProcess`]: the program, from its start to its end.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    time::timeout,
};

use crate::{deadline::eventually, transcript::Transcript};

const START: Duration = Duration::from_secs(20);
const STOP: Duration = Duration::from_secs(20);

/// A gateway's program that was started once. It ends with this value.
pub(crate) struct GatewayProcess {
    child: Child,
    transcript: Transcript,
}

impl GatewayProcess {
    /// Starts the program in `dir` with these arguments, these environment variables and nothing of this process's own, and
    /// does not wait until it listens.
    pub(crate) fn spawn(
        binary: &OsStr,
        args: &[OsString],
        dir: &Path,
        settings: &[(String, String)],
        port: u16,
    ) -> Result<Self> {
        let kept = ["PATH", "HOME"]
            .into_iter()
            .filter_map(|name| Some((name, env::var_os(name)?)));
        let mut child = Command::new(binary)
            .args(args)
            .env_clear()
            .envs(kept)
            .env("HOST", "127.0.0.1")
            .env("PORT", port.to_string())
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let transcript = Transcript::default();
        transcript.record(&mut child);
        Ok(Self { child, transcript })
    }

    /// Waits until it says where it listens, and gives that address.
    pub(crate) async fn listening(&mut self) -> Result<String> {
        let listening = eventually("the gateway listens", START, async || {
            if let Some(url) = self.transcript.find(address) {
                return Ok(Some(url));
            }
            self.is_starting().map(|_| None)
        });
        match listening.await {
            Ok(url) => Ok(url),
            Err(error) => Err(error.context(self.transcript.to_string())),
        }
    }

    /// What it has printed.
    pub(crate) const fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// Its number, while it is running.
    pub(crate) fn id(&self) -> Result<u32> {
        self.child.id().context("the gateway is not running")
    }

    /// What it has in memory, as Linux tells it.
    pub(crate) fn memory(&self) -> Result<Memory> {
        let path = format!("/proc/{}/status", self.id()?);
        let status = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|line| line.trim_end_matches("kB").trim().parse::<u64>().ok());
            kib.map(|kib| kib * 1024)
                .with_context(|| format!("{path} has no {name}"))
        };
        Ok(Memory {
            now: bytes("VmRSS:")?,
            peak: bytes("VmHWM:")?,
        })
    }

    /// The processor time it has taken, in seconds.
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        let path = format!("/proc/{}/stat", self.id()?);
        let stat = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        // After the name, which may hold anything: the 12th and the 13th field are the times in user and in system mode.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u32>);
        let ticks = ticks
            .sum::<Result<u32, _>>()
            .with_context(|| format!("{path} says {stat:?}"))?;
        // Linux tells programs hundredths of a second, whatever it counts in itself.
        Ok(f64::from(ticks) / 100.0)
    }

    /// Stops it in the middle of whatever it does, and it does not know; or lets it go on.
    pub(crate) fn freeze(&self, is_frozen: bool) -> Result<()> {
        self.send(if is_frozen { Signal::STOP } else { Signal::CONT })
    }

    /// Whether it runs, for who waits for it to begin; not, while its last words are still to be read.
    ///
    /// # Errors
    /// It has ended; with its words.
    pub(crate) fn is_starting(&mut self) -> Result<bool> {
        match self.child.try_wait()? {
            None => Ok(true),
            Some(status) if self.transcript.is_complete() => {
                bail!("it ended with {status}; {}", self.transcript)
            }
            Some(_) => Ok(false),
        }
    }

    /// An error where it has ended, with its words where this test did not end it.
    pub(crate) fn ensure_running(&mut self) -> Result<()> {
        self.id()?;
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!(
                "the gateway has ended with {status}, and not by this test; {}",
                self.transcript
            ),
        }
    }

    /// Sends the signal, and waits for the end.
    pub(crate) async fn signal(&mut self, signal: Signal) -> Result<ExitStatus> {
        self.send(signal)?;
        match timeout(STOP, self.child.wait()).await {
            Ok(status) => Ok(status?),
            Err(_) => bail!(
                "the gateway has not ended within {STOP:?} of {signal:?}; {}",
                self.transcript
            ),
        }
    }

    /// Sends the signal.
    pub(crate) fn send(&self, signal: Signal) -> Result<()> {
        let pid = Pid::from_raw(i32::try_from(self.id()?)?).context("no process has the id 0")?;
        Ok(kill_process(pid, signal)?)
    }
}

/// What a process has in memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Now.
    pub now: u64,
    /// At most since its start.
    pub peak: u64,
}

/// The address in the line with which a gateway says where it listens.
fn address(line: &str) -> Option<String> {
    let (_, from) = line.split_once("listening on ")?;
    let url = from.split_whitespace().next()?;
    let is_address = url.starts_with("http://") || url.starts_with("https://");
    is_address.then(|| url.to_owned())
}
