//! The floor: a bare loop on one thread that writes the bytes a gateway would, to the same sockets, and does nothing else.
//!
//! Who begins with `GET /` and a channel reads that one (with `*` every one); who begins with anything else publishes frames
//! as they are, each ended by an empty line. No record is kept longer than its readers take.

mod channel;
mod connection;

use std::collections::HashMap;
use std::io::{self, Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use anyhow::Result;
use clap::ValueEnum;
use memchr::memmem;

use self::channel::Channel;
use self::connection::{Connection, Kind};
use crate::poll::{Poll, Want};

/// How it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// A write for every record and reader, as long as that one keeps up.
    OneWrite,
    /// Everything that has come since is in one write.
    Batched,
}

const LISTENER: u64 = u64::MAX;
const READ: usize = 256 * 1024;

/// Listens on a free port of this machine, prints the address, and goes on until it is killed.
///
/// # Errors
///
/// Where sockets cannot be opened.
pub fn serve(mode: Mode) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    // The library asks for a queue of 128 connections, in which thousands at once would not find room.
    rustix::net::listen(&listener, 4096)?;
    println!("{}", listener.local_addr()?);
    io::stdout().flush()?;
    go_on(mode, &listener)
}

/// Serves who connects.
pub(crate) fn go_on(mode: Mode, listener: &TcpListener) -> Result<()> {
    listener.set_nonblocking(true)?;
    let poll = Poll::new()?;
    poll.add(listener, LISTENER, Want::Read)?;
    let mut floor = Floor {
        mode,
        poll,
        connections: Vec::new(),
        channels: HashMap::new(),
    };
    let mut ready = Vec::new();
    let mut buffer = vec![0; READ];
    loop {
        floor.poll.wait(Duration::from_secs(3600), &mut ready)?;
        for one in &ready {
            if one.number == LISTENER {
                floor.accept(listener)?;
            } else {
                floor.serve(usize::try_from(one.number)?, one.writable, &mut buffer)?;
            }
        }
    }
}

struct Floor {
    mode: Mode,
    poll: Poll,
    connections: Vec<Option<Connection>>,
    channels: HashMap<Vec<u8>, Channel>,
}

impl Floor {
    fn accept(&mut self, listener: &TcpListener) -> Result<()> {
        while let Ok((socket, _)) = listener.accept() {
            socket.set_nonblocking(true)?;
            socket.set_nodelay(true)?;
            self.poll
                .add(&socket, self.connections.len() as u64, Want::Read)?;
            self.connections.push(Some(Connection::new(socket)));
        }
        Ok(())
    }

    fn serve(&mut self, number: usize, writable: bool, buffer: &mut [u8]) -> Result<()> {
        let Some(connection) = self.connections[number].as_mut() else {
            return Ok(());
        };
        if writable && connection.is_behind() {
            connection.send(&[]);
            if !connection.is_behind() {
                self.poll.change(&connection.socket, number as u64, Want::Read)?;
            }
            return Ok(());
        }
        let length = match connection.socket.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Ok(0) | Err(_) => {
                self.connections[number] = None;
                self.channels
                    .values_mut()
                    .for_each(|channel| channel.readers.retain(|reader| *reader != number));
                return Ok(());
            }
            Ok(length) => length,
        };
        let bytes = &buffer[..length];
        match connection.kind_of(bytes) {
            Kind::Unknown | Kind::Reader => {}
            Kind::Opens(channel) => {
                connection.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n");
                self.channels.entry(channel).or_default().readers.push(number);
            }
            Kind::Publisher => {
                let frames = connection.whole_frames(bytes);
                self.publish(&frames)?;
            }
        }
        Ok(())
    }

    /// Gives whole frames to who reads their channels.
    fn publish(&mut self, frames: &[u8]) -> Result<()> {
        let mut rest = frames;
        while let Some(end) = memmem::find(rest, b"\n\n") {
            let (frame, behind) = rest.split_at(end + 2);
            rest = behind;
            for name in [channel::of(frame), b"*"] {
                let Some(channel) = self.channels.get_mut(name) else {
                    continue;
                };
                channel.pending.extend_from_slice(frame);
                if self.mode == Mode::OneWrite {
                    write_out(channel, &mut self.connections, &self.poll)?;
                }
            }
        }
        for channel in self
            .channels
            .values_mut()
            .filter(|channel| !channel.pending.is_empty())
        {
            write_out(channel, &mut self.connections, &self.poll)?;
        }
        Ok(())
    }
}

fn write_out(channel: &mut Channel, connections: &mut [Option<Connection>], poll: &Poll) -> Result<()> {
    for number in &channel.readers {
        let Some(connection) = connections[*number].as_mut() else {
            continue;
        };
        let was_behind = connection.is_behind();
        connection.send(&channel.pending);
        if connection.is_behind() && !was_behind {
            poll.change(&connection.socket, *number as u64, Want::Both)?;
        }
    }
    channel.pending.clear();
    Ok(())
}
