//! [`Hub`]: the feeds of a provider's hooks.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::{Rc, Weak},
};

use leptos::prelude::*;
use logs_shared::LogRecord;

use crate::{
    buffer::{Buffer, Row},
    feed::{Feed, Selection, Shown},
    timer::Timer,
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
    feeds: RefCell<BTreeMap<Selection, Held>>,
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
            .values()
            .for_each(|held| held.feed.enable(is_enabled));
    }

    /// Follows a selection.
    pub(crate) fn subscribe(&self, selection: Selection) -> Subscription {
        let mut feeds = self.0.feeds.borrow_mut();
        if !feeds.contains_key(&selection) {
            let feed = Feed::new(
                &self.0.gateway_url,
                self.0.is_browser_wide,
                &selection,
                gathered(&feeds, &selection),
                !self.0.is_enabled.get(),
            );
            feeds.insert(
                selection.clone(),
                Held {
                    feed,
                    holders: 0,
                    end: None,
                },
            );
        }
        let shown = feeds.get_mut(&selection).map(|held| {
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
        let Some(held) = feeds.get_mut(selection) else {
            return;
        };
        held.holders -= 1;
        if held.holders > 0 {
            return;
        }
        let (hub, selection) = (Rc::downgrade(&self.0), selection.clone());
        held.end = Some(Timer::after(LINGER_MS, move || {
            let gone = hub
                .upgrade()
                .and_then(|inner| inner.feeds.borrow_mut().remove(&selection));
            // Not while the feeds are borrowed.
            drop(gone);
        }));
    }
}

/// What the other feeds have of a selection: shown at once, before the gateway gives it again.
fn gathered(feeds: &BTreeMap<Selection, Held>, selection: &Selection) -> Buffer {
    let mut buffer = Buffer::new(selection.max_logs);
    for held in feeds.values() {
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
        .any(|interest| interest.matches(&record.entry))
}
