//! [`Traffic`]: publishers that go on through everything, and what they were told.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Result, bail, ensure};
use logs_shared::{Channel, LogRecord, RecordId};
use serde_json::json;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::publisher::{Published, Publisher};

/// Publishers that go on through everything, one a channel. Each publishes its next record when the last one is
/// acknowledged; until then it repeats it, under the same name. They end with this value.
pub struct Traffic {
    told: Arc<Mutex<Told>>,
    stop: watch::Sender<bool>,
    publishers: JoinSet<()>,
}

/// What the publishers were told.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// What is stored, as the gateway says: each record with its id.
    pub acknowledged: Vec<(RecordId, String)>,
    /// How often it refused, by code.
    pub refused: BTreeMap<String, usize>,
    /// How often there was no answer.
    pub unanswered: usize,
}

/// How long a publisher rests between its records, and before it repeats one.
const REST: Duration = Duration::from_millis(2);
/// How long the last records may take to be acknowledged.
const PATIENCE: Duration = Duration::from_secs(30);

impl Traffic {
    /// Starts a publisher for each channel. Records say `channel number`, and carry so many bytes more.
    #[must_use]
    pub fn start(publisher: &Publisher, channels: &[Channel], bytes: usize) -> Self {
        let told = Arc::<Mutex<Told>>::default();
        let (stop, stopped) = watch::channel(false);
        let mut publishers = JoinSet::new();
        for channel in channels {
            let (publisher, channel) = (publisher.clone(), channel.clone());
            let (told, stopped) = (told.clone(), stopped.clone());
            publishers.spawn(async move {
                for number in 0.. {
                    if *stopped.borrow() {
                        return;
                    }
                    let message = format!("{channel} {number}");
                    // What does not pack well, so that it takes its room on disk.
                    let filler: String = (0..bytes).map(|_| fastrand::alphanumeric()).collect();
                    let log_data = json!({ "message": message, "filler": filler });
                    loop {
                        match publisher.publish(&channel, &log_data, &message).await {
                            Published::Stored(id) => {
                                lock(&told).acknowledged.push((id, message));
                                break;
                            }
                            Published::Refused(problem) => {
                                *lock(&told).refused.entry(problem.code).or_default() += 1;
                            }
                            Published::Unanswered(_) => lock(&told).unanswered += 1,
                        }
                        sleep(REST).await;
                    }
                    sleep(REST).await;
                }
            });
        }
        Self {
            told,
            stop,
            publishers,
        }
    }

    /// What they were told so far.
    #[must_use]
    pub fn told(&self) -> Told {
        lock(&self.told).clone()
    }

    /// Lets each publisher finish its record, and ends.
    ///
    /// # Errors
    /// A record is not acknowledged within half a minute.
    pub async fn stop(mut self) -> Result<Told> {
        let _ = self.stop.send(true);
        let finished = async {
            while let Some(publisher) = self.publishers.join_next().await {
                publisher?;
            }
            anyhow::Ok(())
        };
        match timeout(PATIENCE, finished).await {
            Ok(finished) => finished?,
            Err(_) => bail!(
                "a record is not acknowledged within {PATIENCE:?}: {:?}",
                self.told()
            ),
        }
        Ok(self.told())
    }
}

impl Told {
    /// Makes sure that everything acknowledged is there, under its id, and that nothing is there twice.
    ///
    /// # Errors
    /// Something is missing, is under another id, or is there twice; it is named.
    pub fn ensure_kept(&self, records: &[LogRecord]) -> Result<()> {
        let mut seen = HashSet::new();
        for record in records {
            let message = &record.entry.message;
            ensure!(
                seen.insert(message),
                "{message:?} is there twice, again as {}",
                record.id
            );
        }
        let kept: HashSet<_> = records
            .iter()
            .map(|record| (record.id, record.entry.message.as_str()))
            .collect();
        let missing: Vec<_> = { self.acknowledged.iter() }
            .filter(|(id, message)| !kept.contains(&(*id, message)))
            .collect();
        ensure!(
            missing.is_empty(),
            "{} of {} acknowledged records are not among the {} there are; the first: {:?}",
            missing.len(),
            self.acknowledged.len(),
            records.len(),
            missing[0],
        );
        Ok(())
    }
}

fn lock(told: &Mutex<Told>) -> MutexGuard<'_, Told> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use logs_shared::{Fields, Level, LogEntry, Timestamp};

    use super::*;

    fn record(ms: u64, message: &str) -> LogRecord {
        LogRecord {
            id: RecordId::new(ms, 0),
            entry: LogEntry {
                channel: "logs:etl:w".parse().unwrap(),
                timestamp: Timestamp::default(),
                level: Level::Info,
                message: message.to_owned(),
                fields: Fields::default(),
            },
        }
    }

    fn told(records: &[(u64, &str)]) -> Told {
        let acknowledged =
            { records.iter() }.map(|(ms, message)| (RecordId::new(*ms, 0), (*message).to_owned()));
        Told {
            acknowledged: acknowledged.collect(),
            ..Told::default()
        }
    }

    #[test]
    fn what_is_there_may_be_more_than_what_was_acknowledged() {
        let there = [record(1, "a"), record(2, "not acknowledged"), record(3, "b")];
        told(&[(1, "a"), (3, "b")]).ensure_kept(&there).unwrap();
    }

    #[test]
    fn what_is_missing_under_another_id_or_there_twice_is_named() {
        let there = [record(1, "a"), record(2, "b")];
        let error = told(&[(1, "a"), (3, "c")]).ensure_kept(&there).unwrap_err();
        assert!(error.to_string().contains("1 of 2") && error.to_string().contains("\"c\""));
        let error = told(&[(5, "b")]).ensure_kept(&there).unwrap_err();
        assert!(error.to_string().contains("\"b\""), "{error}");
        let there = [record(1, "a"), record(2, "a")];
        let error = told(&[(1, "a")]).ensure_kept(&there).unwrap_err();
        assert!(error.to_string().contains("twice, again as 2-0"), "{error}");
    }
}
