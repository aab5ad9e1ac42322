//! [`Balancer`]: a load balancer in front of the gateways.

use std::{ffi::OsString, fs, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::{Nginx, deadline::eventually, gateway_process::GatewayProcess, port::Port};

const START: Duration = Duration::from_secs(20);

/// A load balancer on a free port. It ends with this value.
pub struct Balancer {
    url: String,
    _process: GatewayProcess,
    _dir: TempDir,
    _port: Option<Port>,
}

impl Balancer {
    /// haproxy with the configuration that is handed out, in front of the gateways at these addresses. Of that nothing is changed but
    /// the addresses, how many connections there may be and, where it is given, how it chooses.
    ///
    /// # Errors
    /// It is not installed, or does not take the configuration.
    pub async fn haproxy(gateways: &[String], balance: Option<&str>) -> Result<Self> {
        let (port, dir) = (Port::free()?, TempDir::new()?);
        let path = dir.path().join("haproxy.cfg");
        fs::write(&path, haproxy_config(gateways, balance, &port)?)?;
        let debians = Path::new("/usr/sbin/haproxy");
        let program: OsString = if debians.is_file() {
            debians.into()
        } else {
            "haproxy".into()
        };
        let args = ["-db".into(), "-f".into(), path.into_os_string()];
        let mut process = GatewayProcess::spawn(&program, &args, dir.path(), &[], port.number())
            .context("this test needs haproxy, from Debian's package of that name")?;
        let listens = eventually("haproxy listens", START, async || {
            if !process.is_starting()? {
                return Ok(None);
            }
            Ok(TcpStream::connect(port.address()).await.ok())
        });
        listens.await?;
        Ok(Self {
            url: format!("http://{}", port.address()),
            _process: process,
            _dir: dir,
            _port: Some(port),
        })
    }

    /// nginx in front of the gateways at these addresses.
    ///
    /// # Errors
    /// It is not installed, or does not take the configuration.
    pub async fn nginx(gateways: &[String]) -> Result<Self> {
        let servers: Vec<_> = { gateways.iter() }
            .map(|url| Ok(format!("server {};", host(url)?)))
            .collect::<Result<_>>()?;
        // A publication that was sent may be sent again: it has a name.
        let http = format!(
            "upstream gateways {{ least_conn; {} keepalive 16; }}\n\
             server {{ listen {}; client_max_body_size 8m;\n\
             location / {{ proxy_pass http://gateways; proxy_http_version 1.1; proxy_set_header Connection \"\";\n\
             proxy_buffering off; proxy_read_timeout 75s; proxy_connect_timeout 5s;\n\
             proxy_next_upstream error timeout http_503 non_idempotent; }} }}",
            servers.join(" "),
            Nginx::ADDRESS
        );
        let (url, process, dir) = Nginx::start(&http).await?.into_parts();
        Ok(Self {
            url,
            _process: process,
            _dir: dir,
            _port: None,
        })
    }

    /// The address of a path of it.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

/// What is handed out, with other addresses.
fn haproxy_config(gateways: &[String], balance: Option<&str>, port: &Port) -> Result<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/compose/haproxy.cfg");
    let given = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut lines = Vec::new();
    let (mut servers, mut is_listed) = (0, false);
    for line in given.lines() {
        let words = line.trim_start();
        if words.starts_with("backend ") {
            is_listed = false;
        }
        if words == "bind :3002" {
            lines.push(format!("    bind {}", port.address()));
        } else if words.starts_with("balance ") && balance.is_some() {
            lines.extend(balance.map(|balance| format!("    balance {balance}")));
        } else if words.starts_with("maxconn ") {
            // Each takes two files, and a test's process may not have as many as a server's.
            lines.push("    maxconn 4000".to_owned());
        } else if words.starts_with("server gateway-") {
            if !is_listed {
                for (number, url) in gateways.iter().enumerate() {
                    lines.push(format!("    server gateway-{number} {}", host(url)?));
                }
            }
            (servers, is_listed) = (servers + 1, true);
        } else {
            lines.push(line.to_owned());
        }
    }
    let is_bound = lines
        .iter()
        .any(|line| line.trim_start().starts_with("bind 127."));
    ensure!(is_bound && servers > 0, "{} has another shape", path.display());
    Ok(lines.join("\n") + "\n")
}

fn host(url: &str) -> Result<&str> {
    url.strip_prefix("http://").context("another address")
}
