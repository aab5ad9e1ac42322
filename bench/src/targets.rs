//! [`Target`]: who is measured, and how one is started.

mod express;
pub(crate) mod floor;
mod gateway;
mod nchan;

pub(crate) use nchan::program as nginx;

use std::{os::unix::process::CommandExt as _, process::Command};

use anyhow::Result;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::server::Server;

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// The gateway as it comes, with records on disk.
    Gateway,
    /// With records in memory only.
    GatewayMemory,
    /// With records on disk for certain before they are acknowledged.
    GatewayFsync,
    /// As it comes, without write pacing.
    GatewayUnpaced,
    /// The bare loop, with a write for every record and reader.
    FloorOneWrite,
    /// The bare loop, with everything that is pending in one write.
    FloorBatched,
    /// nginx with nchan, its buffer on.
    Nchan,
    /// The SSE gateway that people write first, in Node.js with Express.
    Express,
}

/// How a target is started.
#[derive(Debug)]
pub struct Setup {
    /// The core that it has for itself; none where there is only one.
    pub core: Option<usize>,
    /// For its files: of one that ran before it may have what was kept.
    pub folder: TempDir,
}

impl Setup {
    /// This program, on the core that is the server's, with what it starts in a group by itself. It is ended where whoever starts it
    /// is gone, however that came.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM"]).process_group(0);
        if let Some(core) = self.core {
            command.args(["taskset", "-c", &core.to_string()]);
        }
        command.arg(program);
        command
    }
}

impl Target {
    /// As it is called on the command line.
    #[must_use]
    pub fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Starts it, and waits until it answers.
    ///
    /// # Errors
    ///
    /// Where it cannot be started, or does not answer within some seconds.
    pub fn start(self, setup: Setup) -> Result<Server> {
        match self {
            Self::Gateway | Self::GatewayMemory | Self::GatewayFsync | Self::GatewayUnpaced => {
                gateway::start(self, setup)
            }
            Self::FloorOneWrite => floor::start("one-write", setup),
            Self::FloorBatched => floor::start("batched", setup),
            Self::Nchan => nchan::start(setup),
            Self::Express => express::start(setup),
        }
    }
}
