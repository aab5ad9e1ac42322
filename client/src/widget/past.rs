//! [`Past`]: lines from before those that are there, and between them.

mod head;
mod page;

use leptos::prelude::*;
use logs_shared::{ChannelPattern, RecordId, event::Gap};
use web_sys::{AbortController, AbortSignal};

pub(super) use self::head::{head, lost};
use self::page::Page;
use super::{follow::Follow, view::View};
use crate::{
    Logs,
    buffer::{Row, RowKey},
    dom::{at_end, effect_later},
    filter::Filter,
    run::Run,
};

/// How many records are asked for at once.
const PAGE: usize = 500;
/// How many records are shown on either side of one that a link leads to.
const AROUND: usize = 200;
/// So many pages are looked through without being asked, when the filter shows nothing of them.
const MOST_FRUITLESS: usize = 20;
/// The most requests that are under way: one at the top, and hardly ever others.
const MOST_REQUESTS: usize = 8;

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
    state: RwSignal<State>,
    requests: StoredValue<Vec<AbortController>, LocalStorage>,
}

/// A page, or why there is none, in a sentence.
type Rows = Result<Vec<Row>, String>;

#[derive(Clone, Debug, Default)]
struct State {
    older: Older,
    holes: Vec<(RowKey, Hole)>,
    /// How many pages in a row showed nothing.
    fruitless: usize,
    /// Whether the record that a link leads to is no longer kept.
    is_lost: bool,
}

/// How it stands with the lines before all that are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Older {
    /// There may be some.
    #[default]
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

impl State {
    fn hole(&self, key: RowKey) -> Hole {
        let found = self.holes.iter().find(|(hole, _)| *hole == key);
        found.map_or(Hole::Unknown, |(_, hole)| hole.clone())
    }

    fn set_hole(&mut self, key: RowKey, hole: Hole) {
        self.holes.retain(|(other, _)| *other != key);
        self.holes.push((key, hole));
    }
}

impl Past {
    /// The history of the channels of `logs`, for a view; of all channels of the workspace while a run is followed.
    pub(super) fn new(logs: Logs, view: RwSignal<View>, filter: RwSignal<Filter>, follow: Follow) -> Self {
        let channels = Signal::derive(move || {
            let channels = logs.channels.get();
            if logs.run.with(Option::is_some) {
                Run::patterns(&channels)
            } else {
                channels
            }
        });
        let past = Self {
            channels,
            gateway_url: logs.gateway_url,
            logs,
            view,
            filter,
            follow,
            state: RwSignal::default(),
            requests: StoredValue::new_local(Vec::new()),
        };
        let mut before = None;
        effect_later(Box::new(move || {
            let now = channels.get();
            let before = before.replace(now.clone());
            if follow.is_following() || before.is_some_and(|before| before != now) {
                past.forget();
            }
        }));
        // Of another reader nothing is left to go on from.
        let mut seen = None;
        effect_later(Box::new(move || {
            let buffer = logs.with(|rows| rows.progress().buffer);
            if seen.replace(buffer).is_some_and(|seen| seen != buffer) {
                past.forget();
            }
        }));
        at_end(Box::new(move || past.abort()));
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
        self.state.set(State::default());
    }

    fn page(self) -> Page {
        let channels = self.channels.get_untracked();
        let page = self.gateway_url.with_value(|url| Page::of(url, &channels));
        match &*self.logs.run.read_untracked() {
            Some(run) => page.saying(run.value()),
            None => page,
        }
    }

    /// Asks for a page, and does something with its rows, unless nobody waits for them any more.
    fn ask(self, page: Page, then: Box<dyn FnOnce(Rows)>) {
        let controller = AbortController::new().ok();
        let signal = controller.as_ref().map(AbortController::signal);
        self.requests.update_value(|requests| {
            let over = (requests.len() + 1).saturating_sub(MOST_REQUESTS);
            requests.drain(..over);
            requests.extend(controller);
        });
        let asked = signal.clone();
        let then = move |rows| {
            if !signal.is_some_and(|signal| AbortSignal::aborted(&signal)) {
                then(rows);
            }
        };
        page.load(asked.as_ref(), Box::new(then));
    }

    /// Loads what came before all that is there, unless that is known to be nothing.
    pub(super) fn load_older(self) {
        let is_cleared = self.filter.read_untracked().after.is_some();
        let may_load = {
            let state = self.state.read_untracked();
            state.older == Older::Unknown && state.fruitless < MOST_FRUITLESS
        };
        if may_load && !is_cleared && !self.channels.read_untracked().is_empty() {
            self.load_before();
        }
    }

    fn load_before(self) {
        let oldest = self.view.read_untracked().oldest();
        let Some(oldest) = oldest else { return };
        self.follow.hold_for_reading();
        self.set_older(Older::Loading);
        let page = self.page().place("before", oldest).limit(PAGE);
        self.ask(page, Box::new(move |rows| self.put_before(rows)));
    }

