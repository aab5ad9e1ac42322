//! [`Hub`]: what all hooks of a page want together, and which of them a record is for.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    rc::{Rc, Weak},
    sync::Arc,
};

use leptos::prelude::*;
use logs_shared::{Channel, ChannelPattern};

use crate::{
    ConnectionStatus,
    buffer::{Buffer, Row},
    connection::{Connection, Said},
    frame::Frame,
    timer::Timer,
};

/// How long a channel is kept when nobody wants it any more, in milliseconds: time for the next view to mount.
const LINGER_MS: u64 = 1_000;
/// The most records a stream starts with.
const MOST_TAIL: usize = 1_000;
/// So many rows are shown without waiting for the frame, so that a hidden tab, whose timers may come
/// once a minute, holds no more.
const MOST_PENDING: usize = 10_000;

/// What all hooks of a page want together, on one stream.
///
/// The provider makes it. A hook's [`Subscription`] adds its channels; equal subscriptions share one
/// buffer, which lives as long as any of them, so a view that is mounted again finds its lines.
/// Records that come in between two animation frames are shown together.
#[derive(Clone)]
pub(crate) struct Hub(Rc<Inner>);

struct Inner {
    connection: Connection,
    feeds: RefCell<BTreeMap<Vec<ChannelPattern>, Feed>>,
    pending: RefCell<Vec<Row>>,
    frame: Rc<Frame>,
    change: RefCell<Option<(Timer, u64)>>,
    is_enabled: Cell<bool>,
    signals: Signals,
}

/// What the hub shows of its connection.
#[derive(Clone, Default)]
pub(crate) struct Signals {
    pub(crate) status: ArcRwSignal<ConnectionStatus>,
    pub(crate) stream_id: ArcRwSignal<Option<String>>,
    pub(crate) error: ArcRwSignal<Option<String>>,
}

/// One selection of channels, and who wants it.
struct Feed {
    rows: ArcRwSignal<Buffer>,
    /// How many rows each of its subscriptions wants.
    holders: Vec<usize>,
}

/// A hook's part in the hub. Dropping it leaves.
pub(crate) struct Subscription {
    hub: Weak<Inner>,
    channels: Vec<ChannelPattern>,
    max_logs: usize,
    /// The rows.
    pub(crate) rows: ArcReadSignal<Buffer>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(inner) = self.hub.upgrade() {
            Hub(inner).leave(&self.channels, self.max_logs);
        }
    }
}

impl Hub {
    /// A hub for the gateway at `gateway_url`. It opens a stream once it is enabled and something is wanted.
    pub(crate) fn new(gateway_url: &str) -> Self {
        Self(Rc::new_cyclic(|hub: &Weak<Inner>| {
            let (said, shown) = (hub.clone(), hub.clone());
            Inner {
                connection: Connection::new(gateway_url, move |what| {
                    if let Some(inner) = said.upgrade() {
                        Self(inner).hear(what);
                    }
                }),
                feeds: RefCell::default(),
                pending: RefCell::default(),
                frame: Frame::new(move || {
                    if let Some(inner) = shown.upgrade() {
                        Self(inner).show();
                    }
                }),
                change: RefCell::default(),
                is_enabled: Cell::new(false),
                signals: Signals::default(),
            }
        }))
    }

    /// What the hub shows of its connection.
    pub(crate) fn signals(&self) -> Signals {
        self.0.signals.clone()
    }

    /// Opens a stream as soon as something is wanted, or closes it and keeps the lines.
    pub(crate) fn enable(&self, is_enabled: bool) {
        self.0.is_enabled.set(is_enabled);
        // Connecting anew is also the way out of an error.
        if is_enabled && self.0.signals.status.get_untracked() == ConnectionStatus::Error {
            self.0.connection.follow(Vec::new(), 0);
        }
        self.revise();
    }

    /// Adds channels, none twice, with room for the newest `max_logs` of their rows.
    pub(crate) fn subscribe(&self, mut channels: Vec<ChannelPattern>, max_logs: usize) -> Subscription {
        channels.sort();
        channels.dedup();
        let rows = {
            let mut feeds = self.0.feeds.borrow_mut();
            if !feeds.contains_key(&channels) {
                let rows = ArcRwSignal::new(gathered(&feeds, &channels, max_logs));
                feeds.insert(
                    channels.clone(),
                    Feed {
                        rows,
                        holders: Vec::new(),
                    },
                );
            }
            feeds
                .get_mut(&channels)
                .map_or_else(ArcRwSignal::default, |feed| {
                    feed.holders.push(max_logs);
                    feed.rows.clone()
                })
        };
        self.resize(&channels);
        self.revise_in(0);
        Subscription {
            hub: Rc::downgrade(&self.0),
            channels,
            max_logs,
            rows: rows.read_only(),
        }
    }

