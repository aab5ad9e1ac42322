//! nginx with nchan: a push server as a module of a web server, in C, for many years what one takes for many readers.

use std::{fs, net::SocketAddr, path::Path};

use anyhow::{Context, Result};
use logs_shared::{Channel, Fields, Level, LogEntry, LogRecord, RecordId, Timestamp};
use tempfile::TempDir;

use super::pinned;
use crate::{
    server::Server,
    wire::{Publish, Wire},
};

/// Where Debian puts the module.
const MODULE: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";

/// Starts it on a core of its own, with one worker, which is all that one core is good for.
///
/// It takes no token and looks at nothing of what is published: a body goes to the readers as it came. A message's number
/// within its second has 16 bits, so a channel that gets more than 32,767 of them in a second loses some, and says so to its
/// log; who fills a channel for a replay has to take his time.
///
/// # Errors
/// nginx or the module is not installed, or it does not start; with what it says.
pub fn start() -> Result<Server> {
    let folder = TempDir::new().context("cannot make a folder for nginx")?;
    let address = pinned::free_address()?;
    let files = pinned::files()?;
    let wire = wire(address)?;
    let configuration = folder.path().join("nginx.conf");
    fs::write(&configuration, settings(folder.path(), address, files))
        .context("cannot write nginx's settings")?;
    let log = folder.path().join("error.log");
    let mut child = pinned::command(program())?
        .arg("-p")
        .arg(folder.path())
        .arg("-c")
        .arg(&configuration)
        .arg("-e")
        .arg(&log)
        .stdout(fs::File::create(folder.path().join("stdout"))?)
        .stderr(fs::File::create(folder.path().join("stderr"))?)
        .spawn()
        .context("cannot start nginx")?;
    let said = || fs::read_to_string(&log).unwrap_or_default();
    let waited = pinned::wait_for(&mut child, address, said).context("nginx with nchan does not start");
    // The master, whose child is the worker. It is ended with this value also where it does not listen.
    let pids = vec![child.id()];
    let server = Server::new(wire, pids, child, folder);
    waited.map(|()| server)
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

/// Its settings, each of them what makes it fast here or what keeps something else from getting in its way.
fn settings(folder: &Path, address: SocketAddr, files: u64) -> String {
    let folder = folder.display();
    format!(
        "load_module {MODULE};
daemon off;
# One core, one worker: with more they would tell each other of each message.
worker_processes 1;
pid {folder}/nginx.pid;
# Lost messages are told here, as warnings.
error_log {folder}/error.log warn;

events {{
    # As many as it can have files.
    worker_connections {files};
    # Everybody who waits is let in at once: a thousand readers come back together.
    multi_accept on;
}}

http {{
    access_log off;
    # A publisher keeps its connection, however much it publishes and however long it pauses.
    keepalive_timeout 1h;
    keepalive_requests 1000000000;
    # A publication is never written to a file.
    client_body_buffer_size 1m;
    client_body_in_single_buffer on;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    # Room for every message that is kept. Only what is used is taken from the system.
    nchan_shared_memory_size 2G;

    server {{
        # Nobody is turned away while many connect at once.
        listen {address} backlog=16384;

        # Exact paths, and the channel as an argument, are found without regular expressions.
        location = /publish {{
            nchan_publisher;
            nchan_channel_id $arg_channel;
            # As many as the gateway keeps of a channel. More, or fewer, make no difference to who is not behind.
            nchan_message_buffer_length 100000;
            nchan_message_timeout 1h;
        }}
        location = /subscribe {{
            nchan_subscriber eventsource;
            nchan_channel_id $arg_channel;
            # From now on, unless Last-Event-ID says where.
            nchan_subscriber_first_message newest;
        }}
        location = /replay {{
            nchan_subscriber eventsource;
            nchan_channel_id $arg_channel;
            nchan_subscriber_first_message oldest;
        }}
    }}
}}
"
    )
}

fn wire(address: SocketAddr) -> Result<Wire> {
    let get = |path: &str, more: &str| {
        format!(
            "GET {path}?channel={{channel}} HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n{more}\r\n"
        )
    };
    Ok(Wire {
        address,
        subscribe: get("/subscribe", ""),
        resume: Some(get("/subscribe", "Last-Event-ID: {after}\r\n")),
        replay: Some(get("/replay", "")),
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
