//! [`Reader`]: reads a stream over every crash, and comes back with its cursor each time.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use logs_shared::RecordId;
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
pub(super) struct Reader {
    url: String,
    reading: Arc<Mutex<Reading>>,
}

impl Reader {
    /// A reader of the stream at `url`, which has not begun.
    pub(super) fn new(url: String, reading: Reading) -> Self {
        let reading = Arc::new(Mutex::new(reading));
        Self { url, reading }
    }

    /// What it has read so far.
    pub(super) fn reading(&self) -> MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads until its cursor is at `until`, once that is known.
    pub(super) async fn run(self, until: watch::Receiver<Option<RecordId>>) {
        while let Err(error) = self.read(&until).await {
            self.reading().last_error = Some(format!("{error:#}"));
            sleep(AGAIN).await;
        }
    }

    /// One connection.
    async fn read(&self, until: &watch::Receiver<Option<RecordId>>) -> Result<()> {
        let cursor = self.reading().cursor().map(|cursor| cursor.to_string());
        let opening = SseReader::resume(&self.url, cursor.as_deref().unwrap_or_default());
        let mut stream = timeout(CONNECT_WITHIN, opening)
            .await
            .context("no answer to the stream's request")??;
        loop {
            let received = stream.next().await?;
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
}
