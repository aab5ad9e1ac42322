//! [`Follow`]: whether a viewer goes along with the newest line or stands still.

use leptos::prelude::*;

/// Whether a viewer goes along with the newest line or stands still.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Follow {
    is_held: RwSignal<bool>,
    /// It stands still because someone said so. Otherwise someone reads, having scrolled up or marked text, and
    /// scrolling down to the end follows again.
    is_chosen: RwSignal<bool>,
}

impl Follow {
    /// Goes along.
    pub(super) fn new() -> Self {
        Self {
            is_held: RwSignal::new(false),
            is_chosen: RwSignal::new(false),
        }
    }

    /// Whether it goes along with the newest line.
    pub(crate) fn is_following(self) -> bool {
        !self.is_held.get()
    }

    pub(super) fn is_following_untracked(self) -> bool {
        !self.is_held.get_untracked()
    }

    fn set(self, is_held: bool, is_chosen: bool) {
        self.is_chosen.set(is_chosen);
        self.is_held.set(is_held);
    }

    /// Stands still, because someone said so.
    pub(crate) fn hold(self) {
        self.set(true, true);
    }

    /// Stands still, because someone has begun to read.
    pub(crate) fn hold_for_reading(self) {
        if self.is_following_untracked() {
            self.set(true, false);
        }
    }

    /// Goes along with the newest line again.
    pub(crate) fn resume(self) {
        if !self.is_following_untracked() {
            self.set(false, false);
        }
    }

    /// The reader has come to the end.
    pub(super) fn end_reading(self) {
        if !self.is_chosen.get_untracked() {
            self.resume();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_made_it_stand_still_makes_it_go_on() {
        let owner = Owner::new();
        owner.set();
        let follow = Follow::new();
        follow.hold();
        follow.end_reading();
        assert!(!follow.is_following_untracked(), "chosen");
        follow.resume();
        follow.hold_for_reading();
        follow.end_reading();
        assert!(follow.is_following_untracked());
    }
}
