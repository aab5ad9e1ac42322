//! `api`: the gateway held against what `/openapi.json` says of it, by requests that schemathesis thinks of.

use anyhow::Result;

use crate::{
    gateway::{self, Profile},
    page::Page,
    process, python,
    running::Running,
    setup,
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
    let variables = [
        ("STORE", "memory".to_owned()),
        ("LOG_LEVEL", "warn".to_owned()),
        ("SERVICE_TOKENS", format!("{SERVICE_TOKEN}=*")),
        ("ADMIN_TOKEN", ADMIN_TOKEN.to_owned()),
    ];
    let mut gateway = Running::start(&binary, &workspace.target("api"), variables)?;
    let url = gateway.url();
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
    gateway.ensure_running()?;
    step.done();
    Ok(())
}
