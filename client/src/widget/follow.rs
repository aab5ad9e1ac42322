//! [`Follow`]: whether a viewer goes along with the newest line or stands still.

use leptos::prelude::*;

/// Whether a viewer goes along with the newest line or stands still.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Follow {
    hold: RwSignal<Option<Hold>>,
}

/// Why a viewer stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Someone said so.
    Chosen,
    /// Someone reads, having scrolled up or marked text: scrolling down to the end follows again.
    Reading,
}

impl Follow {
    /// Goes along.
    pub(super) fn new() -> Self {
        Self {
            hold: RwSignal::new(None),
        }
    }

    /// Whether it goes along with the newest line.
    pub(crate) fn is_following(self) -> bool {
        self.hold.with(Option::is_none)
    }

    pub(super) fn is_following_untracked(self) -> bool {
        self.hold.with_untracked(Option::is_none)
    }

    /// Stands still, because someone said so.
    pub(crate) fn hold(self) {
        self.hold.set(Some(Hold::Chosen));
    }

    /// Stands still, because someone has begun to read.
    pub(crate) fn hold_for_reading(self) {
        if self.is_following_untracked() {
            self.hold.set(Some(Hold::Reading));
        }
    }

    /// Goes along with the newest line again.
    pub(crate) fn resume(self) {
        if !self.is_following_untracked() {
            self.hold.set(None);
        }
    }

    /// The reader has come to the end.
    pub(super) fn end_reading(self) {
        if self.hold.get_untracked() == Some(Hold::Reading) {
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
