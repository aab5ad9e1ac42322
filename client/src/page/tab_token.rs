//! [`TabToken`]: a secret that a person gives the page, as long as its tab is open.

use leptos::prelude::*;
use web_sys::Storage;

/// A secret that a person gives the page. It is kept as long as the tab is open, and in this tab alone.
#[derive(Clone, Copy)]
pub(super) struct TabToken {
    name: &'static str,
    text: RwSignal<String>,
}

impl TabToken {
    /// What was given before in this tab under this name, or none.
    pub(super) fn stored_as(name: &'static str) -> Self {
        let stored = storage().and_then(|storage| storage.get_item(name).ok()?);
        Self {
            name,
            text: RwSignal::new(stored.unwrap_or_default()),
        }
    }

    /// Uses this one from now on; none where it is empty.
    pub(super) fn set(self, token: &str) {
        let token = token.trim();
        if let Some(storage) = storage() {
            // Fails where storing is forbidden or full: then it lasts until the reload.
            let _ = if token.is_empty() {
                storage.remove_item(self.name)
            } else {
                storage.set_item(self.name, token)
            };
        }
        self.text.set(token.to_owned());
    }

    /// Whether there is one.
    pub(super) fn is_given(self) -> bool {
        self.text.with(|token| !token.is_empty())
    }

    /// The token; empty where there is none.
    pub(super) fn text(self) -> String {
        self.text.try_get_untracked().unwrap_or_default()
    }

    /// As a header of a request, where there is one.
    pub(super) fn authorization(self) -> Option<String> {
        let token = self.text();
        (!token.is_empty()).then(|| format!("Bearer {token}"))
    }
}

fn storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}
