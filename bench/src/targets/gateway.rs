//! The gateway, as a process.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};

use anyhow::{Context as _, Result};

use super::{Setup, Target};
use crate::server::Server;
use crate::wire::{Publish, Wire};

const TOKEN: &str = "bench-token";

pub(super) fn start(target: Target, setup: Setup) -> Result<Server> {
    let program = program()?;
    let mut command = setup.command(&program.to_string_lossy());
    command
        .env("PORT", "0")
        .env("HOST", "127.0.0.1")
        .env("AUTH", "open")
        .env("SERVICE_TOKENS", format!("{TOKEN}=bench"))
        .env("LOG_LEVEL", "warn")
        .env("DATA_DIR", setup.folder.path())
        .env("RETENTION_RECORDS", "100000000")
        .env("RETENTION_BYTES", "8GiB")
        .env("MAX_STREAMS_PER_USER", "20000")
        .env("STREAM_RATE", "0")
        .env(
            "STORE",
            if target == Target::GatewayMemory {
                "memory"
            } else {
                "disk"
            },
        )
        .env(
            "DURABILITY",
            if target == Target::GatewayFsync {
                "fsync"
            } else {
                "process"
            },
        );
    if target == Target::GatewayUnpaced {
        command.env("WRITE_PACE_MS", "0");
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("no gateway")?;
    let address = match listening(&mut child) {
        Ok(address) => address,
        Err(error) => {
            // It has ended, or does so now: what matters is why it does not answer.
            let _ = child.kill();
            let _ = child.wait();
            return Err(error);
        }
    };
    let pid = child.id();
    Ok(Server::new(wire(&address)?, vec![pid], child, setup.folder))
}

/// That of `LOGS_GATEWAY_BIN`, or the best that was built.
fn program() -> Result<PathBuf> {
    if let Some(program) = env::var_os("LOGS_GATEWAY_BIN") {
        return Ok(program.into());
    }
    let built = env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let found = ["dist", "release"].map(|profile| built.join(profile).join("logs-gateway"));
    found
        .into_iter()
        .find(|program| program.exists())
        .context("no gateway is built, and LOGS_GATEWAY_BIN names none")
}

/// The address that it prints when it listens.
fn listening(child: &mut Child) -> Result<String> {
    let out = child.stdout.take().context("its output is not there")?;
    let mut lines = BufReader::new(out).lines();
    let address = lines.by_ref().find_map(|line| {
        let line = line.ok()?;
        let behind = line.strip_prefix("listening on http://")?;
        Some(behind.split(' ').next().unwrap_or(behind).to_owned())
    });
    // What else it says is read, so that it never waits for somebody to.
    std::thread::spawn(move || lines.for_each(drop));
    address.context("the gateway does not listen")
}

fn wire(address: &str) -> Result<Wire> {
    let stream = |query: &str| format!("GET /api/logs/stream?{query} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let publish = |content: &str| {
        format!(
            "POST /api/logs/publish HTTP/1.1\r\nhost: {address}\r\nx-service-token: {TOKEN}\r\n\
             content-type: {content}\r\ncontent-length: {{length}}\r\n\r\n"
        )
    };
    let record = r#"{"channel":"{channel}","logData":{"level":"INFO","message":"{message}"}}"#;
    Ok(Wire {
        address: address.parse()?,
        subscribe: stream("channels={channel}"),
        resume: Some(stream("channels={channel}&last_event_id={after}")),
        replay: Some(stream("channels={channel}&since=0-0")),
        firehose: Some(stream("channels=logs:bench:w:*")),
        single: Publish {
            head: publish("application/json"),
            body: record.to_owned(),
        },
        batch: Some(Publish {
            head: publish("application/x-ndjson"),
            body: format!("{record}\n"),
        }),
    })
}
