//! A real Prometheus that scrapes a real gateway as `deploy/prometheus` says, and the dashboard's queries asked of it.

use std::{fs, process::Stdio, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use logs_e2e::{SseReader, TestGateway, cluster::Redis, eventually};
use logs_shared::api;
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

use super::{CHANNEL, query::metrics, scrape::Scrape, source, text_of};

const PATIENCE: Duration = Duration::from_secs(60);
const ADMIN: &str = "the-admins-own-token";

/// Runs promtool in the folder of the alerts.
async fn promtool(args: &[&str], stdin: &str) -> Result<String> {
    let mut promtool = Command::new("promtool")
        .args(args)
        .current_dir(source("deploy/prometheus"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("promtool, of Debian's package prometheus")?;
    let mut pipe = promtool.stdin.take().context("a pipe")?;
    // What takes no input may have ended.
    let _ = pipe.write_all(stdin.as_bytes()).await;
    drop(pipe);
    let output = timeout(PATIENCE, promtool.wait_with_output()).await??;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    ensure!(output.status.success(), "promtool {args:?}: {said}");
    Ok(said)
}

#[tokio::test]
async fn promtool_finds_nothing_wrong_with_the_figures() -> Result<()> {
    let gateway = TestGateway::start().await?;
    let channel = CHANNEL.parse()?;
    gateway.publish(&channel, json!("m")).await?;
    let scrape = Scrape::of(&gateway).await?;
    let said = promtool(&["check", "metrics"], &scrape.text).await?;
    ensure!(said.trim().is_empty(), "{said}");
    // It would have found something.
    let wrong = scrape
        .text
        .replace("logs_gateway_published_bytes_total", "logs_gateway_published_kb");
    ensure!(promtool(&["check", "metrics"], &wrong).await.is_err());
    Ok(())
}

#[tokio::test]
async fn the_alerts_are_raised_by_what_they_say_and_by_nothing_else() -> Result<()> {
    let said = promtool(&["check", "rules", "alerts.yml"], "").await?;
    ensure!(said.contains("SUCCESS"), "{said}");
    let said = promtool(&["test", "rules", "alerts.test.yml"], "").await?;
    ensure!(said.contains("SUCCESS"), "{said}");
    // Every one is raised there.
    let tested = text_of("deploy/prometheus/alerts.test.yml")?;
    for alert in alerts()? {
        let raised = format!("runbook: docs/OPERATING.md#{}", alert.to_lowercase());
        ensure!(tested.contains(&raised), "nothing raises {alert}");
    }
    Ok(())
}

#[tokio::test]
async fn the_example_of_a_configuration_is_one() -> Result<()> {
    let dir = TempDir::new()?;
    let config = adapted(&dir, &["localhost:1"])?;
    let said = promtool(&["check", "config", config.to_str().context("text")?], "").await?;
    ensure!(said.contains("SUCCESS") && said.contains("rules found"), "{said}");
    Ok(())
}

/// The names of all alerts.
pub(crate) fn alerts() -> Result<Vec<String>> {
    let text = text_of("deploy/prometheus/alerts.yml")?;
    let names = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "));
    let names: Vec<_> = names.map(str::to_owned).collect();
    ensure!(names.len() > 10, "{names:?}");
    Ok(names)
}

/// The configuration of `deploy/`, but for the address, the token's file and how often.
fn adapted(dir: &TempDir, targets: &[&str]) -> Result<std::path::PathBuf> {
    let token = dir.path().join("token");
    fs::write(&token, ADMIN)?;
    fs::copy(
        source("deploy/prometheus/alerts.yml"),
        dir.path().join("alerts.yml"),
    )?;
    let mut config = text_of("deploy/prometheus/prometheus.yml")?;
    for (from, to) in [
        ("\"localhost:3002\"", format!("\"{}\"", targets.join("\", \""))),
        (
            "/run/secrets/logs-gateway-admin-token",
            token.display().to_string(),
        ),
        ("scrape_interval: 15s", "scrape_interval: 1s".to_owned()),
        ("evaluation_interval: 15s", "evaluation_interval: 1s".to_owned()),
    ] {
        ensure!(config.contains(from), "{from} is not in prometheus.yml");
        config = config.replace(from, &to);
    }
    let path = dir.path().join("prometheus.yml");
    fs::write(&path, config)?;
    Ok(path)
}

/// A Prometheus of one's own. It ends with this value.
struct Prometheus {
    url: String,
    http: Client,
    _child: Child,
    _dir: TempDir,
}

impl Prometheus {
    async fn scraping(targets: &[&str]) -> Result<Self> {
        let dir = TempDir::new()?;
        let config = adapted(&dir, targets)?;
        let mut child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                dir.path().join("data").display()
            ))
            .arg("--web.listen-address=127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("prometheus, of Debian's package of this name")?;
        let mut lines = BufReader::new(child.stderr.take().context("a pipe")?).lines();
        let mut said = String::new();
        let address = loop {
            let Some(line) = timeout(PATIENCE, lines.next_line()).await?? else {
                bail!("prometheus ended: {said}");
            };
            if let Some((_, address)) = line.split_once("\"Listening on\" address=") {
                break address.trim().to_owned();
            }
            said.push_str(&line);
            said.push('\n');
        };
        // Somebody has to take what it says, or it would wait for that.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self {
            url: format!("http://{address}"),
            http: Client::new(),
            _child: child,
            _dir: dir,
        })
    }

    async fn get(&self, path: &str) -> Result<Value> {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await?;
        let answer: Value = serde_json::from_str(&answer.text().await?)?;
        ensure!(answer["status"] == "success", "{path}: {answer}");
        Ok(answer["data"].clone())
    }

    /// How many series a query finds whose value is a number.
    async fn series(&self, query: &str) -> Result<usize> {
        let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let found = self.get(&format!("/api/v1/query?query={query}")).await?;
        let series = found["result"].as_array().context("series")?.iter();
        Ok(series.filter(|one| one["value"][1] != "NaN").count())
    }
}

