//! [`Past`]: lines from before those that are there, and between them.

mod page;

use leptos::prelude::*;
use logs_shared::{ChannelPattern, RecordId, event::Gap};
use wasm_bindgen_futures::spawn_local;
use web_sys::{AbortController, AbortSignal};

use self::page::Page;
use super::{follow::Follow, view::View, viewer::Viewer};
use crate::{
    Buffer, Logs,
    buffer::{Row, RowKey},
    filter::Filter,
};

/// How many records are asked for at once.
const PAGE: usize = 500;
/// So many pages are looked through without being asked, when the filter shows nothing of them.
const MOST_FRUITLESS: usize = 20;
/// How many records are shown on either side of one that a link leads to.
const AROUND: usize = 200;

/// Lines from before those that are there, and between them, from the gateway's history. A viewer has one.
///
/// What it loads is in the view as long as that stands still.
#[derive(Clone, Copy)]
pub(crate) struct Past {
    channels: Signal<Vec<ChannelPattern>>,
    gateway_url: StoredValue<String>,
    logs: Logs,
    view: RwSignal<View>,
    filter: RwSignal<Filter>,
    follow: Follow,
    older: RwSignal<Older>,
    holes: RwSignal<Vec<(RowKey, Hole)>>,
    /// Whether the record that a link leads to is no longer kept.
    is_lost: RwSignal<bool>,
    /// How many pages in a row showed nothing.
    fruitless: StoredValue<usize>,
    requests: StoredValue<Vec<AbortController>, LocalStorage>,
}

/// How it stands with the lines before all that are there.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Older {
    /// There may be some.
    Unknown,
    Loading,
    /// There are none.
    None,
    Failed(String),
}

/// How it stands with the lines that are missing between others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hole {
    /// There may be some.
    Unknown,
    /// They are being asked for.
    Loading,
    /// So many were found, up to this one; there may be others.
    Found(usize, RecordId),
    /// So many were found, and there are no others.
    All(usize),
    /// Why they could not be loaded.
    Failed(String),
}

impl Past {
    /// The history of these channels, for a view.
    pub(super) fn new(
        channels: Signal<Vec<ChannelPattern>>,
        gateway_url: String,
        (logs, view, filter, follow): (Logs, RwSignal<View>, RwSignal<Filter>, Follow),
    ) -> Self {
        let past = Self {
            channels,
            gateway_url: StoredValue::new(gateway_url),
            logs,
            view,
            filter,
            follow,
            older: RwSignal::new(Older::Unknown),
            holes: RwSignal::new(Vec::new()),
            is_lost: RwSignal::new(false),
            fruitless: StoredValue::new(0),
            requests: StoredValue::new_local(Vec::new()),
        };
        Effect::new(move |_| {
            if follow.is_following() {
                past.forget();
            }
        });
        Effect::watch(move || channels.track(), move |(), _, _| past.forget(), false);
        on_cleanup(move || past.abort());
        past
    }

    /// Whether there is a history to ask.
    pub(super) fn is_there(self) -> bool {
        self.channels.with(|channels| !channels.is_empty())
    }

    fn abort(self) {
        let requests = self.requests.try_update_value(std::mem::take);
        requests.iter().flatten().for_each(AbortController::abort);
    }

    /// What was loaded is no longer there.
    fn forget(self) {
        self.abort();
        self.older.set(Older::Unknown);
        self.holes.update(Vec::clear);
        self.is_lost.set(false);
        self.fruitless.set_value(0);
    }

    fn page(self) -> Page {
        let channels = self.channels.get_untracked();
        self.gateway_url.with_value(|url| Page::of(url, &channels))
    }

    /// Something that ends when what it is for is gone.
    fn start(self) -> Option<AbortSignal> {
        let controller = AbortController::new().ok()?;
        let signal = controller.signal();
        self.requests.update_value(|requests| {
            // One at the top, and hardly ever others.
            if requests.len() >= 8 {
                requests.remove(0);
            }
            requests.push(controller);
        });
        Some(signal)
    }

