//! [`Page`]: one request for a page of the past.

use std::sync::Arc;

use gloo_net::http::{Request, Response};
use logs_shared::{
    ChannelPattern, LogRecord, Problem, RecordId, StreamQuery,
    api::{HISTORY_PATH, NDJSON_TYPE},
};
use web_sys::AbortSignal;

use crate::buffer::Row;

/// A request for a page of the past.
pub(super) struct Page(String);

impl Page {
    /// The newest records of these channels.
    pub(super) fn of(gateway_url: &str, channels: &[ChannelPattern]) -> Self {
        let mut url = gateway_url.trim_end_matches('/').to_owned();
        url.push_str(HISTORY_PATH);
        url.push('?');
        url.push_str(&StreamQuery::of(channels.iter().cloned()).to_query());
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

    /// The page's rows, the oldest first.
    ///
    /// # Errors
    /// Why there is none, in a sentence.
    pub(super) async fn load(self, signal: Option<&AbortSignal>) -> Result<Vec<Row>, String> {
        let unreachable = |_| "The gateway cannot be reached.".to_owned();
        let request = Request::get(&self.0)
            .header("accept", NDJSON_TYPE)
            .abort_signal(signal);
        let answer = request.send().await.map_err(unreachable)?;
        if !answer.ok() {
            return Err(refusal(&answer).await);
        }
        Ok(rows(&answer.text().await.map_err(unreachable)?))
    }
}

async fn refusal(answer: &Response) -> String {
    let problem = answer.text().await.unwrap_or_default();
    let problem = serde_json::from_str::<Problem>(&problem);
    problem.map_or_else(
        |_| {
            let mut words = String::from("The gateway answered with status ");
            words.push_str(&answer.status().to_string());
            words.push('.');
            words
        },
        |problem| problem.detail,
    )
}

/// One record a line. What cannot be read is left out.
fn rows(ndjson: &str) -> Vec<Row> {
    let records = ndjson
        .lines()
        .filter_map(|line| serde_json::from_str::<LogRecord>(line).ok());
    records.map(|record| Row::Record(Arc::new(record))).collect()
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
    }

    #[test]
    fn rows_are_lines() {
        let line = r#"{"type":"log","id":"1-0","channel":"logs:etl:w","timestamp":"2025-09-25T10:30:00.000Z","level":"INFO","message":"m"}"#;
        let text = [line, "half a li", "", line].join("\n");
        assert_eq!(rows(&text).len(), 2);
    }
}
