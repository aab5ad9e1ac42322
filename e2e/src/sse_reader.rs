//! [`SseReader`]: a stream, read event by event.

use std::{collections::VecDeque, pin::Pin, time::Duration};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use logs_shared::{
    LogRecord, ServerEvent,
    api::{EVENT_STREAM_TYPE, LAST_EVENT_ID_HEADER},
    sse::Parser,
};
use reqwest::header::CONTENT_TYPE;
use tokio::time::{Instant, timeout};

/// How long an event may take to come.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many of the events before it a failure shows.
const SHOWN: usize = 8;

/// One event, and the cursor as it stood then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// What was sent.
    pub event: ServerEvent,
    /// What a browser would now resume from; empty before the first `id:`.
    pub last_event_id: String,
}

/// An open stream. It ends with this value, as a reader's does that goes away.
pub struct SseReader {
    bytes: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    parser: Parser,
    pending: VecDeque<Received>,
    last: VecDeque<Received>,
    patience: Duration,
}

impl SseReader {
    /// Opens the stream at `url`.
    ///
    /// # Errors
    /// It is refused, or is no event stream.
    pub async fn open(url: &str) -> Result<Self> {
        Self::resume(url, "").await
    }

    /// Opens the stream at `url` as a browser does that comes back: with the last event id it has seen.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn resume(url: &str, last_event_id: &str) -> Result<Self> {
        let headers = [(LAST_EVENT_ID_HEADER, last_event_id)];
        let is_first = last_event_id.is_empty();
        Self::open_with(url, if is_first { &[] } else { &headers }).await
    }

    /// Opens the stream at `url` with these headers too.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_with(url: &str, headers: &[(&str, &str)]) -> Result<Self> {
        let mut request = reqwest::Client::builder().build()?.get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request
            .send()
            .await
            .with_context(|| format!("no answer from {url}"))?;
        let status = response.status();
        let content_type = response.headers().get(CONTENT_TYPE);
        let is_stream =
            content_type.is_some_and(|kind| kind.as_bytes().starts_with(EVENT_STREAM_TYPE.as_bytes()));
        if !status.is_success() || !is_stream {
            bail!("{url} is no stream: {status}: {}", response.text().await?);
        }
        Ok(Self {
            bytes: Box::pin(response.bytes_stream()),
            parser: Parser::default(),
            pending: VecDeque::new(),
            last: VecDeque::new(),
            patience: PATIENCE,
        })
    }

    /// Waits this long for each event instead of 10 s.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The next event.
    ///
    /// # Errors
    /// None comes in time, the stream ends, or an event cannot be read; the events before are then shown.
    pub async fn next(&mut self) -> Result<Received> {
        let received = match timeout(self.patience, self.receive()).await {
            Ok(Ok(received)) => received,
            Ok(Err(error)) => return Err(error.context(self.so_far())),
            Err(_) => bail!("no event within {:?}; {}", self.patience, self.so_far()),
        };
        if self.last.len() == SHOWN {
            self.last.pop_front();
        }
        self.last.push_back(received.clone());
        Ok(received)
    }

    /// The next record; other events are passed over.
    ///
    /// # Errors
    /// As [`Self::next`]; also where other events come and no record in time.
    pub async fn next_record(&mut self) -> Result<LogRecord> {
        self.find("a record", |event| match event {
            ServerEvent::Log(record) => Ok(Some(record)),
            _ => Ok(None),
        })
        .await
    }

    /// What `find` makes of the first event that it makes something of.
    ///
    /// # Errors
    /// As [`Self::next`], or `find` fails; also where `what` does not come in time among other events.
    pub async fn find<T>(
        &mut self,
        what: &str,
        mut find: impl FnMut(ServerEvent) -> Result<Option<T>>,
    ) -> Result<T> {
        let until = Instant::now() + self.patience;
        loop {
            if let Some(found) = find(self.next().await?.event)? {
                return Ok(found);
            }
            if Instant::now() > until {
                bail!("not within {:?}: {what}; {}", self.patience, self.so_far());
            }
        }
    }

    /// The cursor as it stands now.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        self.last.back().map_or("", |received| &received.last_event_id)
    }

    async fn receive(&mut self) -> Result<Received> {
        loop {
            if let Some(received) = self.pending.pop_front() {
                return Ok(received);
            }
            let bytes = self.bytes.next().await.context("the stream has ended")??;
            let mut unreadable = None;
            self.parser
                .feed(&bytes, |event, id| match ServerEvent::parse(&event.data) {
                    Ok(event) => self.pending.push_back(Received {
                        event,
                        last_event_id: id.to_owned(),
                    }),
                    Err(error) => unreadable = Some(error),
                });
            if let Some(error) = unreadable {
                return Err(error.into());
            }
        }
    }

    fn so_far(&self) -> String {
        if self.last.is_empty() {
            return "nothing had come before".to_owned();
        }
        let events: Vec<_> = self
            .last
            .iter()
            .map(|received| received.event.to_json())
            .collect();
        format!("the last before it:\n  {}", events.join("\n  "))
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    /// Answers one request with this text; then the connection stays open, or ends.
    async fn serve(answer: &'static str, stays_open: bool) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = socket.read(&mut request).await.unwrap();
            socket.write_all(answer.as_bytes()).await.unwrap();
            while stays_open && socket.read(&mut request).await.unwrap() > 0 {}
        });
        url
    }

    const HEARTBEAT: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n\
        event: heartbeat\nid: 5-0\ndata: {\"type\":\"heartbeat\",\"timestamp\":\"2025-09-25T10:30:00.000Z\"}\n\n";

    #[tokio::test]
    async fn silence_is_an_error_that_shows_what_came_before() {
        let url = serve(HEARTBEAT, true).await;
        let reader = SseReader::open(&url).await.unwrap();
        let mut reader = reader.with_patience(Duration::from_millis(100));
        assert_eq!(reader.next().await.unwrap().last_event_id, "5-0");
        let error = reader.next().await.unwrap_err().to_string();
        assert!(
            error.contains("no event within 100ms") && error.contains("heartbeat"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn other_events_do_not_make_a_record_come() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let _ = socket.read(&mut [0; 1024]).await.unwrap();
            let (_, event) = HEARTBEAT.split_once("\r\n\r\n").unwrap();
            let mut text = HEARTBEAT;
            while socket.write_all(text.as_bytes()).await.is_ok() {
                text = event;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        let reader = SseReader::open(&url).await.unwrap();
        let mut reader = reader.with_patience(Duration::from_millis(200));
        let error = reader.next_record().await.unwrap_err().to_string();
        assert!(error.contains("not within 200ms: a record"), "{error}");
    }

    #[tokio::test]
    async fn the_end_of_the_stream_is_an_error() {
        let mut reader = SseReader::open(&serve(HEARTBEAT, false).await).await.unwrap();
        let error = format!("{:#}", reader.next_record().await.unwrap_err());
        assert!(error.contains("the stream has ended"), "{error}");
    }

    #[tokio::test]
    async fn an_event_that_cannot_be_read_is_an_error() {
        let broken =
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: {\"type\":\"unheard\"}\n\n";
        let mut reader = SseReader::open(&serve(broken, true).await).await.unwrap();
        assert!(reader.next().await.is_err());
    }

    #[tokio::test]
    async fn a_refusal_is_an_error_with_its_words() {
        let refusal = "HTTP/1.1 403 Forbidden\r\ncontent-length: 6\r\n\r\nnot so";
        let error = SseReader::open(&serve(refusal, true).await)
            .await
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("403") && error.contains("not so"), "{error}");
    }

    #[tokio::test]
    async fn what_is_no_event_stream_is_an_error() {
        let html = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 3\r\n\r\n<p>";
        assert!(SseReader::open(&serve(html, true).await).await.is_err());
    }
}
