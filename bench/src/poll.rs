//! [`Poll`]: which sockets have something to be done.

use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, ipproto, socket_with, sockopt};
use rustix::time::Timespec;

/// Sockets by a number that each was given, and what is wanted of them.
pub(crate) struct Poll {
    epoll: OwnedFd,
    events: Vec<Event>,
}

/// A socket that has something to be done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    pub(crate) number: u64,
    /// Something is there to be read, or the other end is gone.
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

/// What is wanted of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    Read,
    Write,
    Both,
}

impl Want {
    fn flags(self) -> EventFlags {
        match self {
            Self::Read => EventFlags::IN,
            Self::Write => EventFlags::OUT,
            Self::Both => EventFlags::IN | EventFlags::OUT,
        }
    }
}

impl Poll {
    pub(crate) fn new() -> Result<Self, Errno> {
        Ok(Self {
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            // Few, so that who is due is never behind many others.
            events: Vec::with_capacity(64),
        })
    }

    pub(crate) fn add(&self, socket: impl AsFd, number: u64, want: Want) -> Result<(), Errno> {
        epoll::add(&self.epoll, socket, EventData::new_u64(number), want.flags())
    }

    pub(crate) fn change(&self, socket: impl AsFd, number: u64, want: Want) -> Result<(), Errno> {
        epoll::modify(&self.epoll, socket, EventData::new_u64(number), want.flags())
    }

    /// Waits until there is something, at most so long.
    pub(crate) fn wait(&mut self, at_most: Duration, ready: &mut Vec<Ready>) -> Result<(), Errno> {
        ready.clear();
        self.events.clear();
        let timeout = Timespec {
            tv_sec: i64::try_from(at_most.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(at_most.subsec_nanos()),
        };
        match epoll::wait(
            &self.epoll,
            rustix::buffer::spare_capacity(&mut self.events),
            Some(&timeout),
        ) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
        ready.extend(self.events.iter().map(|event| {
            let (number, flags) = (event.data.u64(), event.flags);
            Ready {
                number,
                readable: flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR),
                writable: flags.contains(EventFlags::OUT),
            }
        }));
        Ok(())
    }
}

/// A socket that is being connected; it can be written to when it is. It waits for nothing, also later.
pub(crate) fn connecting(address: SocketAddr) -> Result<TcpStream, Errno> {
    let family = if address.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP))?;
    sockopt::set_tcp_nodelay(&socket, true)?;
    match connect(&socket, &address) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(TcpStream::from(socket)),
        Err(error) => Err(error),
    }
}
