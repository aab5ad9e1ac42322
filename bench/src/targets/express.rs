//! Node.js with Express: what people write first. Who reads is kept in a map, and each record is written to each of them.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Stdio},
};

use anyhow::{Context, Result};

use super::Setup;
use crate::{
    server::Server,
    wire::{self, CHANNELS, Publish, Wire},
};

/// Names the folder where `server.js` is, and what it imports.
const FOLDER: &str = "LOGS_BENCH_EXPRESS";
/// Who may publish.
const TOKEN: &str = "bench-token";

/// Starts it.
///
/// # Errors
/// Node.js is not installed, `LOGS_BENCH_EXPRESS` does not name the folder that `cargo xtask bench` installs, or it does not
/// start; with what it says.
pub(super) fn start(setup: Setup) -> Result<Server> {
    let installed = env::var_os(FOLDER)
        .map(PathBuf::from)
        .with_context(|| format!("{FOLDER} is not set; `cargo xtask bench` installs Express and sets it"))?;
    let errors = setup.folder.path().join("stderr");
    let mut child = setup
        .command("node")
        .arg(installed.join("server.js"))
        .env("NODE_ENV", "production")
        .env("TOKEN", TOKEN)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(fs::File::create(&errors)?)
        .spawn()
        .context("cannot start node")?;
    let address = listening(&mut child).with_context(|| {
        let said = fs::read_to_string(&errors).unwrap_or_default();
        format!("Express does not start\n{said}")
    });
    let pids = vec![child.id()];
    match address {
        Ok(address) => Ok(Server::new(wire(address), pids, child, setup.folder)),
        Err(error) => {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
            Err(error)
        }
    }
}

/// The address that it prints when it listens. It says nothing after that.
fn listening(child: &mut Child) -> Result<SocketAddr> {
    let out = child.stdout.take().context("node has no output")?;
    let mut line = String::new();
    BufReader::new(out)
        .read_line(&mut line)
        .context("cannot read what node says")?;
    line.trim().parse().context("it does not say where it listens")
}

fn wire(address: SocketAddr) -> Wire {
    let get = |channels: &str| {
        format!(
            "GET /stream?channels={channels} HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n\r\n"
        )
    };
    let all: Vec<String> = (0..CHANNELS).map(wire::channel).collect();
    Wire {
        address,
        subscribe: get("{channel}"),
        resume: None,
        replay: None,
        firehose: Some(get(&all.join(","))),
        single: Publish {
            head: format!(
                "POST /publish HTTP/1.1\r\nHost: {address}\r\nX-Service-Token: {TOKEN}\r\n\
                 Content-Type: application/json\r\nContent-Length: {{length}}\r\n\r\n"
            ),
            body: RECORD.to_owned(),
        },
        batch: None,
    }
}

/// As it is published to the gateway; the server adds what a record has besides.
const RECORD: &str = r#"{"channel":"{channel}","level":"INFO","message":"{message}"}"#;
