//! What one connection may make the gateway and its system keep.

use std::{io, time::Duration};

use hyper::server::conn::{http1, http2};
use hyper_util::rt::TokioTimer;
use logs_shared::api::{MAX_HEADER_BYTES, MAX_URI_BYTES};
use socket2::SockRef;
use tokio::net::TcpStream;

use super::{Patience, pace::StreamTasks};

/// What the system may keep for a socket beyond what is on its way. Of its own it keeps up to 4 MiB, and some hundred
/// readers that take nothing would bring all sockets of the machine to its limit for them.
const UNSENT_BYTES: u32 = 128 * 1024;

/// Sets the options of a socket.
pub(super) fn set_up(socket: &TcpStream, patience: Patience) -> io::Result<()> {
    // A record must not wait in the kernel for the acknowledgement of the one before it.
    socket.set_nodelay(true)?;
    let socket = SockRef::from(socket);
    socket.set_tcp_notsent_lowat(UNSENT_BYTES)?;
    // Who went away without a word acknowledges nothing, and heartbeats alone do not fill a buffer: the system would
    // send them again for a quarter of an hour. Twice as long as a stall, which is to be noticed first.
    socket.set_tcp_user_timeout(Some(patience.stalled * 2))
}

/// What comes of a head is kept up to this: all that `http::limits` answers itself, and some more.
const HEAD_BYTES: usize = 2 * (MAX_URI_BYTES + MAX_HEADER_BYTES);

/// What one HTTP/1 connection may make the gateway keep in memory.
pub(super) fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // `Activity` looks after that: it knows a connection that rests from one that brings its head too slowly.
        .header_read_timeout(None)
        // Not `max_headers`: the 100 that are usual lie on the stack, and with others every connection costs 8 KiB more.
        .max_buf_size(HEAD_BYTES);
    builder
}

/// What one HTTP/2 connection may make the gateway keep in memory.
pub(super) fn http2(streams: StreamTasks) -> http2::Builder<StreamTasks> {
    /// Requests of one connection at a time; as browsers have it where they are not told.
    const STREAMS: u32 = 100;
    /// What a stream has been given, and its peer has not taken.
    const UNTAKEN_BYTES: usize = 64 * 1024;
    /// What has come of bodies and was not read, of a stream and of all.
    const WINDOW: u32 = 256 * 1024;
    const WINDOWS: u32 = 1024 * 1024;
    /// A peer that went away without a word is noticed within these.
    const PING_AFTER: Duration = Duration::from_secs(60);
    const PONG_WITHIN: Duration = Duration::from_secs(20);
    /// Streams that are opened only to be reset (CVE-2023-44487), and such that break the protocol.
    const RESET_UNHEARD: usize = 20;
    const RESET_FOR_ERRORS: usize = 256;

    let mut builder = http2::Builder::new(streams);
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_AFTER)
        .keep_alive_timeout(PONG_WITHIN)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX))
        .max_send_buf_size(UNTAKEN_BYTES)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOWS)
        .max_pending_accept_reset_streams(RESET_UNHEARD)
        .max_local_error_reset_streams(RESET_FOR_ERRORS);
    builder
}
