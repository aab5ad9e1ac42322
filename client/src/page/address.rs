//! [`Address`]: what the page's URL remembers.

use leptos::prelude::*;
use logs_shared::{ChannelPattern, RecordId, StreamQuery, query::QueryError};
use wasm_bindgen::JsValue;

const CONNECT: &str = "connect=1";
const AT: &str = "at=";

/// What the page's URL remembers, so that a reload or a link shows the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Address {
    /// The channels that are followed.
    pub(super) channels: Vec<ChannelPattern>,
    /// Whether to connect at once.
    pub(super) connect: bool,
    /// The record to open at.
    pub(super) at: Option<RecordId>,
    /// What is wrong with the channels that the URL names, in a sentence.
    pub(super) error: Option<String>,
}

impl Address {
    /// Reads the URL. A query that names no channel, or one that is none, gives none.
    pub(super) fn here() -> Self {
        Self::parse(&location().search().unwrap_or_default())
    }

    fn parse(search: &str) -> Self {
        let query = search.trim_start_matches('?');
        let (channels, error) = match StreamQuery::parse(query, None) {
            Ok(query) => (query.channels, None),
            Err(QueryError::MissingChannels) => (Vec::new(), None),
            Err(error) => (
                Vec::new(),
                Some(format!("The address names no channels to follow: {error}.")),
            ),
        };
        Self {
            channels,
            connect: query.split('&').any(|pair| pair == CONNECT),
            at: query
                .split('&')
                .find_map(|pair| pair.strip_prefix(AT)?.parse().ok()),
            error,
        }
    }

    fn to_search(&self) -> String {
        let query = StreamQuery::of(self.channels.iter().cloned()).to_query();
        // A query may have both as they are (RFC 3986, section 3.4), and people read it.
        let query = query.replace("%3A", ":").replace("%2C", ",");
        let mut search = String::from("?");
        search.push_str(&query);
        if self.connect {
            search.push('&');
            search.push_str(CONNECT);
        }
        if let Some(at) = self.at {
            search.push('&');
            search.push_str(AT);
            search.push_str(&at.to_string());
        }
        search
    }

    /// As a link that others can open.
    pub(super) fn link(&self) -> String {
        let (origin, path) = (location().origin(), location().pathname());
        format!(
            "{}{}{}",
            origin.unwrap_or_default(),
            path.unwrap_or_default(),
            self.to_search()
        )
    }

    /// Writes it into the URL, without a step in the history.
    pub(super) fn replace(&self) {
        if let Ok(history) = window().history() {
            // Browsers refuse when a page does so too often; the URL is then a little behind.
            let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&self.to_search()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_round_trips_and_can_be_read() {
        let channels = ["logs:*:workspace123:*", "logs:etl:w"]
            .map(|text| text.parse().unwrap())
            .to_vec();
        for (connect, at) in [(true, None), (false, Some(RecordId::new(17, 2)))] {
            let address = Address {
                channels: channels.clone(),
                connect,
                at,
                error: None,
            };
            assert_eq!(Address::parse(&address.to_search()), address);
        }
        let address = Address {
            channels,
            connect: true,
            at: None,
            error: None,
        };
        assert_eq!(
            address.to_search(),
            "?channels=logs:*:workspace123:*,logs:etl:w&connect=1"
        );
    }

    #[test]
    fn a_url_that_says_nothing_gives_nothing() {
        for search in ["", "?", "?channels=", "?connect=0", "?at=then"] {
            assert_eq!(Address::parse(search), Address::default(), "{search}");
        }
    }

    #[test]
    fn a_url_with_a_wrong_channel_follows_nothing_and_says_why() {
        for search in [
            "?channels=nonsense",
            "?channels=logs:etl:w,nonsense",
            "?service=etl",
        ] {
            let Address { channels, error, .. } = Address::parse(search);
            assert!(
                channels.is_empty() && error.is_some(),
                "{search}: {channels:?} {error:?}"
            );
        }
    }
}
