//! `deploy`: what `deploy/` has, held against the schema or linter of whoever reads it, and its settings given to a gateway.

mod beside;
mod environments;
mod redis;
mod shared;

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};

use crate::{
    debian::Program,
    gateway::{self, Profile},
    page::Page,
    process, python, setup,
    step::Step,
    test::{HAPROXY, REDIS},
    workspace::Workspace,
};

/// The linters, each in one version.
const REQUIREMENTS: &str = "xtask/src/deploy/requirements.txt";
const SYSTEMD: Program = Program {
    name: "systemd-analyze",
    path: "/usr/bin/systemd-analyze",
    packages: &["systemd"],
};
const BALANCER: &str = "deploy/compose/haproxy.cfg";
/// Of systemd's scale from 0 (nothing is left that could be taken away) to 10, times ten.
const EXPOSURE: &str = "15";
const UNIT: &str = "deploy/systemd/logs-gateway.service";
/// What they have in common, and the two that are applied.
const KUBERNETES: [&str; 3] = [
    "deploy/kubernetes/base",
    "deploy/kubernetes/disk",
    "deploy/kubernetes/redis",
];
const COMPOSE: [&str; 2] = ["deploy/compose/gateway.yml", "deploy/compose/redis.yml"];

/// Checks every file, then starts a gateway with each of the environments.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    setup::run(workspace)?;
    for program in [SYSTEMD, HAPROXY, REDIS] {
        program.ensure(workspace)?;
    }
    let tools = python::venv(workspace, "deploy", REQUIREMENTS)?;
    let tool = |name: &str| workspace.program(tools.join("bin").join(name));

    let step = Step::start("Checking what the gateway is deployed with");
    process::run(tool("yamllint").args(["--strict", "--config-file", "deploy/.yamllint.yml", "deploy"]))?;
    process::run(tool("hadolint").arg("deploy/Dockerfile"))?;
    process::run(
        tool("check-jsonschema")
            .args(["--builtin-schema", "vendor.compose-spec"])
            .args(COMPOSE),
    )?;
    for folder in KUBERNETES {
        for file in manifests(workspace, folder)? {
            process::output(tool("kubernetes-validate").arg("--strict").arg(file))?;
        }
    }
    process::output(tool("python").args(["-m", "json.tool", "deploy/railway/railway.json"]))?;
    balancer(workspace)?;
    step.done();

    let page = Page::build(workspace)?;
    let binary = gateway::build(workspace, Profile::Release, &page)?;
    let step = Step::start("Checking the unit of systemd");
    unit(workspace, &binary)?;
    step.done();

    environments::check(workspace, &tools.join("bin/python"), &binary)
}

/// The manifests that the folder's kustomization lists, which must be all that there are beside what is common to all.
fn manifests(workspace: &Workspace, folder: &str) -> Result<Vec<String>> {
    let list = format!("{folder}/kustomization.yaml");
    let text = fs::read_to_string(workspace.source(&list)).with_context(|| format!("cannot read {list}"))?;
    let listed = text.lines().filter_map(|line| line.strip_prefix("  - "));
    let listed = listed.filter(|name| *name != "../base");
    let mut listed: Vec<String> = listed.map(str::to_owned).collect();
    listed.sort();
    let mut there = Vec::new();
    for entry in fs::read_dir(workspace.source(folder))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name != "kustomization.yaml" {
            there.push(name);
        }
    }
    there.sort();
    if listed != there {
        bail!("{list} lists {listed:?}, and beside it are {there:?}");
    }
    Ok(there.into_iter().map(|name| format!("{folder}/{name}")).collect())
}

/// As far as HAProxy can tell without the gateways' names.
fn balancer(workspace: &Workspace) -> Result<()> {
    let checked = ["-c", "-q", "-f", BALANCER];
    process::output(workspace.program(HAPROXY.path).args(checked)).map(drop)
}

/// Whether systemd understands the unit, and how much of the machine it leaves to the gateway.
fn unit(workspace: &Workspace, binary: &Path) -> Result<()> {
    let text = fs::read_to_string(workspace.source(UNIT)).with_context(|| format!("cannot read {UNIT}"))?;
    // It is not installed here.
    let here = text.replace("/usr/local/bin/logs-gateway", &binary.to_string_lossy());
    let dir = workspace.target("deploy");
    fs::create_dir_all(&dir).context("cannot make a folder for the unit")?;
    let path = dir.join("logs-gateway.service");
    fs::write(&path, here).with_context(|| format!("cannot write {}", path.display()))?;
    let systemd = || workspace.program(SYSTEMD.path);
    let said = process::output(systemd().args(["verify", "--man=no"]).arg(&path))?;
    if !said.trim().is_empty() {
        bail!("systemd-analyze verify: {said}");
    }
    process::output(
        systemd()
            .args([
                "security",
                "--offline=true",
                "--no-pager",
                "--threshold",
                EXPOSURE,
            ])
            .arg(&path),
    )
    .map(drop)
}
