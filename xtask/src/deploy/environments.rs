//! The settings that the files in `deploy/` have, each set of them given to a real gateway.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};

use crate::{process, running::Running, step::Step, workspace::Workspace};

/// What finds them.
const FINDER: &str = "xtask/src/deploy/environments.py";
/// What a person fills in. None of it opens anything: these gateways listen on this machine only, and for a moment.
const FILLED_IN: [(&str, &str); 5] = [
    (
        "SERVICE_TOKENS",
        "a-token-that-somebody-made-up=etl,faas@workspace123",
    ),
    ("ADMIN_TOKEN", "another-one-that-somebody-made-up"),
    ("AUTH", "jwt"),
    ("JWT_SECRET", "a-secret-of-more-than-thirty-two-bytes"),
    ("ALLOWED_ORIGINS", "https://app.example.com"),
];
/// Where files of the settings are, in a container.
const FILES: &str = "/etc/logs-gateway";
/// The public key of RFC 8037, appendix A.2, as whoever signs tokens would publish it.
const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"one","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

/// The variables of one file.
struct Environment<'a> {
    name: &'a str,
    /// Each with its value; without one where a person is to fill it in.
    variables: Vec<(&'a str, Option<&'a str>)>,
}

/// Starts a gateway with each of the environments: all their variables are settings, it becomes ready by its own word, and it
/// stops politely.
pub(super) fn check(workspace: &Workspace, python: &Path, binary: &Path) -> Result<()> {
    let step = Step::start("Starting the gateway with the settings of each deployment");
    let found = process::output(workspace.program(python).args([FINDER, "deploy"]))?;
    let found = environments(&found)?;
    let help = process::output(workspace.program(binary).arg("--help"))?;
    // It is wrapped, anywhere.
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let dir = workspace.target("deploy/gateway");
    for environment in &found {
        one(environment, &help, &dir, binary)
            .with_context(|| format!("the settings of {}", environment.name))?;
    }
    let names: Vec<&str> = found.iter().map(|environment| environment.name).collect();
    step.done_with(names.join(", "));
    Ok(())
}

/// What the finder says, a file at a time.
fn environments(found: &str) -> Result<Vec<Environment<'_>>> {
    let mut environments: Vec<Environment<'_>> = Vec::new();
    for line in found.lines() {
        let mut parts = line.splitn(3, '\t');
        let (file, name) = parts
            .next()
            .zip(parts.next())
            .context("a line without a variable")?;
        let variable = (name, parts.next());
        match environments.last_mut().filter(|last| last.name == file) {
            Some(environment) => environment.variables.push(variable),
            None => environments.push(Environment {
                name: file,
                variables: vec![variable],
            }),
        }
    }
    ensure!(!environments.is_empty(), "no file has any settings");
    Ok(environments)
}

fn one(environment: &Environment<'_>, help: &str, dir: &Path, binary: &Path) -> Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir).context("cannot remove what is left of the last one")?;
    }
    fs::create_dir_all(dir).context("cannot make a folder")?;
    fs::write(dir.join("service-tokens"), FILLED_IN[0].1)?;
    fs::write(dir.join("jwks.json"), KEYS)?;
    let mut variables = Vec::new();
    for (name, value) in &environment.variables {
        // With its value, where that is no secret.
        let is_setting = ["=", "]"]
            .iter()
            .any(|end| help.contains(&format!("[env: {name}{end}")));
        ensure!(is_setting, "{name} is no setting");
        let filled_in = || {
            FILLED_IN
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| *value)
        };
        let value = value.or_else(filled_in);
        let value = value.with_context(|| format!("nobody knows what {name} may be"))?;
        variables.push((*name, value.replace(FILES, &dir.to_string_lossy())));
    }
    let gateway = Running::start(binary, dir, variables)?;
    let mut health = Command::new(binary);
    process::output(health.args(["health", "--url", gateway.url()]))?;
    gateway.stop()?;
    fs::remove_dir_all(dir).context("cannot remove its folder")
}
