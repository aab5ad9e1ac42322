//! The settings that the files in `deploy/` have, each set of them given to a real gateway.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};

use super::{redis::Redis, shared};
use crate::{process, running::Running, step::Step, workspace::Workspace};

/// What finds them.
const FINDER: &str = "xtask/src/deploy/environments.py";
/// What a person fills in. None of it opens anything: these gateways listen on this machine only, and for a moment.
pub(super) const FILLED_IN: [(&str, &str); 6] = [
    (
        "SERVICE_TOKENS",
        "a-token-that-somebody-made-up=etl,faas@workspace123",
    ),
    ("ADMIN_TOKEN", "another-one-that-somebody-made-up"),
    ("AUTH", "jwt"),
    ("JWT_SECRET", "a-secret-of-more-than-thirty-two-bytes"),
    ("ALLOWED_ORIGINS", "https://app.example.com"),
    ("REDIS_PASSWORD", "one-more-that-somebody-made-up"),
];
/// How Compose calls Redis.
const REDIS: &str = "@redis:6379";
/// The environment of the gateways that share it behind a load balancer.
const SHARED: &str = "compose_redis";
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
    let command = process::output(workspace.program(python).args([FINDER, "deploy", "redis"]))?;
    let redis = Redis::start(&workspace.target("deploy/redis"), &command)?;
    for environment in &found {
        let context = || format!("the settings of {}", environment.name);
        clear(&dir).with_context(context)?;
        let variables = settings(environment, &help, &dir, &redis).with_context(context)?;
        one(variables, &dir, binary).with_context(context)?;
    }
    let names: Vec<&str> = found.iter().map(|environment| environment.name).collect();
    step.done_with(names.join(", "));

    let step = Step::start("Trying gateways that share Redis behind a load balancer");
    let shared = found.iter().find(|environment| environment.name == SHARED);
    let shared = shared.context("nobody shares Redis")?;
    clear(&dir)?;
    let variables = settings(shared, &help, &dir, &redis)?;
    shared::check(workspace, binary, &dir, &variables, redis)?;
    step.done();
    fs::remove_dir_all(dir).context("cannot remove what they left")
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

/// An empty folder but for the files that settings name.
fn clear(dir: &Path) -> Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir).context("cannot remove what is left of the last one")?;
    }
    fs::create_dir_all(dir).context("cannot make a folder")?;
    fs::write(dir.join("service-tokens"), FILLED_IN[0].1)?;
    fs::write(dir.join("jwks.json"), KEYS).context("cannot write keys")
}

/// The variables as they would be here.
///
/// # Errors
/// One is no setting, or nobody knows what to fill in.
fn settings<'a>(
    environment: &Environment<'a>,
    help: &str,
    dir: &Path,
    redis: &Redis,
) -> Result<Vec<(&'a str, String)>> {
    let mut variables = Vec::new();
    for (name, value) in &environment.variables {
        // With its value, where that is no secret.
        let is_setting = ["=", "]"]
            .iter()
            .any(|end| help.contains(&format!("[env: {name}{end}")));
        ensure!(is_setting, "{name} is no setting");
        let value = match value {
            Some(value) => (*value).to_owned(),
            None if *name == "REDIS_URL" => format!("redis://:${{REDIS_PASSWORD}}{REDIS}"),
            None => filled_in(name)
                .with_context(|| format!("nobody knows what {name} may be"))?
                .to_owned(),
        };
        let value = FILLED_IN.iter().fold(value, |value, (name, filled_in)| {
            value.replace(&format!("${{{name}}}"), filled_in)
        });
        let value = value.replace(FILES, &dir.to_string_lossy());
        variables.push((*name, value.replace(REDIS, &format!("@{}", redis.address()))));
    }
    Ok(variables)
}

/// What a person would have put there.
pub(super) fn filled_in(name: &str) -> Option<&'static str> {
    let known = FILLED_IN.iter().find(|(known, _)| *known == name);
    known.map(|(_, value)| *value)
}

fn one(variables: Vec<(&str, String)>, dir: &Path, binary: &Path) -> Result<()> {
    let gateway = Running::start(binary, dir, variables)?;
    let mut health = Command::new(binary);
    process::output(health.args(["health", "--url", gateway.url()]))?;
    gateway.stop()
}
