//! [`start_again`]: a test in a process that sees less of the machine.

use std::{
    env,
    ffi::OsStr,
    process::{Command, Output},
};

use anyhow::{Context, Result, ensure};

/// Starts this test program again with namespaces of its own, as `unshare` makes them of `kinds` (`--mount`, `--net`, …), for
/// the test named `test` alone and with one more environment variable. Gives what it printed on stdout.
///
/// # Errors
/// The test fails there, it does not exist, or there can be no such process; then this says what would help.
pub fn start_again(kinds: &[&str], test: &str, variable: (&str, &OsStr)) -> Result<String> {
    let mut unshare = Command::new("unshare");
    unshare.args(kinds);
    if !rustix::process::geteuid().is_root() {
        unshare.args(["--user", "--map-root-user"]);
    }
    let Output {
        status,
        stdout,
        stderr,
    } = unshare
        .arg("--")
        .arg(env::current_exe()?)
        .args(["--exact", test, "--nocapture"])
        .env(variable.0, variable.1)
        .output()
        .context("this test needs the program unshare, from util-linux")?;
    let (out, err) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    let is_refused = ["unshare: ", "mount: "]
        .iter()
        .any(|program| err.contains(program));
    let advice = if is_refused {
        "\nrun the test as root, or allow user namespaces"
    } else {
        ""
    };
    ensure!(
        status.success(),
        "{test} in a process of {}: {status}\n{out}{err}{advice}",
        kinds.join(" ")
    );
    ensure!(out.contains("1 passed"), "there is no test {test}: {out}");
    Ok(out.into_owned())
}
