//! What is done when a stream is lost, silent or refused.

use leptos::prelude::window;

use super::{
    Connection, Said, now,
    state::{Later, State},
};
use crate::{
    refusal::{Question, Refusal},
    source::Source,
    streams::Streams,
    timer::Timer,
};

impl Connection {
    pub(super) fn on_lost(&self, number: u64, refused: bool) {
        let Some((mut streams, later)) = self.0.state.borrow_mut().take_streams() else {
            return;
        };
        if streams.first.number == number {
            self.on_first_lost(streams, refused);
            return;
        }
        let next = streams.next.take_if(|next| next.number == number);
        self.0.state.replace(State::Streaming { streams, later });
        if next.is_some() {
            let later = if refused { self.ask() } else { self.wait() };
            self.0.state.borrow_mut().try_next(later);
        }
    }

    fn on_first_lost(&self, streams: Streams<Source>, refused: bool) {
        let was_open = streams.first.opened.is_some();
        self.remember(&streams.first);
        match streams.lose_first() {
            Some(left) => {
                self.0.again.set(true);
                let is_open = left.first.opened.is_some();
                self.0.state.replace(State::streaming(left));
                if is_open {
                    self.on_first_open();
                }
            }
            None => {
                let later = if refused && !was_open {
                    self.ask()
                } else {
                    self.wait()
                };
                self.0.state.replace(State::Between(later));
            }
        }
        self.tell(Said::Changed);
    }

    /// Finds out why there is no stream.
    fn ask(&self) -> Later {
        let start = {
            let wanted = self.0.wanted.borrow();
            self.0.read.borrow().start(&wanted.channels, wanted.tail)
        };
        let tell = self.later(|it, refusal| it.on_refusal(refusal));
        Later::Asking(Question::ask(self.url(start), tell))
    }

    fn on_refusal(&self, refusal: Refusal) {
        match refusal {
            Refusal::Final(words) if self.0.state.borrow().is_streaming() => {
                // What is open stays open; only the change was refused.
                self.0.state.borrow_mut().forget_next_try(true);
                self.0.error.replace(Some(words));
            }
            Refusal::Final(words) => return self.fail(words),
            Refusal::Passing(words) => {
                let later = self.wait();
                self.0.error.replace(Some(words));
                self.0.state.borrow_mut().try_next(later);
            }
            Refusal::None => {
                let later = self.wait();
                self.0.state.borrow_mut().try_next(later);
            }
        }
        self.tell(Said::Changed);
    }

    fn wait(&self) -> Later {
        self.0.again.set(true);
        let delay = self.0.backoff.borrow_mut().lost(now(), js_sys::Math::random());
        let is_offline = !window().navigator().on_line();
        self.0
            .error
            .replace(is_offline.then(|| "The browser is offline.".into()));
        Later::Waiting(Timer::after(delay, self.once(Self::try_again)))
    }

    fn try_again(&self) {
        let is_streaming = self.0.state.borrow().is_streaming();
        if is_streaming {
            self.open_next();
        } else {
            self.open();
        }
    }

    pub(super) fn start_over(&self) {
        self.0.backoff.borrow_mut().start_over();
    }

    /// Something has changed for the better: waits no longer, and with `renew` trusts no open stream.
    pub(super) fn retry_now(&self, renew: bool) {
        let waits = matches!(&*self.0.state.borrow(), State::Between(Later::Waiting(_)));
        if waits {
            self.start_over();
            self.open();
        } else if renew {
            self.renew();
        }
    }

    /// Opens the next stream for the same channels, unless one is on its way.
    pub(super) fn renew(&self) {
        let state = self.0.state.borrow();
        let State::Streaming { streams, .. } = &*state else {
            return;
        };
        if streams.next.is_none() && streams.first.opened.is_some() {
            drop(state);
            self.open_next();
        }
    }

    /// Takes a stream that is silent for too long for lost, and comes back when the next may be.
    pub(super) fn watch(&self) {
        let Some((overdue, left_ms)) = self.0.state.borrow().silence(now()) else {
            return;
        };
        match overdue {
            Some(number) => {
                self.on_lost(number, false);
                self.watch();
            }
            None => {
                let timer = Timer::after(left_ms, self.once(Self::watch));
                self.0.watchdog.replace(Some(timer));
            }
        }
    }
}
