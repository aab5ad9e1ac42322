//! [`Place`]: where server and load are.

use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::sched_getaffinity;
use tempfile::TempDir;

use crate::load::{Spec, Step};
use crate::outcome::Outcome;
use crate::server::Server;
use crate::targets::{Setup, Target};

/// About how long a record's message is.
const RECORD_BYTES: usize = 100;

/// The core of the server and that of the load; none where there is but one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    server: Option<usize>,
    load: Option<usize>,
}

impl Place {
    pub(super) fn find() -> Result<Self> {
        let set = sched_getaffinity(None)?;
        let mut cores = (0..1024).filter(|core| set.is_set(*core));
        let (server, load) = (cores.next(), cores.next());
        Ok(Self {
            server: load.and(server),
            load,
        })
    }

    pub(super) fn start(self, target: Target, folder: TempDir) -> Result<Server> {
        target.start(Setup {
            core: self.server,
            folder,
        })
    }

    /// Lets a load generator do these steps, where each lane has so many records already.
    pub(super) fn load(self, server: &Server, steps: Vec<Step>, published: u64) -> Result<Vec<Outcome>> {
        let spec = Spec {
            wire: server.wire.clone(),
            pids: server.pids.clone(),
            record_bytes: RECORD_BYTES,
            published,
            quiet_ms: 3000,
            steps,
        };
        let program = std::env::current_exe()?;
        let mut command = match self.load {
            Some(core) => {
                let mut command = Command::new("taskset");
                command.args(["-c", &core.to_string()]).arg(program);
                command
            }
            None => Command::new(program),
        };
        let mut child = command
            .arg("load")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut input = child.stdin.take().context("no way to tell the load generator")?;
        input.write_all(&serde_json::to_vec(&spec)?)?;
        drop(input);
        let output = child.wait_with_output()?;
        ensure!(
            output.status.success(),
            "the load generator ended with {}",
            output.status
        );
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

/// As many files as the system gives, for this process and those it starts.
pub(super) fn raise_limit() -> Result<()> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit {
        current: maximum,
        maximum,
    };
    Ok(setrlimit(Resource::Nofile, limit)?)
}
