//! [`Ledger`]: what the gateway has acknowledged.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{Mutex, MutexGuard, PoisonError},
};

use logs_shared::RecordId;

use super::{numbered::Numbered, reader::Reader};

/// A publication that was answered with 200.
#[derive(Clone, Debug)]
pub(crate) struct Acknowledged {
    /// The ids of the first and the last record, as answered.
    pub(crate) ids: (RecordId, RecordId),
    /// In the order they were sent.
    pub(crate) records: Box<[Numbered]>,
}

/// What the gateway has acknowledged to all publishers. They write it, the verdict reads it.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    acknowledged: Vec<Acknowledged>,
    records: u64,
    retries: u64,
    /// Why publishers have no answer yet.
    waiting: BTreeMap<u16, String>,
}

/// How much has been acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Publications answered with 200.
    pub publications: u64,
    /// Records in them.
    pub records: u64,
    /// Publications sent again because there was no answer, counted each time.
    pub retries: u64,
}

impl Ledger {
    /// A publisher has its answer.
    pub(crate) fn acknowledge(&self, publisher: u16, publication: Acknowledged) {
        let mut entries = self.entries();
        entries.waiting.remove(&publisher);
        entries.records += publication.records.len() as u64;
        entries.acknowledged.push(publication);
    }

    /// A publisher has to send its publication again.
    pub(crate) fn retry(&self, publisher: u16, reason: String) {
        let mut entries = self.entries();
        entries.retries += 1;
        entries.waiting.insert(publisher, reason);
    }

    /// How much it is so far.
    pub(crate) fn counts(&self) -> Counts {
        let entries = self.entries();
        Counts {
            publications: entries.acknowledged.len() as u64,
            records: entries.records,
            retries: entries.retries,
        }
    }

    /// The largest id that was acknowledged.
    pub(crate) fn last_id(&self) -> RecordId {
        let entries = self.entries();
        let last = entries.acknowledged.iter().map(|publication| publication.ids.1);
        last.max().unwrap_or_default()
    }

    /// What has not happened yet: how far it is, who waits for an answer and which readers are behind, ten of them; a line each.
    pub(crate) fn what_is_missing(&self, readers: &[Reader]) -> String {
        let (last, counts) = (self.last_id(), self.counts());
        let mut text = format!("{} records are acknowledged, the last as {last}", counts.records);
        for (publisher, reason) in &self.entries().waiting {
            // Writing to a text does not fail.
            let _ = write!(text, "\n  publisher {publisher} has no answer: {reason}");
        }
        let readings = readers.iter().map(Reader::reading);
        for reading in readings.filter(|reading| reading.cursor() < Some(last)).take(10) {
            let cursor = reading
                .cursor()
                .map_or_else(|| "no".to_owned(), |cursor| cursor.to_string());
            let error = reading.last_error.as_deref().unwrap_or("none");
            let error: String = error.chars().take(300).collect();
            let name = &reading.name;
            let _ = write!(text, "\n  {name} has {cursor} cursor; its last error: {error}");
        }
        text
    }

    /// Everything that was acknowledged, when no publisher is left.
    pub(crate) fn take(&self) -> Vec<Acknowledged> {
        std::mem::take(&mut self.entries().acknowledged)
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
