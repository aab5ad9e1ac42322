//! `api`: the gateway held against what `/openapi.json` says of it, by requests that schemathesis thinks of.

use std::{
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Stdio},
    thread,
};

use anyhow::{Context, Result, bail};

use crate::{
    gateway::{self, Profile},
    page::Page,
    process, python, setup,
    step::Step,
    workspace::Workspace,
};

/// Schemathesis and everything that it needs, each in one version: the same seed then thinks of the same requests.
const REQUIREMENTS: &str = "xtask/src/api/requirements.txt";
/// What schemathesis does not know about the gateway.
const HOOKS: &str = "xtask/src/api";
/// Of each operation; about half a minute in all.
const EXAMPLES: &str = "200";
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";
const SERVICE_TOKEN: &str = "api-service-token";
const ADMIN_TOKEN: &str = "api-admin-token";

/// Starts a gateway, and has every operation asked for in many ways, right and wrong.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    setup::run(workspace)?;
    let tools = python::venv(workspace, "schemathesis", REQUIREMENTS)?;
    let page = Page::build(workspace)?;
    let binary = gateway::build(workspace, Profile::Release, &page)?;

    let step = Step::start("Holding the gateway against its description");
    let mut gateway = Gateway::start(workspace, &binary)?;
    let url = &gateway.url;
    process::run(
        workspace
            .program(tools.join("bin/schemathesis"))
            .arg("run")
            .arg(format!("{url}/openapi.json"))
            .args(["--checks", CHECKS, "--max-examples", EXAMPLES, "--seed", "1"])
            .args(["--phases", "examples,coverage,fuzzing", "--request-timeout", "10"])
            .args(["--generation-database", "none", "--warnings", "off"])
            .args(["--header", &format!("X-Service-Token: {SERVICE_TOKEN}")])
            .args(["--header", &format!("Authorization: Bearer {ADMIN_TOKEN}")])
            .env("LOGS_GATEWAY_URL", url)
            .env("SCHEMATHESIS_HOOKS", "hooks")
            .env("PYTHONPATH", workspace.source(HOOKS))
            .env("PYTHONDONTWRITEBYTECODE", "1"),
    )?;
    if let Some(status) = gateway.process.try_wait()? {
        bail!("the gateway did not survive it: {status}");
    }
    step.done();
    Ok(())
}

/// A gateway that ends with this value.
struct Gateway {
    process: Child,
    url: String,
}

impl Gateway {
    /// One that keeps nothing, on a free port.
    fn start(workspace: &Workspace, binary: &Path) -> Result<Self> {
        let mut process = workspace
            .program(binary)
            .env_clear()
            .envs(env::var_os("PATH").map(|path| ("PATH", path)))
            .envs([
                ("HOST", "127.0.0.1"),
                ("PORT", "0"),
                ("STORE", "memory"),
                ("LOG_LEVEL", "warn"),
            ])
            .env("SERVICE_TOKENS", format!("{SERVICE_TOKEN}=*"))
            .env("ADMIN_TOKEN", ADMIN_TOKEN)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the gateway")?;
        let said = process.stdout.take().context("the gateway has no output")?;
        let mut lines = BufReader::new(said).lines().map_while(Result::ok);
        let url = lines.find_map(|line| address(&line));
        // It has more to say, and would fail where nobody listens.
        thread::spawn(move || lines.for_each(drop));
        let Some(url) = url else {
            bail!(
                "the gateway ended without having said where it listens: {}",
                process.wait()?
            );
        };
        Ok(Self { process, url })
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It is gone either way.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The address that a line names.
fn address(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    words.find(|word| word.starts_with("http://")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_what_the_gateway_says() {
        let said = "listening on http://127.0.0.1:4000 and every other address of this machine";
        assert_eq!(address(said).as_deref(), Some("http://127.0.0.1:4000"));
        assert_eq!(address("Logs SSE Gateway 0.1.0"), None);
    }
}
