//! [`Reading`]: what one reader has read, over all its connections.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use logs_shared::{Channel, LogRecord, RecordId, ServerEvent};

use super::numbered::{Numbered, Seen};
use crate::Received;

/// What one reader has read, over all its connections, and what it was told that must not be.
pub(crate) struct Reading {
    /// Names the reader.
    pub(crate) name: String,
    channels: Arc<[Channel]>,
    /// Which of them it reads; all where it is none.
    only: Option<Box<[u16]>>,
    /// What it comes back with: the cursor of the last event that arrived whole.
    cursor: Option<RecordId>,
    /// The records in the order they came.
    pub(crate) seen: Vec<Seen>,
    /// How often it was told that records are missing.
    pub(crate) gaps: u64,
    /// Records that nobody published as they came.
    pub(crate) foreign: u64,
    /// The first gap or foreign record.
    pub(crate) first_oddity: Option<String>,
    /// Why its last connection ended.
    pub(crate) last_error: Option<String>,
    last_record: Option<Instant>,
    /// The longest time between two records, over all its connections.
    pub(crate) longest_pause: Duration,
}

impl Reading {
    /// Nothing so far, of some of these channels or of all.
    pub(crate) fn new(
        name: impl Into<String>,
        channels: Arc<[Channel]>,
        only: impl IntoIterator<Item = u16>,
    ) -> Self {
        let only: Box<[u16]> = only.into_iter().collect();
        Self {
            name: name.into(),
            channels,
            only: (!only.is_empty()).then_some(only),
            cursor: None,
            seen: Vec::new(),
            gaps: 0,
            foreign: 0,
            first_oddity: None,
            last_error: None,
            last_record: None,
            longest_pause: Duration::ZERO,
        }
    }

    /// What it would come back with now.
    pub(crate) const fn cursor(&self) -> Option<RecordId> {
        self.cursor
    }

    /// Whether it reads this one of the test's channels.
    pub(crate) fn covers(&self, channel: u16) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&channel))
    }

    /// Takes the next event.
    pub(crate) fn take(&mut self, received: &Received) {
        match &received.event {
            ServerEvent::Log(record) => {
                let now = Instant::now();
                let pause = self.last_record.replace(now).map(|last| now - last);
                self.longest_pause = self.longest_pause.max(pause.unwrap_or_default());
                self.take_record(record);
            }
            ServerEvent::Gap(_) => {
                self.gaps += 1;
                self.note(|| received.event.to_json());
            }
            _ => {}
        }
        if let Ok(cursor) = received.last_event_id.parse() {
            self.cursor = Some(cursor);
        }
    }

    /// Takes a record, from a stream or from history.
    pub(crate) fn take_record(&mut self, record: &LogRecord) {
        match Numbered::read(record, &self.channels) {
            Some(numbered) => {
                let after_cursor = self.cursor.is_none_or(|cursor| cursor < record.id);
                self.seen.push(Seen {
                    id: record.id,
                    record: numbered,
                    after_cursor,
                });
            }
            None => {
                self.foreign += 1;
                self.note(|| format!("nobody published {}", record.to_json()));
            }
        }
        self.cursor = self.cursor.max(Some(record.id));
    }

    fn note(&mut self, oddity: impl FnOnce() -> String) {
        self.first_oddity.get_or_insert_with(oddity);
    }
}
