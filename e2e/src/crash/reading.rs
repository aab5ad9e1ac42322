//! [`Reading`]: what one reader has read, over all its connections.

use std::sync::Arc;

use logs_shared::{Channel, LogRecord, RecordId, ServerEvent};

use super::numbered::{Numbered, Seen};
use crate::Received;

/// What one reader has read, over all its connections, and what it was told that must not be.
pub(super) struct Reading {
    /// Names the reader.
    pub(super) name: String,
    channels: Arc<[Channel]>,
    /// Which of them it reads; all where it is none.
    pub(super) only: Option<u16>,
    /// What it comes back with: the cursor of the last event that arrived whole.
    cursor: Option<RecordId>,
    /// The records in the order they came.
    pub(super) seen: Vec<Seen>,
    /// How often it was told that records are missing.
    pub(super) gaps: u64,
    /// Records that nobody published as they came.
    pub(super) foreign: u64,
    /// The first gap or foreign record.
    pub(super) first_oddity: Option<String>,
    /// Why its last connection ended.
    pub(super) last_error: Option<String>,
}

impl Reading {
    /// Nothing so far, of one of these channels or of all.
    pub(super) fn new(name: impl Into<String>, channels: Arc<[Channel]>, only: Option<u16>) -> Self {
        Self {
            name: name.into(),
            channels,
            only,
            cursor: None,
            seen: Vec::new(),
            gaps: 0,
            foreign: 0,
            first_oddity: None,
            last_error: None,
        }
    }

    /// What it would come back with now.
    pub(super) const fn cursor(&self) -> Option<RecordId> {
        self.cursor
    }

    /// Takes the next event.
    pub(super) fn take(&mut self, received: &Received) {
        match &received.event {
            ServerEvent::Log(record) => self.take_record(record),
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
    pub(super) fn take_record(&mut self, record: &LogRecord) {
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
