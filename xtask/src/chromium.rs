//! The browser of the end-to-end tests, and the driver that tells it what to do.

use anyhow::{Result, bail};

use crate::{debian, process, step::Step, workspace::Workspace};

/// Debian's packages. The font has the emoji that the page shows; without it pictures of it show boxes.
const PACKAGES: [&str; 3] = ["chromium", "chromium-driver", "fonts-noto-color-emoji"];

/// Makes sure that a Chromium and its driver are there, installing them where this is allowed.
pub(crate) fn ensure(workspace: &Workspace) -> Result<()> {
    let step = Step::start("Checking the browser");
    if missing(workspace)?.is_some() {
        install(workspace)?;
    }
    match (missing(workspace)?, installed(workspace, "chromedriver")?) {
        (None, Some(version)) => {
            step.done_with(version);
            Ok(())
        }
        (missing, _) => bail!(
            "the end-to-end tests need {}, and it is still not there after `apt-get install`",
            missing.unwrap_or("chromedriver")
        ),
    }
}

/// What is not there, of the browser and its driver.
fn missing(workspace: &Workspace) -> Result<Option<&'static str>> {
    // The driver looks for the browser under more names than these; Debian's and Google's are the usual ones.
    let browsers = ["chromium", "google-chrome", "chromium-browser"];
    let mut found = false;
    for browser in browsers {
        found = found || installed(workspace, browser)?.is_some();
    }
    if !found {
        return Ok(Some("Chromium"));
    }
    Ok(match installed(workspace, "chromedriver")? {
        Some(_) => None,
        None => Some("chromedriver"),
    })
}

fn installed(workspace: &Workspace, program: &str) -> Result<Option<String>> {
    process::version(workspace.program(program).arg("--version"))
}

fn install(workspace: &Workspace) -> Result<()> {
    let by_hand = format!(
        "the end-to-end tests need Chromium and chromedriver. On Debian:\n\n  \
         sudo apt-get update && sudo apt-get install {}\n\n\
         elsewhere, have `chromium` (or `google-chrome`) and a `chromedriver` of the same version in PATH",
        PACKAGES.join(" ")
    );
    debian::install(workspace, &PACKAGES, &by_hand)
}
