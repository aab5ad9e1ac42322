//! [`Follower`]: a reader that comes back, as a browser does.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use logs_shared::{LogRecord, ServerEvent};
use tokio::{task::JoinHandle, time::sleep};

use crate::sse_reader::SseReader;

/// A reader that comes back, as a browser does: with its last event id, until it is let in. It ends with this value.
pub struct Follower {
    read: Arc<Mutex<Read>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Read {
    records: Vec<LogRecord>,
    gaps: Vec<String>,
    streams: usize,
}

/// How long it waits before it comes back.
const REST: Duration = Duration::from_millis(50);

impl Follower {
    /// Follows the stream at this address.
    #[must_use]
    pub fn start(url: String) -> Self {
        let read = Arc::<Mutex<Read>>::default();
        let into = read.clone();
        let task = tokio::spawn(async move {
            let mut cursor = String::new();
            loop {
                if let Ok(mut reader) = SseReader::resume(&url, &cursor).await {
                    lock(&into).streams += 1;
                    while let Ok(received) = reader.next().await {
                        cursor = received.last_event_id;
                        match received.event {
                            ServerEvent::Log(record) => lock(&into).records.push(record),
                            gap @ ServerEvent::Gap(_) => lock(&into).gaps.push(gap.to_json()),
                            _ => {}
                        }
                    }
                }
                sleep(REST).await;
            }
        });
        Self { read, task }
    }

    /// The records that have come, in the order they came.
    #[must_use]
    pub fn records(&self) -> Vec<LogRecord> {
        lock(&self.read).records.clone()
    }

    /// The `gap` events that have come.
    #[must_use]
    pub fn gaps(&self) -> Vec<String> {
        lock(&self.read).gaps.clone()
    }

    /// How many streams it has been let in to.
    #[must_use]
    pub fn streams(&self) -> usize {
        lock(&self.read).streams
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(read: &Mutex<Read>) -> MutexGuard<'_, Read> {
    read.lock().unwrap_or_else(PoisonError::into_inner)
}