    fn leave(&self, channels: &Vec<ChannelPattern>, max_logs: usize) {
        if let Some(feed) = self.0.feeds.borrow_mut().get_mut(channels)
            && let Some(place) = feed.holders.iter().position(|held| *held == max_logs)
        {
            feed.holders.swap_remove(place);
        }
        self.resize(channels);
        self.revise_in(LINGER_MS);
    }

    /// Gives a feed the room that the largest of its subscriptions wants.
    fn resize(&self, channels: &Vec<ChannelPattern>) {
        let feeds = self.0.feeds.borrow();
        let Some(feed) = feeds.get(channels) else { return };
        let (rows, most) = (feed.rows.clone(), feed.holders.iter().max().copied());
        drop(feeds);
        if let Some(most) = most
            && rows.with_untracked(Buffer::max_rows) != most
        {
            rows.update(|rows| rows.set_max_rows(most));
        }
    }

    /// Tells the connection what is wanted, unless it will be told sooner.
    fn revise_in(&self, delay_ms: u64) {
        let mut change = self.0.change.borrow_mut();
        if change
            .as_ref()
            .is_some_and(|(_, planned_ms)| *planned_ms <= delay_ms)
        {
            return;
        }
        let hub = Rc::downgrade(&self.0);
        let timer = Timer::after(delay_ms, move || {
            if let Some(inner) = hub.upgrade() {
                Self(inner).revise();
            }
        });
        *change = Some((timer, delay_ms));
    }

    fn revise(&self) {
        self.0.change.take();
        let (mut wanted, mut tail) = (BTreeSet::new(), 0);
        self.0.feeds.borrow_mut().retain(|channels, feed| {
            let most = feed.holders.iter().max();
            if let Some(most) = most {
                wanted.extend(channels.iter().cloned());
                tail = tail.max(*most);
            }
            most.is_some()
        });
        let mut wanted: Vec<ChannelPattern> = wanted.into_iter().collect();
        self.0.connection.keep(&wanted);
        if !self.0.is_enabled.get() {
            wanted.clear();
        }
        self.0.connection.follow(wanted, tail.min(MOST_TAIL));
    }

    fn hear(&self, said: Said) {
        let row = match said {
            Said::Record(record) => Row::Record(Arc::new(record)),
            Said::Gap(gap) => Row::Gap(gap),
            Said::Changed => return self.show_connection(),
        };
        let pending = {
            let mut pending = self.0.pending.borrow_mut();
            pending.push(row);
            pending.len()
        };
        if pending < MOST_PENDING {
            self.0.frame.ask();
        } else {
            self.show();
        }
    }

    fn show_connection(&self) {
        let (connection, signals) = (&self.0.connection, &self.0.signals);
        set(&signals.status, connection.status());
        set(&signals.stream_id, connection.stream_id());
        set(&signals.error, connection.error());
    }

    /// Puts what has come in into the buffers it is for.
    fn show(&self) {
        let pending = self.0.pending.take();
        let feeds: Vec<(Vec<ChannelPattern>, ArcRwSignal<Buffer>)> = {
            let feeds = self.0.feeds.borrow();
            feeds
                .iter()
                .map(|(channels, feed)| (channels.clone(), feed.rows.clone()))
                .collect()
        };
        for (channels, signal) in feeds {
            let mut rows = pending.iter().filter(|row| is_for(row, &channels)).peekable();
            if rows.peek().is_some() {
                signal.update(|buffer| rows.for_each(|row| buffer.insert(row.clone())));
            }
        }
    }
}

fn set<T: PartialEq + 'static>(signal: &ArcRwSignal<T>, value: T) {
    if signal.with_untracked(|now| *now != value) {
        signal.set(value);
    }
}

/// Whether a row belongs to a selection of channels.
fn is_for(row: &Row, channels: &[ChannelPattern]) -> bool {
    let any = |channel: &Channel| channels.iter().any(|pattern| pattern.matches(channel));
    match row {
        Row::Record(record) => any(&record.channel),
        // A pattern's gap may be in any channel it matches.
        Row::Gap(gap) => {
            channels.contains(&gap.channel) || gap.channel.as_channel().is_none_or(|channel| any(&channel))
        }
        Row::Unloaded(_) => false,
    }
}

/// What the other feeds have of these channels: shown at once, before the stream sends it again.
fn gathered(
    feeds: &BTreeMap<Vec<ChannelPattern>, Feed>,
    channels: &[ChannelPattern],
    max_logs: usize,
) -> Buffer {
    let mut buffer = Buffer::new(max_logs);
    for feed in feeds.values() {
        feed.rows.with_untracked(|rows| {
            let records = rows
                .rows()
                .filter(|row| row.as_record().is_some() && is_for(row, channels));
            records.for_each(|row| buffer.insert(row.clone()));
        });
    }
    buffer
}
