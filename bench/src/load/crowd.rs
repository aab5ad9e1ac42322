//! [`Crowd`]: all sockets of a step, and what is done when one of them is ready.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::time::{ClockId, clock_gettime};

use super::histogram::Histogram;
use super::publisher::{Publisher, UnderWay};
use super::reader::{Follows, Progress, Reader, Shared};
use super::tally::Tally;
use crate::poll::{Poll, Ready, Want, connecting};
use crate::wire::{Wire, filler};

/// Publishers are numbered from here.
const PUBLISHERS: u64 = 1 << 32;

/// What one read takes: more than a socket has, as a rule.
const BUFFER: usize = 256 * 1024;

/// Readers and publishers.
pub(crate) struct Crowd<'a> {
    wire: &'a Wire,
    poll: Poll,
    ready: Vec<Ready>,
    pub(crate) shared: Shared,
    pub(crate) readers: Vec<Reader>,
    pub(crate) publishers: Vec<Publisher>,
    /// Publishers that may begin a request.
    pub(crate) free: VecDeque<usize>,
    pub(crate) open: usize,
    pub(crate) answers: Histogram,
    pub(crate) acknowledged: u64,
    pub(crate) requests: u64,
    /// When the last record was read, or the last answer.
    pub(crate) last_us: u64,
}

/// Microseconds of a clock that only goes on.
pub(crate) fn now_us() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let (seconds, nanoseconds) = (u64::try_from(now.tv_sec), u64::try_from(now.tv_nsec));
    seconds.unwrap_or_default() * 1_000_000 + nanoseconds.unwrap_or_default() / 1000
}

impl<'a> Crowd<'a> {
    pub(crate) fn new(wire: &'a Wire, tally: Tally, record_bytes: usize) -> Result<Self> {
        Ok(Self {
            wire,
            poll: Poll::new()?,
            ready: Vec::new(),
            shared: Shared {
                buffer: vec![0; BUFFER],
                tally,
                latency: Histogram::new(),
                filler: filler(record_bytes),
            },
            readers: Vec::new(),
            publishers: Vec::new(),
            free: VecDeque::new(),
            open: 0,
            answers: Histogram::new(),
            acknowledged: 0,
            requests: 0,
            last_us: now_us(),
        })
    }

    /// One reader more, whose stream is open some time later.
    pub(crate) fn add_reader(&mut self, request: String, follows: Follows, noting: bool) -> Result<()> {
        let socket = connecting(self.wire.address).context("a reader cannot connect")?;
        self.poll.add(&socket, self.readers.len() as u64, Want::Write)?;
        self.readers.push(Reader::new(socket, request, follows, noting));
        Ok(())
    }

    /// One publisher more, which is connected.
    pub(crate) fn add_publisher(&mut self, lanes: Vec<usize>) -> Result<()> {
        let socket = std::net::TcpStream::connect(self.wire.address).context("a publisher cannot connect")?;
        socket.set_nonblocking(true)?;
        socket.set_nodelay(true)?;
        let number = self.publishers.len();
        self.poll.add(&socket, PUBLISHERS + number as u64, Want::Read)?;
        self.publishers.push(Publisher::new(socket, lanes));
        self.free.push_back(number);
        Ok(())
    }

    /// Does what there is to do, and waits at most so long for something.
    pub(crate) fn turn(&mut self, at_most: Duration) -> Result<()> {
        let mut ready = std::mem::take(&mut self.ready);
        self.poll.wait(at_most, &mut ready)?;
        for one in &ready {
            match one.number.checked_sub(PUBLISHERS) {
                Some(publisher) => {
                    let publisher = usize::try_from(publisher)?;
                    if one.writable {
                        self.write(publisher)?;
                    }
                    if one.readable {
                        self.read_answer(publisher)?;
                    }
                }
                None => self.read(usize::try_from(one.number)?, one.writable)?,
            }
        }
        self.ready = ready;
        Ok(())
    }

    fn read(&mut self, number: usize, writable: bool) -> Result<()> {
        let reader = &mut self.readers[number];
        if reader.is_connecting() && writable {
            reader.ask()?;
            self.poll.change(&reader.socket, number as u64, Want::Read)?;
            return Ok(());
        }
        let before = self.shared.tally.delivered;
        if reader.read(&mut self.shared, now_us)? == Progress::Opened {
            self.open += 1;
        }
        if self.shared.tally.delivered > before {
            self.last_us = now_us();
        }
        Ok(())
    }

    /// A publisher writes what it has begun, as far as there is room.
    pub(crate) fn write(&mut self, number: usize) -> Result<()> {
        let publisher = &mut self.publishers[number];
        let was_writing = publisher.is_waiting_for_room;
        let done = publisher.write()?;
        let is_writing = publisher.is_writing();
        if was_writing != is_writing {
            let want = if is_writing { Want::Both } else { Want::Read };
            self.poll
                .change(&publisher.socket, PUBLISHERS + number as u64, want)?;
            publisher.is_waiting_for_room = is_writing;
        }
        self.done(number, done);
        Ok(())
    }

    fn read_answer(&mut self, number: usize) -> Result<()> {
        let done = self.publishers[number].read(&mut self.shared.buffer)?;
        self.done(number, done);
        Ok(())
    }

    fn done(&mut self, number: usize, request: Option<UnderWay>) {
        let Some(UnderWay { began_us, records }) = request else {
            return;
        };
        let now = now_us();
        self.answers.add(now.saturating_sub(began_us));
        self.acknowledged += records;
        self.requests += 1;
        if self.readers.is_empty() {
            self.last_us = now;
        }
        self.free.push_back(number);
    }
}
