//! [`Hub`]: the feeds of a provider's hooks.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};

use leptos::prelude::*;
use logs_shared::{Interest, LogRecord};

use crate::{
    buffer::{Buffer, Row},
    feed::{Feed, Selection, Shown},
    timer::Timer,
    value::Value,
};

/// How long a feed is kept when nobody wants it any more, in milliseconds: time for the next view to mount.
const LINGER_MS: u64 = 1_000;

/// The feeds of a provider's hooks: equal ones are one, so a view that is mounted again finds its rows.
///
/// The page's stream itself is shared further than that, by all providers of a page.
#[derive(Clone)]
pub(crate) struct Hub(Rc<Inner>);

struct Inner {
    gateway_url: String,
    is_browser_wide: bool,
    is_enabled: Cell<bool>,
    feeds: RefCell<Vec<(Selection, Held)>>,
}

/// A feed, and who wants it.
struct Held {
    feed: Feed,
    holders: usize,
    /// Its end, when nobody does.
    end: Option<Timer>,
}

/// A hook's part in the hub. Dropping it leaves.
pub(crate) struct Subscription {
    hub: Weak<Inner>,
    selection: Selection,
    pub(crate) shown: Shown,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(inner) = self.hub.upgrade() {
            Hub(inner).leave(&self.selection);
        }
    }
}

impl Hub {
    /// A hub for the gateway at `gateway_url`, which opens no stream until it is enabled and something is wanted.
    pub(crate) fn new(gateway_url: String, is_browser_wide: bool, is_enabled: bool) -> Self {
        Self(Rc::new(Inner {
            gateway_url,
            is_browser_wide,
            is_enabled: Cell::new(is_enabled),
            feeds: RefCell::default(),
        }))
    }

    /// Where the gateway is.
    pub(crate) fn gateway_url(&self) -> &str {
        &self.0.gateway_url
    }

    /// Joins the stream for all feeds, or leaves it and keeps the rows.
    pub(crate) fn enable(&self, is_enabled: bool) {
        self.0.is_enabled.set(is_enabled);
        self.0
            .feeds
            .borrow()
            .iter()
            .for_each(|(_, held)| held.feed.enable(is_enabled));
    }

    /// Follows a selection.
    pub(crate) fn subscribe(&self, selection: Selection) -> Subscription {
        let mut feeds = self.0.feeds.borrow_mut();
        if find(&mut feeds, &selection).is_none() {
            let feed = Feed::new(
                &self.0.gateway_url,
                self.0.is_browser_wide,
                &selection,
                gathered(&feeds, &selection),
                !self.0.is_enabled.get(),
            );
            let held = Held {
                feed,
                holders: 0,
                end: None,
            };
            feeds.push((selection.clone(), held));
        }
        let shown = find(&mut feeds, &selection).map(|held| {
            held.holders += 1;
            held.end = None;
            held.feed.shown().clone()
        });
        Subscription {
            hub: Rc::downgrade(&self.0),
            selection,
            shown: shown.unwrap_or_default(),
        }
    }

    fn leave(&self, selection: &Selection) {
        let mut feeds = self.0.feeds.borrow_mut();
        let Some(held) = find(&mut feeds, selection) else {
            return;
        };
        held.holders -= 1;
        if held.holders > 0 {
            return;
        }
        let (hub, selection) = (Rc::downgrade(&self.0), selection.clone());
        held.end = Some(Timer::after(LINGER_MS, move || {
            let gone = hub.upgrade().and_then(|inner| {
                let mut feeds = inner.feeds.borrow_mut();
                let place = feeds.iter().position(|(known, _)| *known == selection)?;
                Some(feeds.swap_remove(place))
            });
            // Not while the feeds are borrowed.
            drop(gone);
        }));
    }
}

fn find<'a>(feeds: &'a mut [(Selection, Held)], selection: &Selection) -> Option<&'a mut Held> {
    let found = feeds.iter_mut().find(|(known, _)| known == selection);
    found.map(|(_, held)| held)
}

/// What the other feeds have of a selection: shown at once, before the gateway gives it again.
fn gathered(feeds: &[(Selection, Held)], selection: &Selection) -> Buffer {
    let mut buffer = Buffer::new(selection.max_logs);
    for (_, held) in feeds {
        held.feed.shown().rows.with_untracked(|rows| {
            let records = rows.records().filter(|record| is_in(record, selection));
            records.for_each(|record| buffer.insert(Row::Record(record.clone())));
        });
    }
    buffer
}

fn is_in(record: &LogRecord, selection: &Selection) -> bool {
    selection
        .interests
        .iter()
        .any(|interest| is_of_interest(interest, record))
}

/// As [`Interest::matches`] says, which brings a JSON library along.
fn is_of_interest(interest: &Interest, record: &LogRecord) -> bool {
    let fields = Value::of(record);
    interest.level.is_none_or(|level| record.level >= level)
        && interest.pattern.matches(&record.channel)
        && interest
            .conditions
            .iter()
            .all(|(name, text)| fields.has(name, text))
}
