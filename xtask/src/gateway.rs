//! The gateway, with the page inside.

use std::path::PathBuf;

use anyhow::Result;

use crate::{page::Page, process, step::Step, workspace::Workspace};

/// How the gateway is compiled.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Profile {
    /// Optimised and quickly built.
    Release,
    /// Optimised as a whole, for handing out.
    Dist,
}

impl Profile {
    const fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Dist => "dist",
        }
    }
}

/// Builds the gateway, and gives the binary's path.
pub(crate) fn build(workspace: &Workspace, profile: Profile, page: &Page) -> Result<PathBuf> {
    let step = Step::start("Building the gateway with the page inside");
    process::run(
        workspace
            .cargo()
            .args(["build", "--package", "logs-gateway", "--bin", "logs-gateway"])
            .args(["--profile", profile.name()])
            // The folder's name stays the same whatever is in it: the hash makes cargo look again.
            .env("LOGS_PAGE_DIR", page.dir())
            .env("LOGS_PAGE_HASH", page.hash()),
    )?;
    step.done();
    let binary = format!("logs-gateway{}", std::env::consts::EXE_SUFFIX);
    Ok(workspace.target(profile.name()).join(binary))
}
