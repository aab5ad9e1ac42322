//! What a [`TestGateway`] is asked beside publishing: what it has kept, and how it is.

use anyhow::{Context, Result, ensure};
use logs_shared::{
    ChannelPattern, LogRecord, RecordId, ServerEvent, StreamChange, StreamChanged, StreamQuery,
    api::{
        CHANNELS_PATH, HEALTH_READY_PATH, HISTORY_PATH, JSON_TYPE, REVOKE_PATH, STREAM_PATH, STREAMS_PATH,
    },
    history::{HistoryPage, MAX_LIMIT},
    overview::{ChannelOverview, Channels, Health},
    query::Start,
};
use reqwest::{StatusCode, header::CONTENT_TYPE};
use serde_json::json;

use super::{TOKEN, TestGateway};
use crate::{publisher::Publisher, sse_reader::SseReader};

impl TestGateway {
    /// Somebody who publishes to this gateway, also after it was started again.
    #[must_use]
    pub fn publisher(&self) -> Publisher {
        Publisher::new(&self.url, TOKEN)
    }

    /// The address of the stream of these channels after this record.
    ///
    /// # Errors
    /// One of them is no channel.
    pub fn stream_url_after(&self, channels: &str, id: RecordId) -> Result<String> {
        let channels = channels
            .split(',')
            .map(str::parse::<ChannelPattern>)
            .collect::<Result<_, _>>()?;
        let start = Start::After(id);
        let query = StreamQuery {
            channels,
            start,
            level: None,
        };
        Ok(self.url(&format!("{STREAM_PATH}?{}", query.to_query())))
    }

    /// All records of these channels that a stream gives.
    ///
    /// # Errors
    /// The stream fails, or says that records are missing.
    pub async fn streamed(&self, channels: &str) -> Result<Vec<LogRecord>> {
        let mut reader = SseReader::open(&self.stream_url_after(channels, RecordId::ZERO)?).await?;
        let mut records = Vec::new();
        loop {
            match reader.next().await?.event {
                ServerEvent::Log(record) => records.push(record),
                ServerEvent::CaughtUp(_) => return Ok(records),
                ServerEvent::Connection(_) | ServerEvent::Heartbeat(_) => {}
                other => anyhow::bail!("{} came among the records", other.to_json()),
            }
        }
    }

    /// All records of these channels that history has, page by page.
    ///
    /// # Errors
    /// The gateway refuses, or a page does not go on where the last one ended.
    pub async fn history(&self, channels: &str) -> Result<Vec<LogRecord>> {
        let mut records: Vec<LogRecord> = Vec::new();
        loop {
            let after = records.last().map_or(RecordId::ZERO, |record| record.id);
            let query = format!("channels={channels}&after={after}&limit={MAX_LIMIT}");
            let answer = self.http.get(self.url(&format!("{HISTORY_PATH}?{query}")));
            let page: HistoryPage = serde_json::from_str(&self.ask(answer).await?)?;
            ensure!(
                !page.has_more || !page.records.is_empty(),
                "an empty page has more"
            );
            records.extend(page.records);
            if !page.has_more {
                return Ok(records);
            }
        }
    }

    /// The channels that exist.
    ///
    /// # Errors
    /// The gateway cannot be reached.
    pub async fn channels(&self) -> Result<Vec<ChannelOverview>> {
        let answer = self.ask(self.http.get(self.url(CHANNELS_PATH))).await?;
        let Channels { channels } = serde_json::from_str(&answer)?;
        Ok(channels)
    }

    /// What is wrong with it, where something is.
    ///
    /// # Errors
    /// It cannot be reached, or says it with the wrong status.
    pub async fn trouble(&self) -> Result<Option<String>> {
        let answer = self.http.get(self.url(HEALTH_READY_PATH)).send().await?;
        let status = answer.status();
        let Health { reason, .. } = serde_json::from_str(&answer.text().await?)?;
        let expected = match reason {
            None => StatusCode::OK,
            Some(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        ensure!(status == expected, "{status} with {reason:?}");
        Ok(reason)
    }

    /// Takes back what a reader holds, as an operator does.
    ///
    /// # Errors
    /// The gateway refuses or cannot be reached.
    pub async fn revoke(&self, user: &str) -> Result<()> {
        let body = json!({ "user": user }).to_string();
        let request = self
            .http
            .post(self.url(REVOKE_PATH))
            .header(CONTENT_TYPE, JSON_TYPE);
        self.ask(request.body(body)).await?;
        Ok(())
    }

    /// Changes what an open stream follows.
    ///
    /// # Errors
    /// The gateway refuses the whole change.
    pub async fn change_stream(&self, stream_id: &str, change: &StreamChange) -> Result<StreamChanged> {
        let url = self.url(&format!("{STREAMS_PATH}/{stream_id}"));
        let request = self.http.patch(url).header(CONTENT_TYPE, JSON_TYPE);
        let answer = self.ask(request.body(change.to_json())).await?;
        serde_json::from_str(&answer).with_context(|| format!("{answer} is no answer to a change"))
    }
}
