//! What keys do in the list.

use leptos::ev::KeyboardEvent;

use super::viewer::Viewer;

/// Does what the key says; whether it said anything.
pub(super) fn on_key(_viewer: &Viewer, _event: &KeyboardEvent) -> bool {
    false
}
