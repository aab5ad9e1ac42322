//! [`Hearing`]: takes what is heard on a connection to the channels and their readers.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use logs_shared::{Channel, RecordId};
use redis::{PushInfo, PushKind, Value};
use tokio::sync::Notify;

use super::Missed;
use crate::engine::{
    Log, lock, read,
    redis::{Block, topics::Topics},
    tail::Stored,
    waking::Waking,
    write,
};

/// Takes what is heard on a connection to the channels and their readers, in the order in which it comes. What comes
/// before it is known what was missed is put aside.
pub(super) struct Hearing {
    log: Arc<Log>,
    topics: Topics,
    aside: Mutex<Option<Aside>>,
    has_ended: AtomicBool,
    end: Notify,
}

/// What came before it was known what was missed.
#[derive(Default)]
struct Aside {
    blocks: Vec<(Channel, Vec<Stored>)>,
    bytes: u64,
    /// Where there was no room for more: the last that was passed over, of each channel.
    passed_over: HashMap<Channel, RecordId>,
}

/// The most that is put aside.
const ASIDE_BYTES: u64 = 32 << 20;

impl Hearing {
    pub(super) fn new(log: Arc<Log>, topics: Topics) -> Self {
        Self {
            log,
            topics,
            aside: Mutex::new(Some(Aside::default())),
            has_ended: AtomicBool::new(false),
            end: Notify::new(),
        }
    }

    /// Waits until the connection is lost.
    pub(super) async fn ended(&self) {
        while !self.has_ended.load(Ordering::Acquire) {
            self.end.notified().await;
        }
    }

    /// Nothing more is taken from it: from now on, something is missed.
    pub(super) fn end(&self) {
        if !self.has_ended.swap(true, Ordering::AcqRel) {
            let mut directory = write(&self.log.directory);
            if let Some(followed) = directory.followed() {
                followed.set_effective(0);
            }
        }
        self.end.notify_one();
    }

    /// What the connection has heard.
    pub(super) fn push(&self, info: PushInfo) {
        if self.has_ended.load(Ordering::Acquire) {
            return;
        }
        match info.kind {
            PushKind::Disconnection => self.end(),
            PushKind::Message | PushKind::PMessage => {
                let mut data = info.data.into_iter().rev();
                let (Some(Value::BulkString(message)), Some(Value::BulkString(topic))) =
                    (data.next(), data.next())
                else {
                    return;
                };
                let topic = std::str::from_utf8(&topic).unwrap_or_default();
                if let Some((channel, message)) = self.topics.read(topic, &message) {
                    self.hear(channel, message);
                }
            }
            _ => {}
        }
    }

    fn hear(&self, channel: Channel, message: &[u8]) {
        let block = match Block::from_message(message) {
            Ok(block) => block,
            Err(error) => return tracing::error!(%channel, %error, "what was published cannot be read"),
        };
        if self.is_of_no_use(&channel, block.last_id) {
            return;
        }
        let records = match block.read(self.log.work.now()) {
            Ok(records) => records,
            Err(error) => {
                return tracing::error!(%channel, %error, "records that were published cannot be read");
            }
        };
        let mut aside = lock(&self.aside);
        if let Some(aside) = &mut *aside {
            return aside.put(channel, records);
        }
        drop(aside);
        let mut waking = Waking::default();
        take(&self.log, &channel, records, &mut waking);
        self.log.wake(waking);
        let (bytes, limit) = (self.log.tail_bytes.load(Ordering::Relaxed), self.log.memory);
        if bytes / 2 > limit {
            self.log.shorten_tails();
        } else if self.takes_too_much() && !self.log.noticed_tails.swap(true, Ordering::Relaxed) {
            self.log.live.called.notify_one();
        }
    }

    /// Whether tails take more memory than they may.
    pub(super) fn takes_too_much(&self) -> bool {
        self.log.tail_bytes.load(Ordering::Relaxed) > self.log.memory
    }

