//! What a stream says, and what follows from it.

use logs_shared::{ServerEvent, event};

use super::{
    Connection, Said, now,
    state::{Later, State},
};
use crate::{source::Heard, streams::Opened, timer::Timer};

impl Connection {
    pub(super) fn hear(&self, number: u64, heard: Heard) {
        match heard {
            Heard::Event { data, id } => self.on_event(number, &data, &id),
            Heard::Lost { refused } => self.on_lost(number, refused),
        }
    }

    fn on_event(&self, number: u64, data: &str, id: &str) {
        if let State::Streaming { streams, .. } = &mut *self.0.state.borrow_mut()
            && let Some(stream) = streams.get_mut(number)
        {
            stream.heard(id, now());
        } else {
            return;
        }
        // What cannot be read comes from a newer gateway, and is skipped.
        match ServerEvent::parse(data) {
            Ok(ServerEvent::Log(record)) => self.tell(Said::Record(record)),
            Ok(ServerEvent::Gap(gap)) => self.tell(Said::Gap(gap)),
            Ok(ServerEvent::Connection(opened)) => self.on_opened(number, opened),
            Ok(ServerEvent::Drain(_)) => self.renew(),
            Ok(ServerEvent::Close(close)) => return self.on_close(number, &close),
            Ok(_) | Err(_) => {}
        }
        self.hand_over();
    }

    fn on_opened(&self, number: u64, event: event::Connection) {
        let is_first = {
            let mut state = self.0.state.borrow_mut();
            let State::Streaming { streams, .. } = &mut *state else {
                return;
            };
            let Some(stream) = streams.get_mut(number) else {
                return;
            };
            stream.opened = Some(Opened {
                start: stream.cursor,
                stream_id: event.stream_id,
                heartbeat_ms: event.heartbeat_ms,
            });
            streams.first.number == number
        };
        if is_first {
            self.on_first_open();
        }
        self.watch();
    }

    /// The stream that is read is open, and none was open just before it.
    pub(super) fn on_first_open(&self) {
        let gaps = {
            let state = self.0.state.borrow();
            let State::Streaming { streams, .. } = &*state else {
                return;
            };
            let Some(opened) = &streams.first.opened else {
                return;
            };
            self.0.read.borrow().gaps(opened.start, &streams.first.channels)
        };
        gaps.into_iter().for_each(|gap| self.tell(Said::Gap(gap)));
        self.settle();
    }

    fn hand_over(&self) {
        let handed_over = match &mut *self.0.state.borrow_mut() {
            State::Streaming { streams, .. } => streams.hand_over(),
            _ => false,
        };
        if handed_over {
            self.settle();
        }
    }

    /// A stream is open and read.
    fn settle(&self) {
        self.0.backoff.borrow_mut().opened(now());
        self.0.error.take();
        self.tell(Said::Changed);
    }

    /// The gateway ends the stream, and says whether to come back.
    fn on_close(&self, number: u64, close: &event::Close) {
        let Some((streams, later)) = self.0.state.borrow_mut().take_streams() else {
            return;
        };
        if streams.first.number != number || streams.next.is_some() {
            self.0.state.replace(State::Streaming { streams, later });
            return self.on_lost(number, false);
        }
        self.remember(&streams.first);
        match close.retry_ms {
            Some(retry_ms) => {
                self.0.again.set(true);
                let timer = Timer::after(retry_ms, self.once(Self::open));
                self.0.state.replace(State::Between(Later::Waiting(timer)));
                self.tell(Said::Changed);
            }
            None => self.fail(format!("The gateway ended the stream: {}.", close.reason)),
        }
    }
}
