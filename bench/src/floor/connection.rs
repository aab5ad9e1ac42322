//! [`Connection`]: who reads or publishes.

use std::io::Write as _;
use std::net::TcpStream;

use memchr::memmem;

/// A reader or a publisher.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) socket: TcpStream,
    is_publisher: bool,
    is_reader: bool,
    /// What came and is not complete: a request's head, a frame.
    begun: Vec<u8>,
    /// What its socket had no room for.
    behind: Vec<u8>,
}

/// What a connection turns out to be.
#[derive(Debug)]
pub(super) enum Kind {
    Unknown,
    /// It has just asked for this channel.
    Opens(Vec<u8>),
    Reader,
    Publisher,
}

impl Connection {
    pub(super) fn new(socket: TcpStream) -> Self {
        Self {
            socket,
            is_publisher: false,
            is_reader: false,
            begun: Vec::new(),
            behind: Vec::new(),
        }
    }

    /// What it is, now that this came.
    pub(super) fn kind_of(&mut self, bytes: &[u8]) -> Kind {
        if self.is_reader {
            return Kind::Reader;
        }
        let is_request = self.begun.first().or(bytes.first()) == Some(&b'G');
        if self.is_publisher || !is_request {
            self.is_publisher = true;
            return Kind::Publisher;
        }
        self.begun.extend_from_slice(bytes);
        if memmem::find(&self.begun, b"\r\n\r\n").is_none() {
            return Kind::Unknown;
        }
        self.is_reader = true;
        let head = std::mem::take(&mut self.begun);
        let path = head.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        Kind::Opens(path.strip_prefix(b"/").unwrap_or(path).to_vec())
    }

    /// The frames that are complete with this.
    pub(super) fn whole_frames(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.begun.extend_from_slice(bytes);
        let end = memmem::rfind(&self.begun, b"\n\n").map_or(0, |at| at + 2);
        let rest = self.begun.split_off(end);
        std::mem::replace(&mut self.begun, rest)
    }

    /// Whether something is to be written when there is room.
    pub(super) fn is_behind(&self) -> bool {
        !self.behind.is_empty()
    }

    /// Writes what was left over, and this; what there is no room for is left over. Who is gone is noticed where it is read.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        if self.behind.is_empty() {
            let written = self.socket.write(bytes).unwrap_or(0);
            self.behind.extend_from_slice(&bytes[written..]);
            return;
        }
        self.behind.extend_from_slice(bytes);
        let written = self.socket.write(&self.behind).unwrap_or(0);
        self.behind.drain(..written);
    }
}
