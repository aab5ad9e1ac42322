//! [`Reader`]: one open stream.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::ops::Range;

use anyhow::{Result, bail, ensure};
use memchr::memmem;

use super::framing::Framing;
use super::histogram::Histogram;
use super::scan::Scan;
use super::tally::Tally;

/// One stream: its request, and what came on it.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) socket: TcpStream,
    state: State,
    scan: Scan,
    follows: Follows,
    /// All that it was sent, where it is a witness.
    noted: Option<Vec<u8>>,
}

#[derive(Debug)]
enum State {
    /// The request is to be written.
    Connecting(String),
    /// So much of the answer's head is there.
    Head(Vec<u8>),
    /// The stream is open.
    Open(Framing),
}

/// What a reader's round gives.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Waiting,
    /// The stream has just been opened.
    Opened,
    Reading,
}

/// What all readers have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) buffer: Vec<u8>,
    pub(crate) tally: Tally,
    pub(crate) latency: Histogram,
    pub(crate) filler: usize,
}

/// What a reader follows: of so many lanes (`stride`) that one; it has a slot in the tally for each.
#[derive(Clone, Debug)]
pub(crate) struct Follows {
    pub(crate) slots: Range<usize>,
    pub(crate) stride: usize,
    pub(crate) first_lane: usize,
    /// Whether times count: they do not where the past is read.
    pub(crate) timed: bool,
}

impl Follows {
    fn slot(&self, lane: usize) -> Option<usize> {
        let slot = self.slots.start + lane / self.stride;
        (lane % self.stride == self.first_lane && self.slots.contains(&slot)).then_some(slot)
    }

    fn lane(&self, slot: usize) -> usize {
        (slot - self.slots.start) * self.stride + self.first_lane
    }
}

impl Reader {
    /// One that is being connected, and writes this request then.
    pub(crate) fn new(socket: TcpStream, request: String, follows: Follows, noting: bool) -> Self {
        Self {
            socket,
            state: State::Connecting(request),
            scan: Scan::default(),
            follows,
            noted: noting.then(Vec::new),
        }
    }

    pub(crate) fn is_connecting(&self) -> bool {
        matches!(self.state, State::Connecting(_))
    }

    /// Writes the request, now that the connection is there.
    pub(crate) fn ask(&mut self) -> Result<()> {
        if let State::Connecting(request) = &self.state {
            // A socket that was just connected has room for it.
            self.socket.write_all(request.as_bytes())?;
            self.state = State::Head(Vec::new());
        }
        Ok(())
    }

    /// Takes what is there, once.
    pub(crate) fn read(&mut self, shared: &mut Shared, now: impl Fn() -> u64) -> Result<Progress> {
        let length = match self.socket.read(&mut shared.buffer) {
            Ok(0) => bail!("a stream was ended by the server"),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Progress::Waiting),
            Err(error) => return Err(error.into()),
        };
        let now = now();
        if matches!(self.state, State::Open(_)) {
            self.take(0..length, shared, now)?;
            return Ok(Progress::Reading);
        }
        let State::Head(head) = &mut self.state else {
            bail!("a server answered before it was asked")
        };
        let before = head.len();
        head.extend_from_slice(&shared.buffer[..length]);
        let Some(end) = memmem::find(head, b"\r\n\r\n") else {
            return Ok(Progress::Waiting);
        };
        let framing = opened(&String::from_utf8_lossy(&head[..end]))?;
        self.state = State::Open(framing);
        self.take(end + 4 - before..length, shared, now)?;
        Ok(Progress::Opened)
    }

    /// Counts the records in this part of the buffer.
    fn take(&mut self, part: Range<usize>, shared: &mut Shared, now: u64) -> Result<()> {
        let Self {
            state,
            scan,
            follows,
            noted,
            ..
        } = self;
        let Shared {
            buffer,
            tally,
            latency,
            filler,
        } = shared;
        let State::Open(framing) = state else {
            bail!("no stream is open")
        };
        let mut foreign = None;
        framing.strip(&buffer[part], |piece| {
            if let Some(noted) = noted {
                noted.extend_from_slice(piece);
            }
            scan.feed(piece, *filler, |told| {
                let Some(slot) = follows.slot(told.lane) else {
                    foreign = Some(told.lane);
                    return;
                };
                if tally.take(slot, told.number) && follows.timed {
                    latency.add(now.saturating_sub(told.sent_us));
                }
            });
        })?;
        ensure!(scan.garbled == 0, "a record was sent that cannot be read");
        ensure!(*framing != Framing::Over, "a stream was ended by the server");
        match foreign {
            Some(lane) => bail!("a reader was sent a record of lane {lane}, which it does not follow"),
            None => Ok(()),
        }
    }

    /// How many records it has not come to, where each lane has so many.
    pub(crate) fn behind(&self, tally: &Tally, count: impl Fn(usize) -> u64) -> u64 {
        let slots = self.follows.slots.clone();
        slots
            .map(|slot| tally.behind(slot, count(self.follows.lane(slot))))
            .sum()
    }

    /// What it noted.
    pub(crate) fn into_noted(self) -> Option<Vec<u8>> {
        self.noted
    }
}

/// How the body behind this head is framed.
fn opened(head: &str) -> Result<Framing> {
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default();
    ensure!(
        status.split(' ').nth(1) == Some("200"),
        "a stream was answered with {status}"
    );
    let chunked = lines.any(|line| {
        let line = line.to_ascii_lowercase();
        line.strip_prefix("transfer-encoding:")
            .is_some_and(|value| value.contains("chunked"))
    });
    Ok(if chunked { Framing::CHUNKED } else { Framing::Plain })
}
