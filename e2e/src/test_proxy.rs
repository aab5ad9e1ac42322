//! [`TestProxy`]: a proxy in front of a gateway, with the configuration that is handed out.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::{
    gateway::{TestGateway, binary},
    gateway_process::{GatewayProcess, Memory},
    nginx::Nginx,
    sign_on::SignOn,
};

/// Where `cargo xtask test` has put what the pages and the Express example are made with.
const WEB: &str = "LOGS_WEB_DIR";
/// What the proxies' routes are below, by default and in the examples.
const PREFIX: &str = "/api/dapadmin/l5-etl/sse/logs";

/// Which program it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// `logs-gateway proxy`, which asks a sign-on.
    Binary,
    /// nginx with `examples/nginx/logs.conf`.
    Nginx,
    /// Node.js with `examples/express/server.js`.
    Express,
}

/// A proxy of one's own on a free port. It ends with this value.
pub struct TestProxy {
    url: String,
    process: GatewayProcess,
    _dir: TempDir,
}

impl TestProxy {
    /// The token that the gateway knows these proxies by.
    pub const TOKEN: &str = "proxy-token";

    /// A proxy in front of this gateway, whose callers this sign-on knows.
    ///
    /// # Errors
    /// The program is not there, or ends or says nothing instead of listening.
    pub async fn start(kind: ProxyKind, gateway: &TestGateway, sign_on: &SignOn) -> Result<Self> {
        let settings = |identity: &[(&str, &str)]| -> Vec<(String, String)> {
            let own = [
                ("SSE_BACKEND_URL", gateway.url("")),
                ("PROXY_TOKEN", Self::TOKEN.to_owned()),
            ];
            let own = own.map(|(name, value)| (name.to_owned(), value));
            let identity = identity
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            own.into_iter().chain(identity).collect()
        };
        let dir = TempDir::new()?;
        let mut process = match kind {
            ProxyKind::Binary => {
                // Where it logs as people read it, the address is found as a gateway's.
                let settings = settings(&[
                    ("NODE_ENV", "production"),
                    ("LOG_FORMAT", "text"),
                    ("PROXY_IDENTITY", "hook"),
                    ("PROXY_IDENTITY_URL", sign_on.url()),
                ]);
                GatewayProcess::spawn(&binary()?, &["proxy".into()], dir.path(), &settings, 0)?
            }
            ProxyKind::Express => {
                let web = env::var_os(WEB);
                let web = web.with_context(|| format!("{WEB} is not set; `cargo xtask test` sets it"))?;
                let program = PathBuf::from(web).join("express/server.js");
                ensure!(program.is_file(), "{} is not there", program.display());
                let settings = settings(&[("NODE_ENV", "production"), ("SIGN_ON_URL", sign_on.url())]);
                GatewayProcess::spawn("node".as_ref(), &[program.into()], dir.path(), &settings, 0)?
            }
            ProxyKind::Nginx => {
                let (url, process, dir) = nginx(gateway, sign_on).await?.into_parts();
                return Ok(Self {
                    url,
                    process,
                    _dir: dir,
                });
            }
        };
        let url = process.listening().await?;
        Ok(Self {
            url,
            process,
            _dir: dir,
        })
    }

    /// The address of a path of this proxy.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The address of one of its routes, such as `stream`.
    #[must_use]
    pub fn route(&self, route: &str) -> String {
        self.url(&format!("{PREFIX}/{route}"))
    }

    /// What it has in memory.
    ///
    /// # Errors
    /// It is not running, or the system does not tell.
    pub fn memory(&self) -> Result<Memory> {
        self.process.memory()
    }
}

/// nginx with the example: of that nothing is changed but what it says to change.
async fn nginx(gateway: &TestGateway, sign_on: &SignOn) -> Result<Nginx> {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/nginx/logs.conf");
    let mut example = fs::read_to_string(&example)?;
    let gateway = gateway.url("");
    let upstream = gateway.strip_prefix("http://").context("another address")?;
    for (from, to) in [
        ("listen 3000;", format!("listen {};", Nginx::ADDRESS)),
        ("server 127.0.0.1:3002;", format!("server {upstream};")),
        (
            "proxy_pass http://127.0.0.1:8080/whoami;",
            format!("proxy_pass {};", sign_on.url()),
        ),
        ("\"change-me\"", format!("\"{}\"", TestProxy::TOKEN)),
    ] {
        ensure!(
            example.matches(from).count() == 1,
            "the example has not one {from:?}"
        );
        example = example.replace(from, &to);
    }
    Nginx::start(&example).await
}
