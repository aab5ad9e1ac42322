//! Which parts of rows are open, also while the row is not in the document.

use leptos::prelude::*;
use logs_shared::RecordId;

use super::viewer::Viewer;

/// The parts of rows that are open, by the record and the part's name.
pub(crate) type Opened = StoredValue<Vec<(RecordId, &'static str)>>;

/// Whether a part of a row is open. A row that comes back into view is as it was left; outside of a viewer it begins
/// closed.
pub(crate) fn opened(id: RecordId, part: &'static str) -> RwSignal<bool> {
    let Some(Viewer { opened, .. }) = use_context() else {
        return RwSignal::new(false);
    };
    let was_open = opened.with_value(|opened| opened.contains(&(id, part)));
    let is_open = RwSignal::new(was_open);
    on_cleanup(move || {
        let is_open = is_open.get_untracked();
        if was_open != is_open {
            // The viewer may go with its rows.
            let _ = opened.try_update_value(|opened| {
                opened.retain(|other| *other != (id, part));
                opened.extend(is_open.then_some((id, part)));
            });
        }
    });
    is_open
}
