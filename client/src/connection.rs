//! [`Connection`]: keeps one stream open, whatever happens to it.

mod events;
mod recovery;
mod state;

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};

use leptos::prelude::{document, window};
use logs_shared::{ChannelPattern, LogRecord, StreamQuery, api, event::Gap, query::Start};

use crate::{
    ConnectionStatus,
    backoff::Backoff,
    listener::Listener,
    source::Source,
    streams::{Position, Stream, Streams},
    timer::Timer,
};
use state::State;

/// What a connection tells the hub.
pub(crate) enum Said {
    /// A record came; it may have come before.
    Record(LogRecord),
    /// Records may be missing.
    Gap(Gap),
    /// The status, the stream or the words for what is wrong are others now.
    Changed,
}

/// Keeps one stream open for what is wanted, whatever happens to it, and alone owns the page's `EventSource`.
///
/// The hub makes it and drops it, which closes everything. At most one stream is read, beside it there
/// may be the next one, which is on its way because the channels have changed, the gateway will close
/// the first, or the network is another.
#[derive(Clone)]
pub(crate) struct Connection(Rc<Inner>);

struct Inner {
    stream_url: String,
    tell: Box<dyn Fn(Said)>,
    wanted: RefCell<Wanted>,
    state: RefCell<State>,
    /// What was read by streams that are gone.
    read: RefCell<Position>,
    backoff: RefCell<Backoff>,
    /// Whether a try has failed or a stream was lost since someone asked for one.
    again: Cell<bool>,
    error: RefCell<Option<String>>,
    numbers: Cell<u64>,
    watchdog: RefCell<Option<Timer>>,
    listeners: RefCell<Vec<Listener>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Wanted {
    /// In order.
    channels: Vec<ChannelPattern>,
    tail: usize,
}

/// Milliseconds by a clock that does not step back.
fn now() -> f64 {
    window()
        .performance()
        .map_or_else(js_sys::Date::now, |clock| clock.now())
}

impl Connection {
    /// A connection to the gateway at `gateway_url`, which may be empty: the page's own origin.
    pub(crate) fn new(gateway_url: &str, tell: impl Fn(Said) + 'static) -> Self {
        let connection = Self(Rc::new(Inner {
            stream_url: format!("{}{}", gateway_url.trim_end_matches('/'), api::STREAM_PATH),
            tell: Box::new(tell),
            wanted: RefCell::default(),
            state: RefCell::default(),
            read: RefCell::default(),
            backoff: RefCell::default(),
            again: Cell::default(),
            error: RefCell::default(),
            numbers: Cell::default(),
            watchdog: RefCell::default(),
            listeners: RefCell::default(),
        }));
        *connection.0.listeners.borrow_mut() = vec![
            // Another network: what is open may be dead without anyone having said so.
            Listener::on(&window(), "online", connection.later(|it, _| it.retry_now(true))),
            Listener::on(&document(), "visibilitychange", {
                connection.later(|it, _| {
                    if !document().hidden() {
                        it.retry_now(false);
                    }
                })
            }),
        ];
        connection
    }

