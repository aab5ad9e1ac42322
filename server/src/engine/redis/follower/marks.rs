//! What the log says of itself: how far it is, and whether it is still the same.

use std::sync::atomic::Ordering;

use logs_shared::RecordId;
use tokio::task::spawn_blocking;

use super::{Follower, line::Line, lost::Lost};
use crate::engine::{lock, redis::Marks, waking::Waking, write};

/// What was heard of the log with a tick.
#[derive(Clone, Copy)]
pub(super) struct Heard {
    epoch: u64,
    /// How far the log was known then.
    head: RecordId,
}

impl Follower {
    /// Asks how far the log is, and begins one where there is none.
    pub(super) async fn tick(&mut self, line: &mut Line) -> Result<Marks, Lost> {
        let told = self.note(line.tick(&self.store).await)?;
        let marks = match told {
            Some(marks) => marks,
            None => {
                let store = self.store.clone();
                let marks = spawn_blocking(move || store.marks());
                self.note(marks.await?)?
            }
        };
        if self.log.live.hear() {
            if self.has_said.take() {
                tracing::info!("what other gateways publish is heard again");
            }
            self.wake_all();
        }
        Ok(marks)
    }

    /// Where this is another log than the one that was heard of: up to where everything is lost. What comes next must not
    /// have an id that readers have passed.
    pub(super) fn lost_to(&self, marks: Marks) -> Option<RecordId> {
        let heard = self.heard.filter(|heard| heard.epoch != marks.epoch)?;
        Some(marks.floor.max(heard.head))
    }

    /// Takes what the log says of itself, after it was known up to `before`. Returns up to where it is known then.
    pub(super) async fn take_marks(&mut self, marks: Marks, before: RecordId) -> Result<RecordId, Lost> {
        let log = self.log.clone();
        let mut to = marks.last_id.max(before);
        if let Some(lost_to) = self.lost_to(marks) {
            tracing::error!("Redis has lost everything: the log begins anew, and readers are told");
            to = to.max(lost_to);
            self.raise(to).await?;
            self.lose_everything(lost_to, to);
        } else if marks.last_id < before {
            let (last_id, known) = (marks.last_id, before);
            tracing::warn!(%last_id, %known, "Redis has lost the newest records, which readers have had");
            self.raise(to).await?;
            // What replicas must have is not lost with a server: only what was never acknowledged is.
            if self.store.settings().replicas == 0 {
                let mut lost = lock(&log.lost);
                let from = lost
                    .filter(|(_, to)| last_id <= *to)
                    .map(|(from, _)| from.min(last_id));
                *lost = Some((from.unwrap_or(last_id), to));
            }
        }
        log.kept_bytes.store(marks.kept_bytes, Ordering::Relaxed);
        log.channels.store(marks.channels, Ordering::Relaxed);
        *write(&log.floor) = marks.floor;
        *write(&log.forgotten_to) = marks.forgotten_to;
        self.heard = Some(Heard {
            epoch: marks.epoch,
            head: to,
        });
        Ok(to)
    }

    /// Has no id up to this one given any more.
    pub(super) async fn raise(&self, to: RecordId) -> Result<(), Lost> {
        let store = self.store.clone();
        let raised = spawn_blocking(move || store.raise(to));
        self.note(raised.await?)?;
        Ok(())
    }

    /// Everything up to one record is lost; what was published since then and up to another one is in Redis. Readers are
    /// to be woken again when that can be read.
    pub(super) fn lose_everything(&self, up_to: RecordId, from: RecordId) {
        let mut waking = Waking::default();
        {
            let directory = write(&self.log.directory);
            for channel in directory.channels() {
                let freed = channel.lose_up_to(up_to, from, &mut waking);
                self.log.tail_bytes.fetch_sub(freed, Ordering::Relaxed);
            }
        }
        self.log.wake(waking);
    }
}
