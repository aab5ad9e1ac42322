//! nginx, for the test of the configuration in `examples/nginx`.

use std::path::Path;

use anyhow::{Result, bail};

use crate::{debian, process, step::Step, workspace::Workspace};

/// Debian's package. Where services are started on installation, it is from then on one on port 80, which no test needs.
const PACKAGES: [&str; 1] = ["nginx"];
/// Where Debian has the program, which is not in everybody's `PATH`.
const PROGRAMS: [&str; 2] = ["/usr/sbin/nginx", "nginx"];

/// Makes sure that nginx is there, installing it where this is allowed.
pub(crate) fn ensure(workspace: &Workspace) -> Result<()> {
    let step = Step::start("Checking nginx");
    let by_hand = format!(
        "the end-to-end tests need nginx. On Debian:\n\n  sudo apt-get update && sudo apt-get install {}",
        PACKAGES.join(" ")
    );
    if !is_there(workspace)? {
        debian::install(workspace, &PACKAGES, &by_hand)?;
    }
    if !is_there(workspace)? {
        bail!("{by_hand}");
    }
    step.done();
    Ok(())
}

fn is_there(workspace: &Workspace) -> Result<bool> {
    for program in PROGRAMS {
        if Path::new(program).is_file() || process::version(workspace.program(program).arg("-v"))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
