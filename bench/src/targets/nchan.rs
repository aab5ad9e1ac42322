//! nginx with nchan: a push server as a module of a web server, in C, for many years what one takes for many readers.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use logs_shared::{Channel, Fields, Level, LogEntry, LogRecord, RecordId, Timestamp};
use rustix::process::{Resource, getrlimit};

use super::Setup;
use crate::{
    server::Server,
    wire::{self, CHANNELS, Publish, Wire},
};

/// Where Debian puts the module.
const MODULE: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";

/// Starts it with one worker, which is all that one core is good for.
///
/// It takes no token and looks at nothing of what is published: a body goes to the readers as it came. A message's number
/// within its second has 16 bits, so a channel that gets more than 32,767 of them in a second loses some, and says so to its
/// log; who fills a channel for a replay has to take his time.
///
/// # Errors
/// nginx or the module is not installed, or it does not start; with what it says.
pub(super) fn start(setup: Setup) -> Result<Server> {
    let folder = setup.folder.path();
    let address = free_address()?;
    let wire = wire(address)?;
    let configuration = folder.join("nginx.conf");
    fs::write(&configuration, settings(folder, address)).context("cannot write nginx's settings")?;
    let log = folder.join("error.log");
    let mut child = setup
        .command(program())
        .arg("-p")
        .arg(folder)
        .arg("-c")
        .arg(&configuration)
        .arg("-e")
        .arg(&log)
        .stdin(Stdio::null())
        .stdout(File::create(folder.join("stdout"))?)
        .stderr(File::create(folder.join("stderr"))?)
        .spawn()
        .context("cannot start nginx")?;
    let waited = wait_for(&mut child, address).with_context(|| {
        let said = fs::read_to_string(&log).unwrap_or_default();
        format!("nginx with nchan does not start\n{said}")
    });
    // The master, whose child is the worker. It is ended with this value also where it does not listen.
    let pids = vec![child.id()];
    let server = Server::new(wire, pids, child, setup.folder);
    waited.map(|()| server)
}

/// An address of this machine that nobody listens on: nginx does not tell one that it has chosen.
fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("there is no free port")?;
    Ok(listener.local_addr()?)
}

/// Waits until it listens; an error where it ends before, or takes too long.
fn wait_for(child: &mut Child, address: SocketAddr) -> Result<()> {
    /// Far more than it takes to start.
    const PATIENCE: Duration = Duration::from_secs(30);
    /// Between two looks.
    const AGAIN: Duration = Duration::from_millis(20);
    let started = Instant::now();
    while TcpStream::connect(address).is_err() {
        if let Some(status) = child.try_wait()? {
            bail!("it ended: {status}");
        }
        ensure!(started.elapsed() < PATIENCE, "it does not listen on {address}");
        thread::sleep(AGAIN);
    }
    Ok(())
}

/// nginx is where not everybody's `PATH` leads.
pub(crate) fn program() -> &'static str {
    const DEBIAN: &str = "/usr/sbin/nginx";
    if Path::new(DEBIAN).exists() {
        DEBIAN
    } else {
        "nginx"
    }
}

/// Its settings, each with its reason.
const SETTINGS: &str = include_str!("../../peers/nchan/nginx.conf");

/// The same for here.
fn settings(folder: &Path, address: SocketAddr) -> String {
    /// More is of no use here, and nginx makes room for each.
    const ENOUGH: u64 = 65_536;
    let files = getrlimit(Resource::Nofile).current;
    let files = files.map_or(ENOUGH, |files| files.min(ENOUGH));
    let values = [
        ("@module@", MODULE.to_owned()),
        ("@folder@", folder.display().to_string()),
        ("@files@", files.to_string()),
        ("@address@", address.to_string()),
    ];
    let settings = SETTINGS.to_owned();
    values
        .iter()
        .fold(settings, |settings, (name, value)| settings.replace(name, value))
}

fn wire(address: SocketAddr) -> Result<Wire> {
    let get = |path: &str, channels: &str, more: &str| {
        format!(
            "GET {path}?channel={channels} HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n{more}\r\n"
        )
    };
    let all: Vec<String> = (0..CHANNELS).map(wire::channel).collect();
    let one = "{channel}";
    Ok(Wire {
        address,
        subscribe: get("/subscribe", one, ""),
        resume: Some(get("/subscribe", one, "Last-Event-ID: {after}\r\n")),
        replay: Some(get("/replay", one, "")),
        firehose: Some(get("/subscribe", &all.join(","), "")),
        single: Publish {
            // The answer is smallest as JSON.
            head: format!(
                "POST /publish?channel={{channel}} HTTP/1.1\r\nHost: {address}\r\nAccept: text/json\r\n\
                 Content-Type: application/json\r\nContent-Length: {{length}}\r\n\r\n"
            ),
            body: record()?,
        },
        batch: None,
    })
}

/// What the gateway makes of a record, so that readers of both get as many bytes.
fn record() -> Result<String> {
    let channel = Channel::new("bench", "w", Some("c0"))?;
    let timestamp = Timestamp::from_unix_ms(1_758_796_200_000)?;
    let record = LogRecord {
        id: RecordId::new(timestamp.id_ms(), 0),
        entry: LogEntry {
            channel: channel.clone(),
            timestamp,
            level: Level::Info,
            message: "{message}".to_owned(),
            fields: Fields::default(),
        },
    };
    Ok(record.to_json().replace(channel.as_str(), "{channel}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publication_is_the_record_that_the_gateways_readers_get() {
        let body = record().unwrap();
        let body = body
            .replace("{channel}", "logs:bench:w:c0")
            .replace("{message}", "bench 1");
        assert_eq!(
            body,
            r#"{"type":"log","id":"1758796200000-0","channel":"logs:bench:w:c0","service":"bench","workspace_id":"w","workflow_id":"c0","timestamp":"2025-09-25T10:30:00.000Z","level":"INFO","message":"bench 1"}"#
        );
    }
}
