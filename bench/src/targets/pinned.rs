//! A server's process: on a core of its own, and gone with whoever started it.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{CpuSet, sched_getaffinity},
};

/// Far more than any of them takes to start.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
const AGAIN: Duration = Duration::from_millis(20);

/// A command that runs `program` on the first core that this process may use, in a group of processes by itself, and that is ended
/// by the system where whoever started it dies.
///
/// # Errors
/// The system does not say on which cores this process may run.
pub(crate) fn command(program: &str) -> Result<Command> {
    let allowed = sched_getaffinity(None).context("cannot tell on which cores this process may run")?;
    let core = (0..CpuSet::MAX_CPU)
        .find(|core| allowed.is_set(*core))
        .context("there is no core")?;
    let mut command = Command::new("setpriv");
    command
        .args([
            "--pdeathsig",
            "TERM",
            "taskset",
            "--cpu-list",
            &core.to_string(),
            program,
        ])
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .stdin(Stdio::null())
        .process_group(0);
    Ok(command)
}

/// How many files a process may have open, from now on as many as it can be given without being root. What it starts inherits that.
///
/// # Errors
/// The system does not let it have them.
pub(crate) fn files() -> Result<u64> {
    /// More is of no use here, and some programs make room for each.
    const ENOUGH: u64 = 65_536;
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(ENOUGH).min(ENOUGH);
    let wanted = limit.current.map_or(most, |current| current.max(most));
    let raised = Rlimit {
        current: Some(wanted),
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).context("cannot raise the limit of open files")?;
    Ok(most)
}

/// An address of this machine that nobody listens on.
///
/// # Errors
/// There is none.
pub(crate) fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("there is no free port")?;
    Ok(listener.local_addr()?)
}

/// Waits until somebody listens at the address.
///
/// # Errors
/// The process ends before, or takes too long: what it `said` goes with it.
pub(crate) fn wait_for(child: &mut Child, address: SocketAddr, said: impl Fn() -> String) -> Result<()> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            bail!("it ended: {status}\n{}", said());
        }
        if TcpStream::connect(address).is_ok() {
            return Ok(());
        }
        ensure!(
            started.elapsed() < PATIENCE,
            "it does not listen on {address}\n{}",
            said()
        );
        thread::sleep(AGAIN);
    }
}
