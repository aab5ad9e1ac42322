//! [`Language`]: one of those that there is a publisher for.

use std::{
    env,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::{process::Command, sync::OnceCell};

use super::outcome::{Outcome, Running};
use crate::{TestGateway, gateway::TOKEN};

/// Where `cargo xtask test` has put the Python that the tests use.
const PYTHON: &str = "LOGS_PYTHON";
/// Where it has put what is made of npm packages; they are beside it.
const WEB: &str = "LOGS_WEB_DIR";

/// One of those that there is a publisher for, in `publishers/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// `publishers/rust`.
    Rust,
    /// `publishers/python`.
    Python,
    /// `publishers/node`.
    Node,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rust, Self::Python, Self::Node];

    /// Starts its driver with a plan: `options`, over what reaches this address with a token that may everything, and
    /// `steps`, as `publishers/README.md` has them.
    ///
    /// # Errors
    /// There is no driver, or it cannot be started.
    pub async fn start(self, url: &str, options: Value, steps: Value) -> Result<Running> {
        let mut all = json!({
            "url": url, "token": TOKEN, "service": "etl", "workspace_id": "workspace123", "workflow_id": "workflow456",
        });
        if let (Some(all), Value::Object(options)) = (all.as_object_mut(), options) {
            all.extend(options);
        }
        let plan = json!({ "options": all, "steps": steps });
        let mut command = self.driver().await?;
        command
            .current_dir(env::temp_dir())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let child = command
            .spawn()
            .with_context(|| format!("cannot start the driver of {self}"))?;
        Running::begin(self, child, plan.to_string()).await
    }

    /// As [`Self::start`], straight to this gateway.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_at(self, gateway: &TestGateway, options: Value, steps: Value) -> Result<Running> {
        self.start(&gateway.url(""), options, steps).await
    }

    /// As [`Self::start`], to the end of the driver.
    ///
    /// # Errors
    /// As [`Self::start`] and [`Running::end`].
    pub async fn run(self, url: &str, options: Value, steps: Value) -> Result<Outcome> {
        self.start(url, options, steps).await?.end().await
    }

    /// As [`Self::run`], straight to this gateway.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn run_at(self, gateway: &TestGateway, options: Value, steps: Value) -> Result<Outcome> {
        self.run(&gateway.url(""), options, steps).await
    }

    async fn driver(self) -> Result<Command> {
        let publishers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../publishers");
        let file = |path: &str| -> Result<PathBuf> {
            let file = publishers.join(path);
            ensure!(file.is_file(), "{} is not there", file.display());
            Ok(file)
        };
        let mut command;
        match self {
            Self::Rust => {
                command = own(rust_driver().await?);
            }
            Self::Python => {
                command = own(set_by_xtask(PYTHON)?);
                command
                    .arg(file("python/driver.py")?)
                    .env("PYTHONPATH", publishers.join("python"));
            }
            Self::Node => {
                command = own("node".into());
                command.arg(file("node/driver.js")?);
                // What the publisher is compared with (pino) is among the packages of the tests' pages.
                let web = PathBuf::from(set_by_xtask(WEB)?);
                command.env("NODE_PATH", web.with_file_name("node_modules"));
            }
        }
        Ok(command)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rust => "Rust",
            Self::Python => "Python",
            Self::Node => "Node.js",
        })
    }
}

/// A program with nothing of this process's environment but what finding things takes, and with a proxy that takes nothing.
fn own(program: OsString) -> Command {
    let mut command = Command::new(program);
    let kept = ["PATH", "HOME"]
        .into_iter()
        .filter_map(|name| Some((name, env::var_os(name)?)));
    // A proxy that nobody is to ask: the gateway's token would go to it.
    let proxies =
        ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"].map(|name| (name, "http://127.0.0.1:9"));
    command.env_clear().envs(kept).envs(proxies);
    command
}

fn set_by_xtask(name: &str) -> Result<OsString> {
    env::var_os(name).with_context(|| format!("{name} is not set; `cargo xtask test` sets it"))
}

/// Builds the example `driver` of `logs-publisher`, as optimised as this program is, once in a process.
async fn rust_driver() -> Result<OsString> {
    static BUILT: OnceCell<OsString> = OnceCell::const_new();
    let build = async || {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .args([
                "build",
                "--quiet",
                "--package",
                "logs-publisher",
                "--example",
                "driver",
            ])
            .args(["--message-format", "json"])
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        let output = cargo.output().await.context("cannot start cargo")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "the driver of Rust cannot be built: {said}"
        );
        let messages = String::from_utf8(output.stdout)?;
        let messages = messages
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let driver = messages
            .filter(|message| message["target"]["name"] == "driver")
            .find_map(|message| message["executable"].as_str().map(OsString::from));
        driver.context("cargo does not say where it has put the driver")
    };
    BUILT.get_or_try_init(build).await.cloned()
}
