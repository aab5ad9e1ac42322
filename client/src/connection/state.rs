//! [`State`]: where a connection is, with what it holds there.

use crate::{
    ConnectionStatus,
    refusal::Question,
    source::Source,
    streams::{Stream, Streams},
    timer::Timer,
};

/// How long a stream may take to open, in milliseconds.
const OPEN_MS: f64 = 20_000.0;
/// A stream is lost when it is silent for this many heartbeats.
const SILENT_HEARTBEATS: f64 = 2.5;

/// Where a connection is. What a state holds is given back when it is left.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one a page, and it moves when a stream comes or goes"
)]
#[derive(Default)]
pub(super) enum State {
    /// Nothing is wanted.
    #[default]
    Off,
    /// A stream is on its way or open, perhaps with the next one beside it.
    Streaming {
        /// These.
        streams: Streams<Source>,
        /// The next one could not be opened and will be tried again.
        later: Option<Later>,
    },
    /// None could be opened.
    Between(Later),
    /// None will be tried.
    Failed,
}

/// What comes before the next try.
pub(super) enum Later {
    /// The answer why there is no stream.
    Asking(#[expect(dead_code, reason = "held: the question ends when it is dropped")] Question),
    /// The end of the back-off.
    Waiting(#[expect(dead_code, reason = "held: the wait ends when it is dropped")] Timer),
}

impl State {
    pub(super) fn streaming(streams: Streams<Source>) -> Self {
        Self::Streaming { streams, later: None }
    }

    pub(super) fn is_off(&self) -> bool {
        matches!(self, Self::Off)
    }

    pub(super) fn is_streaming(&self) -> bool {
        matches!(self, Self::Streaming { .. })
    }

    /// Takes the streams out, where there are any, and is off.
    pub(super) fn take_streams(&mut self) -> Option<(Streams<Source>, Option<Later>)> {
        match std::mem::take(self) {
            Self::Streaming { streams, later } => Some((streams, later)),
            other => {
                *self = other;
                None
            }
        }
    }

    /// Sets what comes before the next try.
    pub(super) fn try_next(&mut self, next: Later) {
        match self {
            Self::Streaming { later, .. } => *later = Some(next),
            Self::Between(later) => *later = next,
            Self::Off | Self::Failed => {}
        }
    }

    /// Gives up the next stream's try, when it is for what is no longer wanted.
    pub(super) fn forget_next_try(&mut self, is_outdated: bool) {
        if let Self::Streaming { later, .. } = self
            && is_outdated
        {
            *later = None;
        }
    }

    /// The first stream that is silent for too long, and in how many milliseconds the next one may be.
    pub(super) fn silence(&self, now: f64) -> Option<(Option<u64>, u64)> {
        let Self::Streaming { streams, .. } = self else {
            return None;
        };
        let left = |stream: &Stream<Source>| {
            let most = stream.opened.as_ref().map_or(OPEN_MS, |opened| {
                // Exact below 2^53, and a heartbeat of 285,000 years is none.
                #[expect(clippy::cast_precision_loss)]
                let heartbeat_ms = opened.heartbeat_ms as f64;
                heartbeat_ms * SILENT_HEARTBEATS
            });
            (stream.number, most - (now - stream.heard_at))
        };
        let (number, left_ms) = std::iter::once(&streams.first)
            .chain(&streams.next)
            .map(left)
            .min_by(|a, b| a.1.total_cmp(&b.1))?;
        // Not below 1.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let wait_ms = left_ms.max(1.0).ceil() as u64;
        Some(((left_ms <= 0.0).then_some(number), wait_ms))
    }

    pub(super) fn status(&self, again: bool) -> ConnectionStatus {
        match self {
            Self::Off => ConnectionStatus::Disconnected,
            Self::Failed => ConnectionStatus::Error,
            Self::Streaming { streams, .. } if streams.first.opened.is_some() => ConnectionStatus::Connected,
            _ if again => ConnectionStatus::Reconnecting,
            _ => ConnectionStatus::Connecting,
        }
    }

    pub(super) fn stream_id(&self) -> Option<String> {
        match self {
            Self::Streaming { streams, .. } => Some(streams.first.opened.as_ref()?.stream_id.clone()),
            _ => None,
        }
    }
}
