//! [`Reader`]: reads a stream over every crash, and comes back with its cursor each time.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use logs_shared::{RecordId, ServerEvent};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::reading::Reading;
use crate::SseReader;

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_millis(10);

/// One reader. A clone is the same one.
#[derive(Clone)]
pub(crate) struct Reader {
    urls: Arc<[String]>,
    hands_over: bool,
    reading: Arc<Mutex<Reading>>,
}

impl Reader {
    /// A reader of the stream at these addresses, which has not begun. Each time it comes back it takes the next one.
    pub(crate) fn new(urls: impl Into<Arc<[String]>>, reading: Reading) -> Self {
        Self {
            urls: urls.into(),
            hands_over: false,
            reading: Arc::new(Mutex::new(reading)),
        }
    }

    /// The same, and when a gateway says that it will stop, it opens the next stream before it lets go of this one.
    #[must_use]
    pub(crate) fn that_hands_over(self) -> Self {
        Self {
            hands_over: true,
            ..self
        }
    }

    /// Where it reads.
    pub(crate) fn urls(&self) -> &[String] {
        &self.urls
    }

    /// What it has read so far.
    pub(crate) fn reading(&self) -> MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads until its cursor is at `until`, once that is known.
    pub(crate) async fn run(self, until: watch::Receiver<Option<RecordId>>) {
        let mut tries = 0;
        while let Err(error) = self.read(&mut tries, &until).await {
            self.reading().last_error = Some(format!("{error:#}"));
            sleep(AGAIN).await;
        }
    }

    /// One connection after another, as long as one is handed over to the next.
    async fn read(&self, tries: &mut usize, until: &watch::Receiver<Option<RecordId>>) -> Result<()> {
        let mut stream = self.open(tries).await?;
        loop {
            let received = stream.next().await?;
            if self.hands_over && matches!(received.event, ServerEvent::Drain(_)) {
                // Where there is no other yet, this one goes on to its end.
                if let Ok(next) = self.open(tries).await {
                    stream = next;
                }
                continue;
            }
            let mut reading = self.reading();
            reading.take(&received);
            if until
                .borrow()
                .is_some_and(|until| reading.cursor() >= Some(until))
            {
                return Ok(());
            }
        }
    }

    async fn open(&self, tries: &mut usize) -> Result<SseReader> {
        let cursor = self.reading().cursor().map(|cursor| cursor.to_string());
        let url = &self.urls[*tries % self.urls.len()];
        *tries += 1;
        let opening = SseReader::resume(url, cursor.as_deref().unwrap_or_default());
        timeout(CONNECT_WITHIN, opening)
            .await
            .context("no answer to the stream's request")?
    }
}