    /// Loads what came before all that is there, unless that is known to be nothing.
    pub(super) fn load_older(self) {
        let is_cleared = self.filter.with_untracked(|filter| filter.after.is_some());
        let is_unknown = self.older.with_untracked(|older| *older == Older::Unknown);
        let is_fruitless = self.fruitless.get_value() >= MOST_FRUITLESS;
        if is_unknown && !is_cleared && !is_fruitless && !self.channels.with_untracked(Vec::is_empty) {
            self.load_before();
        }
    }

    fn load_before(self) {
        let Some(oldest) = self.view.with_untracked(View::oldest) else {
            return;
        };
        self.follow.hold_for_reading();
        self.older.set(Older::Loading);
        let signal = self.start();
        spawn_local(async move {
            let page = self
                .page()
                .place("before", oldest)
                .limit(PAGE)
                .load(signal.as_ref())
                .await;
            if is_over(signal.as_ref()) {
                return;
            }
            match page {
                Ok(rows) => {
                    let is_all = rows.len() < PAGE;
                    self.older.set(if is_all { Older::None } else { Older::Unknown });
                    // Also without rows: whether more are wanted is seen when they are drawn.
                    let mut is_fruitless = true;
                    self.view.update(|view| {
                        let before = view.row(0).map(Row::key);
                        view.insert(rows);
                        is_fruitless = view.row(0).map(Row::key) == before;
                    });
                    self.fruitless
                        .update_value(|pages| *pages = if is_fruitless { *pages + 1 } else { 0 });
                }
                Err(why) => self.older.set(Older::Failed(why)),
            }
        });
    }

    /// How it stands with a hole.
    pub(super) fn hole(self, key: RowKey) -> Hole {
        self.holes.with(|holes| {
            let found = holes.iter().find(|(hole, _)| *hole == key);
            found.map_or(Hole::Unknown, |(_, hole)| hole.clone())
        })
    }

    fn set_hole(self, key: RowKey, hole: Hole) {
        self.holes.update(|holes| {
            holes.retain(|(other, _)| *other != key);
            holes.push((key, hole));
        });
    }

    /// Loads what is missing in a gap, the oldest first.
    pub(super) fn load_gap(self, gap: Gap) {
        let key = Row::Gap(gap.clone()).key();
        let (found, after) = match self.holes.with_untracked(|holes| {
            holes
                .iter()
                .find(|(hole, _)| *hole == key)
                .map(|(_, hole)| hole.clone())
        }) {
            Some(Hole::Found(found, after)) => (found, after),
            Some(Hole::Loading) => return,
            _ => (0, gap.from),
        };
        self.follow.hold_for_reading();
        self.set_hole(key, Hole::Loading);
        let signal = self.start();
        spawn_local(async move {
            let page = self.gateway_url.with_value(|url| Page::of(url, &[gap.channel]));
            let page = page.place("after", after).place("before", gap.to).limit(PAGE);
            let page = page.load(signal.as_ref()).await;
            if is_over(signal.as_ref()) {
                return;
            }
            match page {
                Ok(rows) => {
                    let found = found + rows.len();
                    let last = rows
                        .last()
                        .filter(|_| rows.len() == PAGE)
                        .map(|row| row.key().id());
                    self.set_hole(
                        key,
                        last.map_or(Hole::All(found), |last| Hole::Found(found, last)),
                    );
                    self.view.update(|view| view.insert(rows));
                }
                Err(why) => self.set_hole(key, Hole::Failed(why)),
            }
        });
    }

    /// Loads on where nothing was loaded yet, as someone scrolls towards it.
    pub(super) fn load_on(self, after: RecordId) {
        let key = Row::Unloaded(after).key();
        let is_known = self
            .holes
            .with_untracked(|holes| holes.iter().any(|(hole, _)| *hole == key));
        if !is_known && !self.channels.with_untracked(Vec::is_empty) {
            self.load_after(after);
        }
    }

