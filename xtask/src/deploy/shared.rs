//! Two gateways that share Redis behind a load balancer, as `deploy/compose/redis.yml` has them.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::{
    BALANCER,
    beside::Beside,
    environments::filled_in,
    redis::{Redis, free_port},
};
use crate::{process, running::Running, test::HAPROXY, workspace::Workspace};

const CHANNEL: &str = "logs:etl:workspace123:workflow456";
/// How long anything here may take: Redis is given up after seconds, and balancers look every two.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts them, and tries what a reader and a publisher see: also while Redis is away, and when it is back.
pub(super) fn check(
    workspace: &Workspace,
    binary: &Path,
    dir: &Path,
    variables: &[(&str, String)],
    mut redis: Redis,
) -> Result<()> {
    let start = |name: &str| Running::start(binary, &dir.join(name), variables.iter().cloned());
    let gateways = [start("gateway-1")?, start("gateway-2")?];
    let address = free_port()?;
    let mut balancer = balancer(workspace, dir, address, &gateways)?;
    let url = format!("http://{address}");
    until("the balancer finds a gateway", || {
        balancer.ensure_running()?;
        Ok(health(address).is_some_and(|answer| answer.contains("\"healthy\"")))
    })?;

    let secret = filled_in("JWT_SECRET").context("a secret")?;
    let token = process::output(Command::new(binary).args(["token", "--secret", secret]))?;
    let mut tail = Command::new(binary);
    tail.args([
        "tail",
        CHANNEL,
        "--json",
        "--since",
        "0-0",
        "--url",
        &url,
        "--token",
        token.trim(),
    ]);
    let mut reader = Beside::start(&mut tail, &dir.join("reader"))?;
    let mut told = |count: usize| {
        until(&format!("the reader has {count} lines"), || {
            reader.ensure_running()?;
            Ok(lines(&reader.said()).len() >= count)
        })?;
        Ok::<_, anyhow::Error>(lines(&reader.said()))
    };
    for (number, gateway) in gateways.iter().enumerate() {
        publish(binary, gateway.url(), &format!("line {number}"))?;
        told(number + 1)?;
    }

    let before = balancer.said().len();
    redis.kill();
    // From here on it would answer by itself, with less to say.
    until("the balancer finds no gateway ready", || {
        let said = balancer.said();
        Ok(said
            .get(before..)
            .unwrap_or_default()
            .contains(" ready has no server available"))
    })?;
    until("a gateway says through the balancer that Redis is away", || {
        Ok(
            health(address)
                .is_some_and(|answer| answer.contains("\"unhealthy\"") && answer.contains("Redis")),
        )
    })?;
    redis.again()?;
    publish(binary, &url, "line 2")?;
    let seen = told(3)?;
    ensure!(seen == ["line 0", "line 1", "line 2"], "the reader has {seen:?}");
    gateways.into_iter().try_for_each(Running::stop)
}

/// The load balancer of `deploy/`, with other addresses and with fewer files than a container has.
fn balancer(
    workspace: &Workspace,
    dir: &Path,
    address: SocketAddr,
    gateways: &[Running; 2],
) -> Result<Beside> {
    let mut config =
        fs::read_to_string(workspace.source(BALANCER)).with_context(|| format!("no {BALANCER}"))?;
    let host = |gateway: &Running| gateway.url().trim_start_matches("http://").to_owned();
    for (from, to) in [
        ("bind :3002", format!("bind {address}")),
        ("maxconn 50000", "maxconn 100".to_owned()),
        ("gateway-1:3002", host(&gateways[0])),
        ("gateway-2:3002", host(&gateways[1])),
    ] {
        ensure!(config.contains(from), "{from} is not in {BALANCER}");
        config = config.replace(from, &to);
    }
    let path = dir.join("haproxy.cfg");
    fs::write(&path, config).context("cannot write what HAProxy reads")?;
    let mut haproxy = workspace.program(HAPROXY.path);
    // In the foreground, as one process.
    Beside::start(haproxy.arg("-db").arg("-f").arg(path), &dir.join("balancer"))
}

fn publish(binary: &Path, url: &str, line: &str) -> Result<()> {
    let tokens = filled_in("SERVICE_TOKENS").context("a token")?;
    let token = tokens.split('=').next().unwrap_or_default();
    let mut command = Command::new(binary);
    command.args(["publish", CHANNEL, "--url", url, "--token", token]);
    let mut process = command.stdin(Stdio::piped()).spawn().context("cannot publish")?;
    let mut input = process.stdin.take().context("no standard input")?;
    writeln!(input, "{line}")?;
    drop(input);
    let status = process.wait()?;
    ensure!(status.success(), "publishing to {url}: {status}");
    Ok(())
}

/// The messages of what a reader has printed, a record a line.
fn lines(said: &str) -> Vec<String> {
    let message = |line: &str| Some(line.split_once("\"message\":\"")?.1.split('"').next()?.to_owned());
    said.lines().filter_map(message).collect()
}

/// What is answered there; nothing, where nobody answers.
fn health(address: SocketAddr) -> Option<String> {
    let mut connection = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    connection.set_read_timeout(Some(PATIENCE)).ok()?;
    connection.write_all(b"GET /health/ready HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).ok()?;
    Some(answer)
}

fn until(what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let started = Instant::now();
    while !is_so()? {
        ensure!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