    /// Whether nobody here wants it, or it was heard already: what several patterns choose comes several times.
    fn is_of_no_use(&self, channel: &Channel, last_id: RecordId) -> bool {
        let is_live = lock(&self.aside).is_none();
        let directory = read(&self.log.directory);
        match directory.get(channel) {
            Some(log) => last_id <= log.last_id(),
            None if directory.wants(channel) => false,
            None => {
                if is_live {
                    self.log.raise_head(last_id);
                }
                true
            }
        }
    }

    /// What was missed after `from` is known, up to `to`: from now on all that comes goes to the readers, for what was wanted up to
    /// this change.
    pub(super) fn go_live(&self, from: RecordId, to: RecordId, missed: Missed, change: u64) {
        let mut waking = Waking::default();
        let mut waiting = Vec::new();
        {
            let mut aside = lock(&self.aside);
            let Aside {
                blocks, passed_over, ..
            } = aside.take().unwrap_or_default();
            let mut directory = write(&self.log.directory);
            if !self.has_ended.load(Ordering::Acquire)
                && let Some(followed) = directory.followed()
            {
                followed.set_effective(change);
            }
            let mut make_up = |channel: &Channel, to, portion| {
                // What came to be wanted since then is not heard yet: its tail must not begin before it is.
                if !directory.wanted_by(channel, change) {
                    return;
                }
                let log = directory.get_or_create(&self.log, channel);
                let (took, gave) = log.make_up(from, to, portion, &mut waking);
                self.log.tail_bytes.fetch_add(took, Ordering::Relaxed);
                self.log.tail_bytes.fetch_sub(gave, Ordering::Relaxed);
            };
            for (channel, portion) in missed.channels {
                make_up(&channel, to, portion);
            }
            for (channel, last_id) in &passed_over {
                make_up(channel, *last_id, None);
            }
            self.log.raise_head(to);
            directory.hear_all_from(to);
            drop(directory);
            for (channel, records) in blocks {
                if !passed_over.contains_key(&channel) {
                    take(&self.log, &channel, records, &mut waking);
                }
            }
            for last_id in passed_over.into_values() {
                let _directory = read(&self.log.directory);
                self.log.raise_head(last_id);
            }
            let mut directory = write(&self.log.directory);
            self.log.live.confirm(change);
            if let Some(followed) = directory.followed() {
                waiting = followed.take_waiting(change);
            }
        }
        self.log.wake(waking);
        waiting.iter().for_each(|signal| signal.wake());
    }
}

impl Aside {
    fn put(&mut self, channel: Channel, records: Vec<Stored>) {
        let Some(last) = records.last() else { return };
        let bytes: u64 = records.iter().map(Stored::cost).sum();
        if self.bytes + bytes > ASIDE_BYTES || !self.passed_over.is_empty() {
            self.passed_over.insert(channel, last.id);
        } else {
            self.bytes += bytes;
            self.blocks.push((channel, records));
        }
    }
}

/// Brings records to their channel, where anybody wants them, and makes them readable.
fn take(log: &Log, channel: &Channel, records: Vec<Stored>, waking: &mut Waking) {
    let Some(last_id) = records.last().map(|record| record.id) else {
        return;
    };
    let known = {
        // Nobody begins or ceases to follow a channel meanwhile, so that the high-water mark is an exact border.
        let directory = read(&log.directory);
        match directory.get(channel).cloned() {
            Some(known) => {
                let took = known.hear(records, waking);
                log.tail_bytes.fetch_add(took, Ordering::Relaxed);
                log.raise_head(last_id);
                None
            }
            None => Some(records),
        }
    };
    let Some(records) = known else { return };
    let mut directory = write(&log.directory);
    if directory.wants(channel) {
        let created = directory.get_or_create(log, channel);
        let took = created.hear(records, waking);
        log.tail_bytes.fetch_add(took, Ordering::Relaxed);
    }
    log.raise_head(last_id);
}
