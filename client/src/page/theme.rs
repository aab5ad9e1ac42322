//! [`ThemeButton`]: light, dark, or as the system is.

use leptos::prelude::*;
use web_sys::Storage;

const STORED: &str = "logs-theme";
const ATTRIBUTE: &str = "data-theme";

/// Light, dark, or as the system is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    const fn next(self) -> Self {
        match self {
            Self::System => Self::Dark,
            Self::Dark => Self::Light,
            Self::Light => Self::System,
        }
    }

    fn stored() -> Self {
        let name = storage().and_then(|storage| storage.get_item(STORED).ok()?);
        let is_stored = |theme: &Self| name.as_deref() == Some(theme.name());
        [Self::Light, Self::Dark]
            .into_iter()
            .find(is_stored)
            .unwrap_or_default()
    }

    fn apply(self) {
        let Some(root) = document().document_element() else {
            return;
        };
        // Fails for no attribute name, and where storing is forbidden or full: then it lasts until the reload.
        let _ = match self {
            Self::System => root.remove_attribute(ATTRIBUTE),
            theme => root.set_attribute(ATTRIBUTE, theme.name()),
        };
        if let Some(storage) = storage() {
            let _ = storage.set_item(STORED, self.name());
        }
    }
}

/// None where the browser forbids storing.
fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

/// Goes from one theme to the next, and remembers it for the next visit.
#[component]
pub(super) fn ThemeButton() -> impl IntoView {
    let theme = RwSignal::new(Theme::stored());
    theme.get_untracked().apply();
    let go_on = move |_| {
        theme.update(|theme| *theme = theme.next());
        theme.get_untracked().apply();
    };
    view! {
        <button type="button" class="logs-button logs-theme" title="Light, dark, or as the system is" on:click=go_on>
            <span class="logs-theme-word">"Theme: "</span> {move || theme.get().name()}
        </button>
    }
}
