//! Which parts of rows are open, also while the row is not in the document.

use std::collections::BTreeSet;

use leptos::prelude::*;
use logs_shared::RecordId;

use super::viewer::Viewer;

/// The parts of rows that are open, by the record and the part's name.
pub(crate) type Opened = StoredValue<BTreeSet<(RecordId, &'static str)>>;

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
        // The viewer may go with its rows.
        let _ = opened.try_update_value(|opened| match (was_open, is_open) {
            (false, true) => opened.insert((id, part)),
            (true, false) => opened.remove(&(id, part)),
            _ => false,
        });
    });
    is_open
}
