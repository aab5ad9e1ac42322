//! [`Expiry`]: the end of what a reader showed to be let in.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use logs_shared::{ServerEvent, event::Expiring};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::quantity;

/// How long before the end a reader is told, so that it can come back with another credential first.
const TOLD_BEFORE: Duration = Duration::from_secs(60);

/// The end of what a reader showed to be let in, of which it is told a minute before, or at once where it is nearer.
pub(super) struct Expiry {
    end: Instant,
    /// First the moment to tell, then the end.
    next: Pin<Box<Sleep>>,
    is_told: bool,
}

impl Expiry {
    pub(super) fn new(after: Duration) -> Self {
        let now = Instant::now();
        // Beyond what a clock can count nothing ends.
        let end = now
            .checked_add(after)
            .unwrap_or(now + Duration::from_secs(u32::MAX.into()));
        let tell = end.checked_sub(TOLD_BEFORE).map_or(now, |tell| tell.max(now));
        Self {
            end,
            next: Box::pin(sleep_until(tell)),
            is_told: false,
        }
    }

    /// Whether it is over. Tells when it soon will be, once. Registers the waker for what comes next.
    pub(super) fn is_over(&mut self, cx: &mut Context<'_>, out: &mut Vec<u8>) -> bool {
        loop {
            if self.next.as_mut().poll(cx) == Poll::Pending {
                return false;
            }
            if self.is_told {
                return true;
            }
            self.is_told = true;
            let left = self.end.saturating_duration_since(Instant::now());
            let within_ms = quantity::millis(left);
            ServerEvent::Expiring(Expiring { within_ms }).write_sse(None, out);
            self.next.as_mut().reset(self.end);
        }
    }
}