    /// Loads the oldest of what has not been loaded after a record.
    pub(super) fn load_after(self, after: RecordId) {
        let key = Row::Unloaded(after).key();
        let next = self.view.with_untracked(|view| view.next_record(key));
        self.set_hole(key, Hole::Loading);
        let signal = self.start();
        spawn_local(async move {
            let mut page = self.page().place("after", after).limit(PAGE);
            if let Some(next) = next {
                page = page.place("before", next);
            }
            let page = page.load(signal.as_ref()).await;
            if is_over(signal.as_ref()) {
                return;
            }
            match page {
                Ok(mut rows) => {
                    if rows.len() == PAGE
                        && let Some(last) = rows.last().map(|row| row.key().id())
                    {
                        rows.push(Row::Unloaded(last));
                    }
                    self.view.update(|view| {
                        view.insert(rows);
                        view.remove(key);
                    });
                }
                Err(why) => self.set_hole(key, Hole::Failed(why)),
            }
        });
    }

    /// Loads a record and what is around it. Of one that is no longer kept the place is told to `reveal`, where it was.
    pub(super) fn open_at(self, at: RecordId, reveal: impl Fn(RowKey) + 'static) {
        self.follow.hold_for_reading();
        self.older.set(Older::Loading);
        let signal = self.start();
        spawn_local(async move {
            let until = self
                .page()
                .place("until", at)
                .limit(AROUND + 1)
                .load(signal.as_ref())
                .await;
            let after = self
                .page()
                .place("after", at)
                .limit(AROUND)
                .load(signal.as_ref())
                .await;
            if is_over(signal.as_ref()) {
                return;
            }
            let (mut rows, mut after) = match (until, after) {
                (Ok(until), Ok(after)) => (until, after),
                (Err(why), _) | (_, Err(why)) => return self.older.set(Older::Failed(why)),
            };
            self.older.set(if rows.len() <= AROUND {
                Older::None
            } else {
                Older::Unknown
            });
            let has_hole = after.len() == AROUND;
            let nearest = rows.last().or(after.first()).map(Row::key);
            rows.append(&mut after);
            let last = rows.last().map(|row| row.key().id());
            self.view.update(|view| {
                let is_apart = view.oldest().is_none_or(|oldest| Some(oldest) > last);
                if let Some(last) = last.filter(|_| has_hole && is_apart) {
                    rows.push(Row::Unloaded(last));
                }
                view.insert(rows);
            });
            self.is_lost.set(nearest != Some(RowKey::of(at)));
            if let Some(nearest) = nearest {
                reveal(nearest);
            }
        });
    }
}

/// Whether nobody waits for the answer any more.
fn is_over(signal: Option<&AbortSignal>) -> bool {
    signal.is_some_and(AbortSignal::aborted)
}

/// What is above the first line: whether there are others before it.
#[component]
pub(super) fn Head() -> impl IntoView {
    let Viewer { past, .. } = expect_context();
    let has_lines = Memo::new(move |_| past.view.with(|view| view.oldest().is_some()));
    let has_dropped = Memo::new(move |_| past.logs.with(Buffer::has_dropped));
    let is_cleared = Memo::new(move |_| past.filter.with(|filter| filter.after.is_some()));
    let load = move |_| {
        past.fruitless.set_value(0);
        past.load_before();
    };
    move || {
        if is_cleared.get() || !past.is_there() {
            let is_told = has_lines.get() && has_dropped.get() && !is_cleared.get();
            return is_told.then(|| note("Older lines are no longer kept on this page.").into_any());
        }
        let (words, button) = match past.older.get() {
            Older::Unknown if !has_lines.get() => return None,
            Older::Unknown => (String::new(), "Load older lines"),
            Older::Loading => ("Loading older lines…".to_owned(), ""),
            Older::None => ("The beginning of what the gateway keeps.".to_owned(), ""),
            Older::Failed(why) => (why, "Try again"),
        };
        let button = (!button.is_empty()).then(|| {
            view! { <button type="button" class="logs-button" on:click=load>{button}</button> }
        });
        Some(view! { <div class="logs-head"><span>{words}</span>{button}</div> }.into_any())
    }
}

/// Tells that the record a link leads to is no longer kept.
#[component]
pub(super) fn Lost() -> impl IntoView {
    let Viewer { past, .. } = expect_context();
    let words = "The line this link leads to is no longer kept. These are the lines around its place.";
    // There before its words are: only what changes is read out.
    view! { <p class="logs-lost" role="status">{move || past.is_lost.get().then_some(words)}</p> }.into_any()
}

fn note(words: &'static str) -> impl IntoView {
    view! { <div class="logs-head"><span>{words}</span></div> }
}
