//! [`Channel`]: who reads the same.

use memchr::{memchr, memmem};

/// Readers of a channel, and what they have not been sent yet.
#[derive(Debug, Default)]
pub(super) struct Channel {
    /// By the number of their connections.
    pub(super) readers: Vec<usize>,
    pub(super) pending: Vec<u8>,
}

/// The channel that a frame names.
pub(super) fn of(frame: &[u8]) -> &[u8] {
    let name = b"\"channel\":\"";
    let Some(at) = memmem::find(frame, name) else {
        return b"";
    };
    let rest = &frame[at + name.len()..];
    &rest[..memchr(b'"', rest).unwrap_or_default()]
}
