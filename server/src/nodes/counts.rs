//! [`Counts`]: numbers of this gateway that the others are to know.

use std::collections::{HashMap, HashSet};

use redis::{RedisResult, aio::MultiplexedConnection};

use super::lease::lease_ms;

/// Numbers of this gateway that the others are to know, by what they count. What is not there is 0.
#[derive(Default)]
pub(super) struct Counts {
    counts: HashMap<String, usize>,
    /// What has changed since it was told.
    changed: HashSet<String>,
}

impl Counts {
    pub(super) fn of(&self, field: &str) -> usize {
        self.counts.get(field).copied().unwrap_or_default()
    }

    /// One more. Whoever adds it may tell it sooner; where that fails it is told all the same.
    pub(super) fn add(&mut self, field: &str) {
        let count = self.of(field) + 1;
        self.set(field.to_owned(), count);
    }

    /// One less.
    pub(super) fn take(&mut self, field: &str) {
        let count = self.of(field).saturating_sub(1);
        self.set(field.to_owned(), count);
    }

    pub(super) fn set(&mut self, field: String, count: usize) {
        match count {
            0 => drop(self.counts.remove(&field)),
            count => drop(self.counts.insert(field.clone(), count)),
        }
        self.changed.insert(field);
    }

    /// What has changed since it was told.
    pub(super) fn take_changed(&mut self) -> Vec<(String, usize)> {
        let changed = std::mem::take(&mut self.changed).into_iter();
        let counted = |field: String| {
            let count = self.of(&field);
            (field, count)
        };
        changed.map(counted).collect()
    }

    /// All there is, which need not be told again.
    pub(super) fn all(&mut self) -> Vec<(String, usize)> {
        self.changed.clear();
        let counts = self.counts.iter();
        counts.map(|(field, count)| (field.clone(), *count)).collect()
    }
}

/// How many counts go to Redis at once.
const AT_ONCE: usize = 1_000;

/// Tells counts, of which those that are 0 go away.
pub(super) async fn write(
    connection: &mut MultiplexedConnection,
    key: &str,
    counts: &[(String, usize)],
) -> RedisResult<()> {
    for counts in counts.chunks(AT_ONCE) {
        let mut pipe = redis::pipe();
        for (field, count) in counts {
            match count {
                0 => pipe.hdel(key, field),
                count => pipe.hset(key, field, count),
            }
            .ignore();
        }
        let expires = i64::try_from(lease_ms()).unwrap_or(i64::MAX);
        pipe.pexpire(key, expires).ignore();
        pipe.query_async::<()>(connection).await?;
    }
    Ok(())
}

/// Tells all counts anew.
pub(super) async fn write_all(
    connection: &mut MultiplexedConnection,
    key: &str,
    counts: &[(String, usize)],
) -> RedisResult<()> {
    redis::cmd("DEL").arg(key).query_async::<()>(connection).await?;
    write(connection, key, counts).await
}
