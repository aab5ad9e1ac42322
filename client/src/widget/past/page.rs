//! [`Page`]: one request for a page of the past.

use logs_shared::{ChannelPattern, RecordId};
use web_sys::AbortSignal;

use crate::{browser::history, buffer::Row, json::read_row};

/// A request for a page of the past.
pub(super) struct Page {
    gateway_url: String,
    query: String,
}

impl Page {
    /// The newest records of these channels.
    pub(super) fn of(gateway_url: &str, channels: &[ChannelPattern]) -> Self {
        let mut query = String::new();
        // What a channel is written with needs no escapes in a query.
        let mut before = "channels=";
        for channel in channels {
            query.push_str(before);
            query.push_str(channel.as_str());
            before = ",";
        }
        Self {
            gateway_url: gateway_url.to_owned(),
            query,
        }
    }

    /// Only those on one side of a place, as the query's parameter `name` says.
    pub(super) fn place(mut self, name: &str, id: RecordId) -> Self {
        self.query.push('&');
        self.query.push_str(name);
        self.query.push('=');
        self.query.push_str(&id.to_string());
        self
    }

    /// Only those that have this text.
    pub(super) fn saying(mut self, text: &str) -> Self {
        self.query.push_str("&q=");
        self.query
            .push_str(&String::from(js_sys::encode_uri_component(text)));
        self
    }

    /// At most so many.
    pub(super) fn limit(mut self, limit: usize) -> Self {
        self.query.push_str("&limit=");
        self.query.push_str(&limit.to_string());
        self
    }

    /// Asks for it. `then` is given its rows, the oldest first, or why there are none, in a sentence.
    pub(super) fn load(self, signal: Option<&AbortSignal>, then: Box<dyn FnOnce(Result<Vec<Row>, String>)>) {
        let read = move |lines: String, error| {
            then(match error {
                Some(error) => Err(error),
                None => Ok(lines.lines().filter_map(read_row).collect()),
            });
        };
        history(&self.gateway_url, &self.query, signal, Box::new(read));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_named_by_its_query() {
        let channels = ["logs:etl:w:*".parse().unwrap(), "logs:faas:w".parse().unwrap()];
        let page = Page::of("https://logs.example.com/", &channels)
            .place("before", RecordId::new(17, 2))
            .limit(500);
        let expected = logs_shared::HistoryQuery::parse(&page.query).unwrap();
        assert_eq!((expected.channels.len(), expected.limit), (2, 500));
        assert_eq!(expected.before, Some(RecordId::new(17, 2)));
    }
}
