//! The bare loop, as a process.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::Stdio;

use anyhow::{Context as _, Result};

use super::Setup;
use crate::server::Server;
use crate::wire::{Publish, Wire};

/// The bytes that the gateway sends for a record.
const FRAME: &str = concat!(
    "id: 1795303339850-0\n",
    r#"data: {"type":"log","id":"1795303339850-0","channel":"{channel}","service":"bench","workspace_id":"w","#,
    r#""workflow_id":"c0","timestamp":"2026-11-21T23:22:19.850Z","level":"INFO","message":"{message}"}"#,
    "\n\n"
);

pub(super) fn start(mode: &str, setup: Setup) -> Result<Server> {
    let program = std::env::current_exe()?;
    let mut command = setup.command(&program.to_string_lossy());
    command
        .args(["floor", "--mode", mode])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut child = command.spawn().context("no floor")?;
    let mut address = String::new();
    if let Some(out) = child.stdout.take() {
        BufReader::new(out).read_line(&mut address)?;
    }
    let pid = child.id();
    let wire = wire(address.trim().parse().context("the floor does not listen")?);
    Ok(Server::new(wire, vec![pid], child, setup.folder))
}

/// How a floor that listens there is spoken to.
pub(crate) fn wire(address: SocketAddr) -> Wire {
    let publish = Publish {
        head: String::new(),
        body: FRAME.to_owned(),
    };
    Wire {
        address,
        subscribe: "GET /{channel} HTTP/1.1\r\n\r\n".to_owned(),
        resume: None,
        replay: None,
        firehose: Some("GET /* HTTP/1.1\r\n\r\n".to_owned()),
        single: publish.clone(),
        batch: Some(publish),
    }
}
