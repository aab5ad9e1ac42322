//! [`announcer`]: what a screen reader is told.

use leptos::prelude::*;
use logs_shared::Level;

use super::{rate::ByLevel, viewer::Viewer};
use crate::{
    dom::{El, at_end, effect_later, el},
    timer::Timer,
};

/// New lines are summed up at most this often, in milliseconds.
const EVERY_MS: u64 = 5_000;

/// Tells a screen reader what is to be told and, while the viewer has the focus, how many lines have come.
pub(super) fn announcer(has_focus: RwSignal<bool>) -> El {
    let viewer: Viewer = expect_context();
    let told = StoredValue::new(ByLevel::default());
    let timer: StoredValue<Option<Timer>, LocalStorage> = StoredValue::new_local(None);
    let arrived = move || viewer.view.read_untracked().arrived();
    let tell = move || {
        timer.set_value(None);
        let arrived = arrived();
        if let Some(words) = words(told.get_value(), arrived)
            && has_focus.get_untracked()
        {
            viewer.announce(words);
        }
        told.set_value(arrived);
    };
    effect_later(Box::new(move || {
        viewer.view.track();
        if !has_focus.get() {
            // What came while nobody was here is not told.
            timer.set_value(None);
            told.set_value(arrived());
        } else if timer.with_value(Option::is_none) {
            timer.set_value(Some(Timer::after(EVERY_MS, tell)));
        }
    }));
    at_end(Box::new(move || timer.set_value(None)));
    el("p", "logs-announcer logs-unseen")
        .attr("role", "status")
        .text_from(move || viewer.announcement.get())
}

/// What has come between two counts.
fn words(before: ByLevel, after: ByLevel) -> Option<String> {
    let came = |level: Level| after[level as usize].saturating_sub(before[level as usize]);
    let (lines, errors): (usize, usize) = (
        Level::ALL.into_iter().map(came).sum(),
        came(Level::Error) + came(Level::Fatal),
    );
    if lines == 0 {
        return None;
    }
    let mut words = lines.to_string();
    words.push_str(if lines == 1 { " new line" } else { " new lines" });
    if errors > 0 {
        words.push_str(", ");
        words.push_str(&errors.to_string());
        words.push_str(if errors == 1 { " error" } else { " errors" });
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_errors_are_summed_up() {
        assert_eq!(words([5; 6], [5; 6]), None);
        assert_eq!(words([0; 6], [0, 0, 1, 0, 0, 0]).unwrap(), "1 new line");
        assert_eq!(
            words([1; 6], [1, 2, 11, 1, 2, 1]).unwrap(),
            "12 new lines, 1 error"
        );
        assert_eq!(
            words([0; 6], [0, 0, 0, 0, 1, 1]).unwrap(),
            "2 new lines, 2 errors"
        );
    }
}