    fn put_before(self, rows: Rows) {
        let rows = match rows {
            Ok(rows) => rows,
            Err(why) => return self.set_older(Older::Failed(why)),
        };
        let is_all = rows.len() < PAGE;
        // Also without rows: whether more are wanted is seen when they are drawn.
        let first = self.first_shown();
        self.view.write().insert(rows);
        let is_fruitless = self.first_shown() == first;
        let mut state = self.state.write();
        state.older = if is_all { Older::None } else { Older::Unknown };
        state.fruitless = if is_fruitless { state.fruitless + 1 } else { 0 };
    }

    fn first_shown(self) -> Option<RowKey> {
        self.view.read_untracked().row(0).map(Row::key)
    }

    /// How it stands with a hole.
    pub(super) fn hole(self, key: RowKey) -> Hole {
        self.state.read().hole(key)
    }

    fn hole_untracked(self, key: RowKey) -> Hole {
        self.state.read_untracked().hole(key)
    }

    fn set_older(self, older: Older) {
        self.state.write().older = older;
    }

    fn set_hole(self, key: RowKey, hole: Hole) {
        self.state.write().set_hole(key, hole);
    }

    /// Loads what is missing in a gap, the oldest first.
    pub(super) fn load_gap(self, gap: Gap) {
        let key = Row::Gap(gap.clone()).key();
        let (before, after) = match self.hole_untracked(key) {
            Hole::Found(found, after) => (found, after),
            Hole::Loading => return,
            _ => (0, gap.from),
        };
        self.follow.hold_for_reading();
        self.set_hole(key, Hole::Loading);
        let page = self.gateway_url.with_value(|url| Page::of(url, &[gap.channel]));
        let page = page.place("after", after).place("before", gap.to).limit(PAGE);
        let put = move |rows: Rows| match rows {
            Ok(rows) => {
                let found = before + rows.len();
                self.set_hole(
                    key,
                    match last_of_full(&rows) {
                        Some(last) => Hole::Found(found, last),
                        None => Hole::All(found),
                    },
                );
                self.view.write().insert(rows);
            }
            Err(why) => self.set_hole(key, Hole::Failed(why)),
        };
        self.ask(page, Box::new(put));
    }

    /// Loads on where nothing was loaded yet, as someone scrolls towards it.
    pub(super) fn load_on(self, after: RecordId) {
        let hole = self.hole_untracked(Row::Unloaded(after).key());
        if hole == Hole::Unknown && !self.channels.read_untracked().is_empty() {
            self.load_after(after);
        }
    }

    /// Loads the oldest of what has not been loaded after a record.
    pub(super) fn load_after(self, after: RecordId) {
        let key = Row::Unloaded(after).key();
        self.set_hole(key, Hole::Loading);
        let mut page = self.page().place("after", after).limit(PAGE);
        let next = self.view.read_untracked().next_record(key);
        if let Some(next) = next {
            page = page.place("before", next);
        }
        let put = move |rows: Rows| match rows {
            Ok(mut rows) => {
                let last = last_of_full(&rows);
                rows.extend(last.map(Row::Unloaded));
                let mut view = self.view.write();
                view.insert(rows);
                view.remove(key);
            }
            Err(why) => self.set_hole(key, Hole::Failed(why)),
        };
        self.ask(page, Box::new(put));
    }

    /// Loads a record and what is around it. Of one that is no longer kept the place is told to `reveal`, where it was.
    pub(super) fn open_at(self, at: RecordId, reveal: impl Fn(RowKey) + 'static) {
        self.follow.hold_for_reading();
        self.set_older(Older::Loading);
        let fail = move |why| self.set_older(Older::Failed(why));
        let (until, after) = (self.page().place("until", at), self.page().place("after", at));
        let put = move |until: Rows| match until {
            Ok(until) => self.ask(
                after.limit(AROUND),
                Box::new(move |after: Rows| match after {
                    Ok(after) => {
                        if let Some(nearest) = self.put_around(at, until, after) {
                            reveal(nearest);
                        }
                    }
                    Err(why) => fail(why),
                }),
            ),
            Err(why) => fail(why),
        };
        self.ask(until.limit(AROUND + 1), Box::new(put));
    }

    /// Puts in what is up to a record and after it; gives the place of the one that is nearest.
    fn put_around(self, at: RecordId, mut rows: Vec<Row>, mut after: Vec<Row>) -> Option<RowKey> {
        let nearest = rows.last().or(after.first()).map(Row::key);
        self.state.update(|state| {
            state.older = if rows.len() <= AROUND {
                Older::None
            } else {
                Older::Unknown
            };
            state.is_lost = nearest != Some(RowKey::of(at));
        });
        let may_go_on = after.len() == AROUND;
        rows.append(&mut after);
        let last = rows.last().map(|row| row.key().id());
        self.view.update(|view| {
            let is_apart = view.oldest().is_none_or(|oldest| Some(oldest) > last);
            rows.extend(last.filter(|_| may_go_on && is_apart).map(Row::Unloaded));
            view.insert(rows);
        });
        nearest
    }
}

/// The last record of a page that has as many as were asked for: there may be others.
fn last_of_full(rows: &[Row]) -> Option<RecordId> {
    rows.last()
        .filter(|_| rows.len() >= PAGE)
        .map(|row| row.key().id())
}
