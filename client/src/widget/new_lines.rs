//! [`NewLines`]: the way to the newest lines.

use leptos::prelude::*;

use super::{view::New, viewer::Viewer};

/// While the lines stand still: how many have come since, and the way to them.
#[component]
pub(super) fn NewLines() -> impl IntoView {
    let Viewer { follow, view, .. } = expect_context();
    let new = Memo::new(move |_| view.read().new_lines());
    view! {
        <Show when=move || !follow.is_following()>
            <button type="button" class="logs-new" on:click=move |_| follow.resume()>
                {move || label(new.get())}
                <span class="logs-arrow" aria-hidden="true">"↓"</span>
            </button>
        </Show>
    }
    .into_any()
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
