//! [`Viewer`]: what the parts of a viewer share.

use leptos::prelude::*;

use super::{follow::Follow, opened::Opened, past::Past, time::TimeStyle, tools::Tools, view::View};
use crate::{Logs, buffer::RowKey, filter::Filter};

/// What the parts of a viewer share, as a context. The viewer makes it.
#[derive(Clone, Copy)]
pub(crate) struct Viewer {
    /// What there is.
    pub(crate) logs: Logs,
    /// What of it is shown, as the reader chose.
    pub(crate) filter: RwSignal<Filter>,
    /// What is shown.
    pub(crate) view: RwSignal<View>,
    /// Whether it goes along with the newest line.
    pub(crate) follow: Follow,
    /// Whether long lines are broken.
    pub(crate) wrap: RwSignal<bool>,
    /// How times are written.
    pub(crate) time_style: RwSignal<TimeStyle>,
    /// The row that keys act on.
    pub(crate) selected: RwSignal<Option<RowKey>>,
    /// The row that is to come into view; the list takes it out.
    pub(crate) revealed: RwSignal<Option<RowKey>>,
    /// What a screen reader is told next.
    pub(crate) announcement: RwSignal<String>,
    /// What is loaded beside what comes.
    pub(crate) past: Past,
    /// Which parts of rows are open.
    pub(crate) opened: Opened,
    /// What the toolbar and the rows share beside the lines.
    pub(crate) tools: Tools,
}

impl Viewer {
    /// Brings a row into view, and stands still there.
    pub(crate) fn reveal(self, key: RowKey) {
        self.follow.hold();
        self.look_at(key);
    }

    /// Brings a row into view.
    pub(super) fn look_at(self, key: RowKey) {
        self.selected.set(Some(key));
        self.revealed.set(Some(key));
    }

    /// Tells a screen reader, politely.
    pub(crate) fn announce(self, words: impl Into<String>) {
        self.announcement.set(words.into());
    }
}
