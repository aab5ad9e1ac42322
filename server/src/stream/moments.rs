//! [`Moments`]: when a stream has something to say by itself.

use std::{pin::Pin, task::Context, time::Duration};

use tokio::time::{Instant, Sleep, sleep_until};

/// How long before the end of its credential a reader is told, so that it can come back with another one first.
const TOLD_BEFORE: Duration = Duration::from_secs(60);

/// When a stream has something to say by itself: that it lives, that its reader's credential ends, that it ends itself. One timer
/// for all, of which a stream has one for as long as it lasts.
pub(super) struct Moments {
    timer: Pin<Box<Sleep>>,
    period: Duration,
    heartbeat: Instant,
    /// The end of what its reader showed to be let in.
    expiry: Option<Expiry>,
    /// Its own end, once it was asked to end.
    end: Option<Instant>,
}

/// The end of what a reader showed to be let in, of which it is told a minute before, or at once where it is nearer.
struct Expiry {
    end: Instant,
    /// First the moment to tell, then the end.
    next: Instant,
}

impl Moments {
    /// A heartbeat each `period`, and the end of the credential, where it has one, after `expires_after`.
    pub(super) fn new(period: Duration, expires_after: Option<Duration>) -> Self {
        let now = Instant::now();
        let heartbeat = now + period;
        let expiry = expires_after.map(|after| {
            // Beyond what a clock can count nothing ends.
            let end = now.checked_add(after);
            let end = end.unwrap_or(now + Duration::from_secs(u32::MAX.into()));
            let tell = end.checked_sub(TOLD_BEFORE).map_or(now, |tell| tell.max(now));
            Expiry { end, next: tell }
        });
        let mut moments = Self {
            timer: Box::pin(sleep_until(heartbeat)),
            period,
            heartbeat,
            expiry,
            end: None,
        };
        moments.set();
        moments
    }

    /// The time, where one of its moments has come. Otherwise the waker is called for the next.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Option<Instant> {
        loop {
            if self.timer.as_mut().poll(cx).is_pending() {
                return None;
            }
            let now = Instant::now();
            if self.next() <= now {
                return Some(now);
            }
            self.set();
        }
    }

    /// In how long the credential ends, where that is to be told; once.
    pub(super) fn is_expiring(&mut self, now: Instant) -> Option<Duration> {
        let expiry = self.expiry.as_mut().filter(|expiry| expiry.next <= now)?;
        let is_told = std::mem::replace(&mut expiry.next, expiry.end) == expiry.end;
        (!is_told).then(|| expiry.end.saturating_duration_since(now))
    }

    /// Whether the credential has ended.
    pub(super) fn is_expired(&self, now: Instant) -> bool {
        self.expiry.as_ref().is_some_and(|expiry| expiry.end <= now)
    }

    /// Whether a heartbeat is to be sent; the next one is a period later.
    pub(super) fn is_to_beat(&mut self, now: Instant) -> bool {
        let is_due = self.heartbeat <= now;
        if is_due {
            self.heartbeat = now + self.period;
        }
        is_due
    }

    /// The stream is to end then.
    pub(super) fn end_at(&mut self, end: Instant) {
        self.end = Some(end);
        self.set();
    }

    /// Whether it is known when the stream is to end.
    pub(super) fn is_ending(&self) -> bool {
        self.end.is_some()
    }

    /// Whether it is to end now.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.end.is_some_and(|end| end <= now)
    }

    fn next(&self) -> Instant {
        let expiry = self.expiry.as_ref().map(|expiry| expiry.next);
        let others = [expiry, self.end].into_iter().flatten();
        others.fold(self.heartbeat, Instant::min)
    }

    fn set(&mut self) {
        let next = self.next();
        if self.timer.deadline() != next {
            self.timer.as_mut().reset(next);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::poll_fn,
        task::{Poll, Waker},
    };

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// The time of its next moment, which is waited for.
    async fn next(moments: &mut Moments) -> Instant {
        poll_fn(|cx| moments.poll(cx).map_or(Poll::Pending, Poll::Ready)).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_heartbeat_comes_each_period() {
        let mut moments = Moments::new(SECOND, None);
        let began = Instant::now();
        for beat in 1..4 {
            let now = next(&mut moments).await;
            assert_eq!((now - began).as_secs(), beat);
            // As long as it is not sent it is due.
            assert!(moments.poll(&mut Context::from_waker(Waker::noop())).is_some());
            assert!(moments.is_to_beat(now) && !moments.is_to_beat(now));
            assert!(!moments.is_expired(now) && !moments.is_over(now));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_a_credential_is_told_a_minute_before_and_then_it_is_over() {
        let mut moments = Moments::new(SECOND * 1_000, Some(SECOND * 100));
        let began = Instant::now();
        let now = next(&mut moments).await;
        assert_eq!((now - began).as_secs(), 40);
        assert_eq!(moments.is_expiring(now), Some(TOLD_BEFORE));
        assert_eq!((moments.is_expiring(now), moments.is_expired(now)), (None, false));
        let now = next(&mut moments).await;
        assert_eq!((now - began).as_secs(), 100);
        assert_eq!((moments.is_expiring(now), moments.is_expired(now)), (None, true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_credential_that_ends_soon_is_told_at_once_and_one_beyond_all_clocks_never_ends() {
        let mut moments = Moments::new(SECOND * 1_000, Some(SECOND));
        let now = next(&mut moments).await;
        assert_eq!(moments.is_expiring(now), Some(SECOND));
        let mut moments = Moments::new(SECOND, Some(Duration::MAX));
        let now = next(&mut moments).await;
        assert_eq!((moments.is_expiring(now), moments.is_to_beat(now)), (None, true));
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_may_come_before_all_else() {
        let mut moments = Moments::new(SECOND * 1_000, None);
        let began = Instant::now();
        assert!(moments.poll(&mut Context::from_waker(Waker::noop())).is_none());
        assert!(!moments.is_ending());
        moments.end_at(began + SECOND);
        assert!(moments.is_ending() && !moments.is_over(began));
        let now = next(&mut moments).await;
        assert_eq!((now - began).as_secs(), 1);
        assert!(moments.is_over(now) && !moments.is_to_beat(now));
    }
}
