//! [`Tools`]: what the toolbar and the rows share beside the lines.

use std::time::Duration;

use leptos::prelude::*;
use logs_shared::RecordId;

use super::viewer::Viewer;

/// How long a note can be seen.
const NOTE_FOR: Duration = Duration::from_secs(4);

/// What follows a run through all services: given the name and value of one of a record's fields.
#[derive(Clone, Copy)]
pub(crate) struct FollowRun(pub(crate) Callback<(String, String)>);

/// The address that shows a record among its neighbours. A context of who has one.
#[derive(Clone, Copy)]
pub(crate) struct LinkTo(pub(crate) Callback<RecordId, String>);

/// What the toolbar and the rows share beside the lines. Part of the [`Viewer`]: rows have no other context.
#[derive(Clone, Copy)]
pub(crate) struct Tools {
    /// What has just been done.
    pub(super) note: RwSignal<String>,
    /// What follows a run from a field.
    pub(super) follow_run: FollowRun,
    /// Whether lines have an address.
    pub(super) link_to: Option<LinkTo>,
}

impl Tools {
    /// Those of a viewer that is being made.
    pub(crate) fn new(follow_run: FollowRun) -> Self {
        Self {
            note: RwSignal::default(),
            follow_run,
            link_to: use_context(),
        }
    }
}

/// Says what has just been done, to the eye and to a screen reader.
pub(super) fn tell(viewer: Viewer, words: impl Into<String>) {
    let words = words.into();
    let note = viewer.tools.note;
    viewer.announce(words.clone());
    note.set(words.clone());
    let end = move || {
        // The viewer may be gone, and the note another.
        if note.try_with_untracked(|note| *note == words) == Some(true) {
            note.set(String::new());
        }
    };
    set_timeout(end, NOTE_FOR);
}

/// What [`icon`](crate::dom::icon) draws.
pub(super) mod icons {
    pub(in crate::widget) const OPEN: &str = "M6 4l4 4-4 4";
    pub(in crate::widget) const UP: &str = "M4 10l4-4 4 4";
    pub(in crate::widget) const DOWN: &str = "M4 6l4 4 4-4";
    pub(in crate::widget) const TO_END: &str = "M8 2v8M4.5 6.5L8 10l3.5-3.5M3 13.5h10";
    pub(in crate::widget) const FIND: &str = "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.3 10.3L14 14";
    pub(in crate::widget) const ONLY: &str = "M2.5 3.5h11L9.5 8.5V13l-3-1.5v-3z";
    pub(in crate::widget) const MORE: &str = "M3 4.5h10M3 8h10M3 11.5h10";
    pub(in crate::widget) const COPY: &str = "M5.5 5.5h7v8h-7zM3.5 10.5v-8h7";
    pub(in crate::widget) const LINK: &str =
        "M6.5 9.5l3-3M7.5 4.5l1.6-1.6a2.8 2.8 0 0 1 4 4L11.5 8.5M8.5 11.5l-1.6 1.6a2.8 2.8 0 0 1-4-4L4.5 7.5";
}
