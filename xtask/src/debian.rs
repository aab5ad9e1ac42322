//! Programs that Debian has, and the tests or measurements need.

use std::path::Path;

use anyhow::{Result, bail};

use crate::{process, step::Step, workspace::Workspace};

/// A program that is started, or a part of one, and the package it is in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program {
    /// As it is typed.
    pub(crate) name: &'static str,
    /// Where Debian has it, where that is not in everybody's `PATH`.
    pub(crate) path: &'static str,
    /// What it comes with. A service that comes along may be started on installation; no test needs its port.
    pub(crate) packages: &'static [&'static str],
}

impl Program {
    /// Makes sure that the program is there, installing it where this is allowed.
    pub(crate) fn ensure(self, workspace: &Workspace) -> Result<()> {
        let step = Step::start(format!("Checking {}", self.name));
        let by_hand = format!(
            "{} is needed. On Debian:\n\n  sudo apt-get update && sudo apt-get install {}",
            self.name,
            self.packages.join(" ")
        );
        if !self.is_there(workspace)? {
            install(workspace, self.packages, &by_hand)?;
        }
        if !self.is_there(workspace)? {
            bail!("{by_hand}");
        }
        step.done();
        Ok(())
    }

    fn is_there(self, workspace: &Workspace) -> Result<bool> {
        Ok(Path::new(self.path).is_file()
            || process::version(workspace.program(self.name).arg("--version"))?.is_some())
    }
}

/// Installs these packages where this is allowed without asking anybody; otherwise an error with `by_hand`, which says
/// what a person has to do.
pub(crate) fn install(workspace: &Workspace, packages: &[&str], by_hand: &str) -> Result<()> {
    if process::version(workspace.program("apt-get").arg("--version"))?.is_none() {
        bail!("{by_hand}");
    }
    let sudo: &[&str] = match process::output(workspace.program("id").arg("-u")) {
        Ok(user) if user.trim() == "0" => &[],
        // Without a password or not at all: a test run must not stop and ask for one.
        _ if process::output(workspace.program("sudo").args(["--non-interactive", "true"])).is_ok() => {
            &["sudo", "--non-interactive"]
        }
        _ => bail!("{by_hand}"),
    };
    let apt = |args: &[&str]| {
        let words = [sudo, &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"], args].concat();
        process::run(workspace.program(words[0]).args(&words[1..]))
    };
    apt(&["update", "--quiet"])?;
    apt(&[
        &["install", "--yes", "--quiet", "--no-install-recommends"],
        packages,
    ]
    .concat())
}
