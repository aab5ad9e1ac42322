//! [`Scene`]: a gateway, nginx in front of it, and what doctor says of both.

use std::{process::Output, time::Duration};

use anyhow::{Context, Result, ensure};
use logs_e2e::{Nginx, TestGateway};
use serde::Deserialize;
use tokio::{process::Command, time::timeout};

const PATIENCE: Duration = Duration::from_secs(120);
/// The gateway's heartbeat, and how long a quiet stream is watched.
pub(crate) const HEARTBEAT_MS: &str = "1500";
pub(crate) const IDLE: [&str; 2] = ["--idle", "4s"];

/// Nothing is published without a token.
pub(crate) const PRODUCTION: [(&str, &str); 3] = [
    ("NODE_ENV", "production"),
    ("LOG_FORMAT", "text"),
    ("AUTH", "open"),
];

/// A gateway whose heartbeat is short.
pub(crate) async fn gateway(settings: &[(&str, &str)]) -> Result<TestGateway> {
    let all = [&[("HEARTBEAT_MS", HEARTBEAT_MS)], settings].concat();
    TestGateway::start_with(&all).await
}

/// nginx that leads everything to what is at this address, with these directives in its location, and these beside it.
pub(crate) async fn nginx(upstream: &str, location: &str, server: &str) -> Result<Nginx> {
    let version = if location.contains("proxy_http_version") {
        ""
    } else {
        "proxy_http_version 1.1;"
    };
    let config = format!(
        "limit_conn_zone $binary_remote_addr zone=one:1m;\n\
         server {{\nlisten {address};\n{server}\nlocation / {{\nproxy_pass {upstream};\n{version}\n\
         proxy_set_header Connection \"\";\n{location}\n}}\n}}",
        address = Nginx::ADDRESS,
    );
    Nginx::start(&config).await
}

/// What doctor says.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) report: Report,
    /// All of it, to look for words in.
    pub(crate) text: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    pub(crate) exit: i32,
    pub(crate) verdict: Vec<String>,
    pub(crate) hops: Vec<Hop>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Hop {
    pub(crate) findings: Vec<Finding>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Finding {
    pub(crate) check: String,
    pub(crate) status: String,
    pub(crate) seen: String,
    #[serde(default)]
    pub(crate) change: String,
    #[serde(default)]
    pub(crate) from_behind: bool,
}

impl Said {
    /// What is not as it should be: hop, check and status, and not what a hop only passes on.
    pub(crate) fn faults(&self) -> Vec<(usize, &str, &str)> {
        let hops = self.report.hops.iter().enumerate();
        let all = hops.flat_map(|(hop, report)| report.findings.iter().map(move |finding| (hop, finding)));
        all.filter(|(_, finding)| !finding.from_behind && !matches!(&*finding.status, "ok" | "skipped"))
            .map(|(hop, finding)| (hop, &*finding.check, &*finding.status))
            .collect()
    }

    /// The finding of a check at a hop.
    pub(crate) fn finding(&self, hop: usize, check: &str) -> Result<&Finding> {
        let mut findings = self.report.hops[hop].findings.iter();
        findings
            .find(|finding| finding.check == check)
            .with_context(|| format!("no {check}: {}", self.text))
    }

    /// This one fault and no other, with these words in what was seen and in what to change.
    pub(crate) fn names_only(&self, hop: usize, check: &str, seen: &str, change: &str) -> Result<()> {
        assert_eq!(self.faults(), [(hop, check, "fail")], "{}", self.text);
        assert_eq!(self.code, 1, "{}", self.text);
        let finding = self.finding(hop, check)?;
        ensure!(finding.seen.contains(seen), "{finding:?}");
        ensure!(finding.change.contains(change), "{finding:?}");
        Ok(())
    }

    /// Nothing is wrong.
    pub(crate) fn is_well(&self) {
        assert_eq!(self.faults(), [], "{}", self.text);
        assert_eq!(
            (self.code, &*self.report.verdict[0]),
            (0, "All well."),
            "{}",
            self.text
        );
    }
}

/// Asks doctor. `arguments` begin with the address.
pub(crate) async fn doctor(gateway: &TestGateway, arguments: &[&str]) -> Result<Said> {
    let arguments = [&["doctor", "--json"], &IDLE[..], arguments].concat();
    let mut command = gateway.command(&arguments);
    command.env_remove("LOGS_GATEWAY_TOKEN");
    run(command).await
}

/// Runs such a command.
pub(crate) async fn run(mut command: Command) -> Result<Said> {
    let output: Output = timeout(PATIENCE, command.output())
        .await
        .context("doctor does not end")??;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    let report: Report = serde_json::from_str(&text).with_context(|| format!("{text}{errors}"))?;
    let code = output.status.code().context("it was killed")?;
    assert_eq!(report.exit, code);
    Ok(Said { code, report, text })
}
