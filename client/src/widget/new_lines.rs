//! [`new_lines`]: the way to the newest lines.

use leptos::prelude::*;

use super::{view::New, viewer::Viewer};
use crate::dom::{El, button, el, memo_bool};

/// Adds, while the lines stand still: how many have come since, and the way to them.
pub(super) fn new_lines(widget: El) -> El {
    let Viewer { follow, view, .. } = expect_context();
    let is_still = memo_bool(move || !follow.is_following());
    widget.child_from(move || {
        is_still.get().then(|| {
            button("logs-new", "")
                .on_click(move || follow.resume())
                .text_from(move || label(view.read().new_lines()))
                .add(el("span", "logs-arrow").attr("aria-hidden", "true").text("↓"))
        })
    })
}

fn label(new: New) -> String {
    let New { lines, and_more } = new;
    if lines == 0 && !and_more {
        return "Paused. Follow again".to_owned();
    }
    let mut label = String::from(if and_more { "more than " } else { "" });
    label.push_str(&lines.to_string());
    label.push_str(" new");
    label
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_many_are_new() {
        let says = |lines, and_more| label(New { lines, and_more });
        assert_eq!(says(0, false), "Paused. Follow again");
        assert_eq!(says(12, false), "12 new");
        assert_eq!(says(12, true), "more than 12 new");
    }
}
