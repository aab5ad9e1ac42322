//! Opening the viewer at one line, as a link to it asks.

use logs_shared::RecordId;

use super::viewer::Viewer;

/// Opens at a record: it is selected, in the middle of what came before and after it, and stands still.
///
/// Of a record that is no longer kept, the place is shown where it was, and the reader is told.
pub(super) fn open(viewer: Viewer, at: RecordId) {
    if !viewer.past.is_there() {
        return;
    }
    viewer.past.open_at(at, move |key| viewer.look_at(key));
}
