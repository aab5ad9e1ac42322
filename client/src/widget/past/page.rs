//! [`Page`]: one request for a page of the past.

use logs_shared::{
    ChannelPattern, RecordId,
    api::{HISTORY_PATH, NDJSON_TYPE},
};
use web_sys::AbortSignal;

use crate::{
    browser::fetch_text,
    buffer::Row,
    json::{read_detail, read_row},
};

/// A request for a page of the past.
pub(super) struct Page(String);

impl Page {
    /// The newest records of these channels.
    pub(super) fn of(gateway_url: &str, channels: &[ChannelPattern]) -> Self {
        // An origin, or the path of the stream, beside which the history is.
        let base = gateway_url.trim_end_matches('/');
        let (root, path) = match base.strip_suffix("/stream") {
            Some(root) => (root, "/history"),
            None => (base, HISTORY_PATH),
        };
        let mut url = root.to_owned();
        url.push_str(path);
        // What a channel is written with needs no escapes in a query.
        let mut before = "?channels=";
        for channel in channels {
            url.push_str(before);
            url.push_str(channel.as_str());
            before = ",";
        }
        Self(url)
    }

    /// Only those on one side of a place, as the query's parameter `name` says.
    pub(super) fn place(mut self, name: &str, id: RecordId) -> Self {
        self.0.push('&');
        self.0.push_str(name);
        self.0.push('=');
        self.0.push_str(&id.to_string());
        self
    }

    /// Only those that have this text.
    pub(super) fn saying(mut self, text: &str) -> Self {
        self.0.push_str("&q=");
        self.0.push_str(&String::from(js_sys::encode_uri_component(text)));
        self
    }

    /// At most so many.
    pub(super) fn limit(mut self, limit: usize) -> Self {
        self.0.push_str("&limit=");
        self.0.push_str(&limit.to_string());
        self
    }

    /// Asks for it. `then` is given its rows, the oldest first, or why there are none, in a sentence.
    pub(super) fn load(self, signal: Option<&AbortSignal>, then: Box<dyn FnOnce(Result<Vec<Row>, String>)>) {
        let read = move |status, text: String| {
            then(match status {
                0 => Err("The gateway cannot be reached.".to_owned()),
                200..300 => Ok(text.lines().filter_map(read_row).collect()),
                status => Err(refusal(status, &text)),
            });
        };
        fetch_text(&self.0, NDJSON_TYPE, signal, Box::new(read));
    }
}

/// What the gateway says is wrong.
fn refusal(status: u16, problem: &str) -> String {
    read_detail(problem).unwrap_or_else(|| {
        let mut words = String::from("The gateway answered with status ");
        words.push_str(&status.to_string());
        words.push('.');
        words
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_named_by_its_url() {
        let channels = ["logs:etl:w:*".parse().unwrap(), "logs:faas:w".parse().unwrap()];
        let page = Page::of("https://logs.example.com/", &channels)
            .place("before", RecordId::new(17, 2))
            .limit(500);
        let expected = logs_shared::HistoryQuery::parse(page.0.split_once('?').unwrap().1).unwrap();
        assert_eq!((expected.channels.len(), expected.limit), (2, 500));
        assert_eq!(expected.before, Some(RecordId::new(17, 2)));
        assert!(page.0.starts_with("https://logs.example.com/api/logs/history?"));
        for (gateway_url, path) in [
            ("", "/api/logs/history?"),
            ("/api/logs/stream", "/api/logs/history?"),
            ("/sse/logs/stream/", "/sse/logs/history?"),
        ] {
            assert!(
                Page::of(gateway_url, &channels).0.starts_with(path),
                "{gateway_url}"
            );
        }
    }

    #[test]
    fn a_refusal_without_words_is_told_by_its_status() {
        assert_eq!(refusal(502, "<html>"), "The gateway answered with status 502.");
        assert_eq!(refusal(400, r#"{"detail":"No."}"#), "No.");
    }
}
