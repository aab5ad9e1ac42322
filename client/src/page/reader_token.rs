//! [`ReaderToken`]: the token a person gives the page.

use leptos::prelude::*;
use wasm_bindgen::JsValue;
use web_sys::Storage;

use crate::Token;

/// Where it is kept until the tab is closed.
const STORED: &str = "logs-token";
/// What names it in a link to the page.
const NAME: &str = "token=";

/// The token a person gives the page, as a context: typed, or in a link (`#token=…`). It is kept as long as the tab is open, in
/// this tab alone, and is never in the URL: a link's is taken out of it at once, the browser's history included.
#[derive(Clone, Copy)]
pub(super) struct ReaderToken(RwSignal<String>);

impl ReaderToken {
    /// What was given before, or comes with the link that led here.
    pub(super) fn provide() {
        let linked = take_from_url();
        let token = Self(RwSignal::default());
        match linked {
            Some(linked) => token.set(&linked),
            None => token.0.set(stored().unwrap_or_default()),
        }
        provide_context(token);
    }

    /// Uses this one from now on; none where it is empty.
    pub(super) fn set(self, token: &str) {
        let token = token.trim();
        if let Some(storage) = storage() {
            // Fails where storing is forbidden or full: then it lasts until the reload.
            let _ = if token.is_empty() {
                storage.remove_item(STORED)
            } else {
                storage.set_item(STORED, token)
            };
        }
        self.0.set(token.to_owned());
    }

    /// Whether there is one.
    pub(super) fn is_given(self) -> bool {
        self.0.with(|token| !token.is_empty())
    }

    /// As a header of a request, where there is one.
    pub(super) fn authorization(self) -> Option<String> {
        let token = self.0.get_untracked();
        (!token.is_empty()).then(|| format!("Bearer {token}"))
    }

    /// For the stream and its history.
    pub(super) fn source(self) -> Token {
        Token::new(move || self.0.try_get_untracked().unwrap_or_default())
    }
}

fn storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

fn stored() -> Option<String> {
    storage()?.get_item(STORED).ok()?
}

fn take_from_url() -> Option<String> {
    let (search, hash) = (location().search().ok()?, location().hash().ok()?);
    let (search, in_search) = without_token(search.trim_start_matches('?'));
    let (hash, in_hash) = without_token(hash.trim_start_matches('#'));
    let given = in_hash.or(in_search)?;
    let mut url = location().pathname().ok()?;
    for (mark, rest) in [('?', search), ('#', hash)] {
        if !rest.is_empty() {
            url.push(mark);
            url.push_str(&rest);
        }
    }
    let history = window().history().ok()?;
    history
        .replace_state_with_url(&JsValue::NULL, "", Some(&url))
        .ok()?;
    let given = js_sys::decode_uri_component(&given).ok()?;
    Some(given.into())
}

/// The pairs of a query without the token, and the token.
fn without_token(query: &str) -> (String, Option<String>) {
    let (tokens, others): (Vec<&str>, Vec<&str>) = query.split('&').partition(|pair| pair.starts_with(NAME));
    let token = tokens.iter().find_map(|pair| pair.strip_prefix(NAME));
    (others.join("&"), token.map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_out_of_a_link_and_nothing_else() {
        for (query, rest, token) in [
            ("", "", None),
            (
                "channels=logs:etl:w&connect=1",
                "channels=logs:etl:w&connect=1",
                None,
            ),
            ("token=a.b.c", "", Some("a.b.c")),
            (
                "channels=logs:etl:w&token=a&at=1-0",
                "channels=logs:etl:w&at=1-0",
                Some("a"),
            ),
            ("token=a&token=b", "", Some("a")),
            ("mytoken=a", "mytoken=a", None),
        ] {
            assert_eq!(
                without_token(query),
                (rest.to_owned(), token.map(str::to_owned)),
                "{query}"
            );
        }
    }
}
