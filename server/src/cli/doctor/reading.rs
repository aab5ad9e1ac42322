//! [`Reading`]: a stream, and when what of it came.

use std::{
    collections::VecDeque,
    io::Write as _,
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, Response, header};
use flate2::write::GzDecoder;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use logs_shared::{ServerEvent, sse};
use tokio::time::timeout_at;

use crate::cause;

/// A stream, and when what of it came.
pub(super) struct Reading {
    body: Incoming,
    unpack: Option<GzDecoder<Vec<u8>>>,
    parser: sse::Parser,
    pending: VecDeque<ServerEvent>,
    opened: Instant,
    last_byte: Instant,
    bytes: usize,
}

/// What came next.
pub(super) enum Next {
    /// An event.
    Event(ServerEvent),
    /// Nothing, until the time was up.
    Silence,
    /// The end, in words where it was no clean one.
    End(Option<String>),
}

impl Reading {
    /// A stream that has just begun. Of the ways to pack it only gzip can be read.
    pub(super) fn new(response: Response<Incoming>) -> Self {
        let unpack =
            (encoding(response.headers()).as_deref() == Some("gzip")).then(|| GzDecoder::new(Vec::new()));
        let now = Instant::now();
        Self {
            body: response.into_body(),
            unpack,
            parser: sse::Parser::default(),
            pending: VecDeque::new(),
            opened: now,
            last_byte: now,
            bytes: 0,
        }
    }

    /// How long ago the answer began.
    pub(super) fn age(&self) -> Duration {
        self.opened.elapsed()
    }

    /// How long ago the last byte came; the end is none.
    pub(super) fn silence(&self) -> Duration {
        self.last_byte.elapsed()
    }

    /// How many bytes have come.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The next event, or the end, or that nothing came until then.
    pub(super) async fn next(&mut self, until: Instant) -> Next {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Next::Event(event);
            }
            // What comes without end would always be there before the time is found to be up.
            if Instant::now() >= until {
                return Next::Silence;
            }
            let data = match timeout_at(until.into(), self.body.frame()).await {
                Err(_) => return Next::Silence,
                Ok(None) => return Next::End(None),
                Ok(Some(Err(error))) => return Next::End(Some(cause::innermost(&error))),
                Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
            };
            self.last_byte = Instant::now();
            self.bytes += data.len();
            let unpacked;
            let data: &[u8] = match &mut self.unpack {
                None => &data,
                Some(unpack) => {
                    if unpack.write_all(&data).and_then(|()| unpack.flush()).is_err() {
                        return Next::End(Some("what came is not what its content-encoding says".to_owned()));
                    }
                    unpacked = std::mem::take(unpack.get_mut());
                    &unpacked
                }
            };
            let pending = &mut self.pending;
            // What a newer gateway says beyond this is left out.
            self.parser.feed(data, |event, _| {
                pending.extend(ServerEvent::parse(&event.data).ok());
            });
        }
    }

    /// The first event of those that `wanted` takes, unless it does not come until then.
    pub(super) async fn find<T>(
        &mut self,
        until: Instant,
        mut wanted: impl FnMut(ServerEvent) -> Option<T>,
    ) -> Option<T> {
        loop {
            match self.next(until).await {
                Next::Event(event) => {
                    if let Some(found) = wanted(event) {
                        return Some(found);
                    }
                }
                Next::Silence | Next::End(_) => return None,
            }
        }
    }
}

/// How the answer is packed, where it is.
pub(super) fn encoding(headers: &HeaderMap) -> Option<String> {
    let encoding = headers.get(header::CONTENT_ENCODING)?.to_str().ok()?.trim();
    (!encoding.is_empty() && encoding != "identity").then(|| encoding.to_ascii_lowercase())
}
