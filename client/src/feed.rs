//! [`Feed`]: the page's stream, as its JavaScript half gives it.

use leptos::prelude::*;
use logs_shared::{ChannelPattern, Interest};
use wasm_bindgen::prelude::*;

use crate::{
    ConnectionStatus,
    buffer::Buffer,
    json::{read_row, write_interests},
};

#[wasm_bindgen(module = "/js/wasm.js")]
extern "C" {
    type WasmFeed;

    #[wasm_bindgen(constructor)]
    fn new(
        gateway_url: &str,
        is_browser_wide: bool,
        channels: &str,
        most: usize,
        persistence: bool,
        is_paused: bool,
        batch: &Closure<dyn FnMut(String)>,
        forget: &Closure<dyn FnMut(String)>,
        changed: &Closure<Changed>,
    ) -> WasmFeed;
    #[wasm_bindgen(method)]
    fn pause(this: &WasmFeed);
    #[wasm_bindgen(method)]
    fn resume(this: &WasmFeed);
    #[wasm_bindgen(method)]
    fn close(this: &WasmFeed);
}

/// Told of the status, whether it takes another token, the stream's id and what is wrong.
type Changed = dyn FnMut(String, bool, Option<String>, Option<String>);

/// What is followed, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    /// In order, none twice, at least one.
    pub(crate) interests: Vec<Interest>,
    /// How many rows are kept.
    pub(crate) max_logs: usize,
    /// Whether they outlive the page.
    pub(crate) persistence: bool,
}

/// The page's stream, as far as one selection of channels wants it: its rows, and how it stands. Dropping it leaves.
///
/// The page's stream is JavaScript's, so that parts of a page that were built apart, also without Rust, have one
/// together. Batches come at most once per animation frame, in the order of ids.
pub(crate) struct Feed {
    feed: WasmFeed,
    shown: Shown,
    // Called until the feed is closed, which is before they are dropped.
    _on_batch: Closure<dyn FnMut(String)>,
    _on_forget: Closure<dyn FnMut(String)>,
    _on_change: Closure<Changed>,
}

/// What a feed shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    pub(crate) rows: ArcRwSignal<Buffer>,
    pub(crate) status: ArcRwSignal<ConnectionStatus>,
    pub(crate) stream_id: ArcRwSignal<Option<String>>,
    pub(crate) error: ArcRwSignal<Option<String>>,
    pub(crate) is_unauthorized: ArcRwSignal<bool>,
}

impl Feed {
    /// Joins the page's stream, unless it is to wait. `rows` are shown until others come.
    pub(crate) fn new(
        gateway_url: &str,
        is_browser_wide: bool,
        selection: &Selection,
        rows: Buffer,
        is_paused: bool,
    ) -> Self {
        let shown = Shown {
            rows: ArcRwSignal::new(rows),
            ..Shown::default()
        };
        let on_batch = {
            let rows = shown.rows.clone();
            Closure::<dyn FnMut(String)>::new(move |lines: String| {
                rows.update(|rows| {
                    for row in lines.lines().filter_map(read_row) {
                        rows.insert(row);
                    }
                });
            })
        };
        let on_forget = {
            let rows = shown.rows.clone();
            Closure::<dyn FnMut(String)>::new(move |patterns: String| {
                let patterns: Vec<ChannelPattern> =
                    patterns.split(',').filter_map(|text| text.parse().ok()).collect();
                rows.update(|rows| rows.forget(&patterns));
            })
        };
        let on_change = {
            let shown = shown.clone();
            Closure::<Changed>::new(move |status: String, is_unauthorized, stream_id, error| {
                set(&shown.status, ConnectionStatus::of(&status));
                set(&shown.is_unauthorized, is_unauthorized);
                set(&shown.stream_id, stream_id);
                set(&shown.error, error);
            })
        };
        let channels = write_interests(&selection.interests);
        let feed = WasmFeed::new(
            gateway_url,
            is_browser_wide,
            &channels,
            selection.max_logs,
            selection.persistence,
            is_paused,
            &on_batch,
            &on_forget,
            &on_change,
        );
        Self {
            feed,
            shown,
            _on_batch: on_batch,
            _on_forget: on_forget,
            _on_change: on_change,
        }
    }

    /// What it shows.
    pub(crate) fn shown(&self) -> &Shown {
        &self.shown
    }

    /// Leaves the stream and keeps the rows, or goes on after the last of them and, after an error, tries again.
    pub(crate) fn enable(&self, is_enabled: bool) {
        if is_enabled {
            self.feed.resume();
        } else {
            self.feed.pause();
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.feed.close();
    }
}

/// Tells nobody where nothing is new.
fn set<T: PartialEq + Send + Sync + 'static>(signal: &ArcRwSignal<T>, value: T) {
    if signal.with_untracked(|now| *now != value) {
        signal.set(value);
    }
}