/// Everything that a dashboard asks of Prometheus.
fn asked(dashboard: &Value, queries: &mut Vec<String>) {
    match dashboard {
        Value::Object(parts) => {
            for (name, part) in parts {
                match (name.as_str(), part.as_str()) {
                    ("expr", Some(query)) => queries.push(query.to_owned()),
                    // What a variable may be: label_values(query, label).
                    ("definition", Some(values)) => queries.extend(
                        values
                            .strip_prefix("label_values(")
                            .and_then(|values| values.rsplit_once(','))
                            .map(|(query, _)| query.to_owned()),
                    ),
                    _ => asked(part, queries),
                }
            }
        }
        Value::Array(parts) => parts.iter().for_each(|part| asked(part, queries)),
        _ => {}
    }
}

fn dashboard() -> Result<Vec<String>> {
    let mut queries = Vec::new();
    asked(
        &serde_json::from_str(&text_of("deploy/grafana/logs-gateway.json")?)?,
        &mut queries,
    );
    ensure!(queries.len() > 40, "{queries:?}");
    Ok(queries)
}

/// Something of everything that is counted.
async fn traffic(gateway: &TestGateway, round: usize) -> Result<()> {
    let channel = CHANNEL.parse()?;
    gateway.publish(&channel, json!("m")).await?;
    for _ in 0..2 {
        let body = json!([{ "channel": CHANNEL, "logData": "m" }, { "channel": "?", "logData": "m" }]);
        super::publish(gateway, "e2e-token", &format!("{round}"), &body).await?;
    }
    Client::new().get(gateway.url(api::STREAM_PATH)).send().await?;
    Ok(())
}

#[tokio::test]
async fn every_query_of_the_dashboard_and_of_the_alerts_finds_what_a_real_prometheus_scraped() -> Result<()> {
    let gateway = TestGateway::start_with(&[("ADMIN_TOKEN", ADMIN)]).await?;
    let redis = Redis::start(&[]).await?;
    let shared = TestGateway::start_with(&[("ADMIN_TOKEN", ADMIN), ("REDIS_URL", &redis.url())]).await?;
    let urls = [gateway.url(""), shared.url("")];
    let targets = urls.iter().filter_map(|url| url.strip_prefix("http://"));
    let prometheus = Prometheus::scraping(&targets.collect::<Vec<_>>()).await?;
    let mut reader = SseReader::open(&gateway.stream_url(CHANNEL)).await?;
    tokio::spawn(async move { while reader.next().await.is_ok() {} });

    traffic(&gateway, 0).await?;
    let mut said = String::new();
    for of in [&gateway, &shared] {
        let answer = Client::new().get(of.url(api::METRICS_PATH)).bearer_auth(ADMIN);
        said.push_str(&answer.send().await?.text().await?);
    }
    let scrape = Scrape::parse(said)?;
    let mut left = dashboard()?;
    all_there(&scrape, left.iter().map(String::as_str))?;
    let mut round = 1;
    // A start that is counted as one would be a restart.
    left.retain(|query| !query.starts_with("changes(process_start_time_seconds"));
    let found = eventually("every query finds something", PATIENCE, async || {
        traffic(&gateway, round).await?;
        round += 1;
        let mut empty = Vec::new();
        for query in &left {
            let asked = query.replace("$__rate_interval", "20s");
            let asked = asked.replace("$job", "logs-gateway").replace("$instance", ".*");
            if prometheus.series(&asked).await? == 0 {
                empty.push(query.clone());
            }
        }
        left = empty;
        Ok(left.is_empty().then_some(()))
    });
    if let Err(error) = found.await {
        bail!("{error}: {left:#?}");
    }

    let is_up = async || {
        let targets = prometheus.get("/api/v1/targets").await?;
        let targets = targets["activeTargets"].as_array().context("targets")?;
        Ok(targets
            .iter()
            .all(|target| target["health"] == "up")
            .then_some(()))
    };
    eventually("the gateways are up", PATIENCE, is_up).await?;
    let evaluated = async || {
        let groups = prometheus.get("/api/v1/rules").await?;
        let rules = groups["groups"][0]["rules"].as_array().context("rules")?.clone();
        let is_done = rules.iter().all(|rule| rule["health"] != "unknown");
        Ok(is_done.then_some(rules))
    };
    let rules = eventually("the alerts are evaluated", PATIENCE, evaluated).await?;
    ensure!(rules.len() == alerts()?.len(), "{rules:?}");
    for rule in &rules {
        ensure!(rule["health"] == "ok", "{rule}");
        // Of the machine that this runs on, the disk may be nearly full.
        ensure!(
            rule["state"] != "firing" || rule["name"] == "LogsGatewayDiskNearlyFull",
            "{rule}"
        );
    }

    // What finds nothing finds it because nothing is wrong, not because there is no such metric.
    all_there(&scrape, rules.iter().filter_map(|rule| rule["query"].as_str()))
}

/// Whether the gateway has every metric that is named.
fn all_there<'a>(scrape: &Scrape, queries: impl Iterator<Item = &'a str>) -> Result<()> {
    for query in queries {
        let named = metrics(query);
        ensure!(!named.is_empty(), "{query} names no metric");
        for name in named {
            ensure!(name == "up" || scrape.has(name), "there is no {name}: {query}");
        }
    }
    Ok(())
}