    /// A call that does nothing once the connection is gone.
    fn later<T>(&self, call: impl Fn(&Self, T) + 'static) -> impl Fn(T) + 'static {
        let weak: Weak<Inner> = Rc::downgrade(&self.0);
        move |value| {
            if let Some(inner) = weak.upgrade() {
                call(&Self(inner), value);
            }
        }
    }

    /// Forgets how far channels were read that nobody subscribes to any more. To be called before
    /// [`Self::follow`], which may have less to follow than there are subscriptions: nothing while
    /// disconnected, and that is no reason to forget.
    pub(crate) fn keep(&self, subscribed: &[ChannelPattern]) {
        self.0.read.borrow_mut().keep(subscribed);
        if let State::Streaming { streams, .. } = &mut *self.0.state.borrow_mut() {
            for stream in streams.each_mut() {
                stream.channels.retain(|channel| subscribed.contains(channel));
            }
        }
    }

    /// Follows these channels from now on; with none, nothing is open.
    ///
    /// `tail` is how many of the newest records to start with where there is no cursor to go on from.
    pub(crate) fn follow(&self, mut channels: Vec<ChannelPattern>, tail: usize) {
        channels.sort();
        let wanted = Wanted { channels, tail };
        let is_new = wanted.channels != self.0.wanted.borrow().channels;
        *self.0.wanted.borrow_mut() = wanted;
        self.0.state.borrow_mut().forget_next_try(is_new);
        let state = self.0.state.borrow();
        if self.0.wanted.borrow().channels.is_empty() {
            drop(state);
            self.stop();
        } else if state.is_off() || (is_new && !state.is_streaming()) {
            drop(state);
            self.start_over();
            self.open();
        } else if is_new && let State::Streaming { streams, .. } = &*state {
            let is_open = streams.first.opened.is_some();
            drop(state);
            if is_open { self.open_next() } else { self.open() }
        }
    }

    /// Closes everything. What has been read is remembered for when something is wanted again.
    fn stop(&self) {
        let state = self.0.state.take();
        if let State::Streaming { streams, .. } = state {
            self.remember(&streams.first);
        }
        self.0.watchdog.take();
        self.0.error.take();
        self.0.again.set(false);
        self.tell(Said::Changed);
    }

    fn open(&self) {
        let start = {
            let wanted = self.0.wanted.borrow();
            self.0.read.borrow().start(&wanted.channels, wanted.tail)
        };
        let Some(stream) = self.request(start) else { return };
        self.0.state.replace(State::streaming(Streams::of(stream)));
        self.tell(Said::Changed);
        self.watch();
    }

    /// Opens the stream that will take over from the one that is read.
    fn open_next(&self) {
        let start = {
            let (wanted, state) = (self.0.wanted.borrow(), self.0.state.borrow());
            let State::Streaming { streams, .. } = &*state else {
                return;
            };
            streams.first.position().start(&wanted.channels, wanted.tail)
        };
        let Some(stream) = self.request(start) else { return };
        if let State::Streaming { streams, later } = &mut *self.0.state.borrow_mut() {
            streams.next = Some(stream);
            *later = None;
        }
        self.watch();
    }

    fn url(&self, start: Start) -> String {
        let channels = self.0.wanted.borrow().channels.clone();
        let query = StreamQuery {
            channels,
            start,
            level: None,
        };
        format!("{}?{}", self.0.stream_url, query.to_query())
    }

    fn request(&self, start: Start) -> Option<Stream<Source>> {
        let number = self.0.numbers.get() + 1;
        self.0.numbers.set(number);
        let channels = self.0.wanted.borrow().channels.clone();
        let url = self.url(start);
        let hear = self.later(move |it, heard| it.hear(number, heard));
        match Source::open(&url, hear) {
            Ok(source) => Some(Stream::new(number, source, channels, now())),
            Err(_) => {
                self.fail(format!("{} is no address a browser can open.", self.0.stream_url));
                None
            }
        }
    }

    fn remember(&self, stream: &Stream<Source>) {
        if stream.cursor.is_some() {
            self.0.read.replace(stream.position());
        }
    }

    fn fail(&self, words: String) {
        self.0.error.replace(Some(words));
        self.0.state.replace(State::Failed);
        self.tell(Said::Changed);
    }

    fn once(&self, call: fn(&Self)) -> impl FnOnce() + 'static {
        let call = self.later(move |it, ()| call(it));
        move || call(())
    }

    fn tell(&self, said: Said) {
        (self.0.tell)(said);
    }

    /// How the page stands with the gateway.
    pub(crate) fn status(&self) -> ConnectionStatus {
        self.0.state.borrow().status(self.0.again.get())
    }

    /// The gateway's name for the stream that is read.
    pub(crate) fn stream_id(&self) -> Option<String> {
        self.0.state.borrow().stream_id()
    }

    /// What is wrong, in a sentence.
    pub(crate) fn error(&self) -> Option<String> {
        self.0.error.borrow().clone()
    }
}
