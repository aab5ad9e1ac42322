//! Programs that Debian has and the tests need.

use anyhow::{Result, bail};

use crate::{process, workspace::Workspace};

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
