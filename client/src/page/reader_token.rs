//! [`ReaderToken`]: the token a person gives the page.

use leptos::prelude::*;
use wasm_bindgen::JsValue;

use super::tab_token::TabToken;
use crate::Token;

/// What names it in a link to the page.
const NAME: &str = "token=";

/// The token a person gives the page, as a context: typed, or in a link (`#token=…`). It is never in the URL: a link's is
/// taken out of it at once, the browser's history included.
#[derive(Clone, Copy)]
pub(super) struct ReaderToken(TabToken);

impl ReaderToken {
    /// What was given before, or comes with the link that led here.
    pub(super) fn provide() {
        let linked = take_from_url();
        let token = Self(TabToken::stored_as("logs-token"));
        if let Some(linked) = linked {
            token.set(&linked);
        }
        provide_context(token);
    }

    /// Uses this one from now on; none where it is empty.
    pub(super) fn set(self, token: &str) {
        self.0.set(token);
    }

    /// Whether there is one.
    pub(super) fn is_given(self) -> bool {
        self.0.is_given()
    }

    /// As a header of a request, where there is one.
    pub(super) fn authorization(self) -> Option<String> {
        self.0.authorization()
    }

    /// For the stream and its history.
    pub(super) fn source(self) -> Token {
        Token::new(move || self.0.text())
    }
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
