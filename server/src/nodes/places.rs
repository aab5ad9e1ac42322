//! [`Place`]: how many streams each may have over all gateways.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, LazyLock},
    time::Duration,
};

use redis::{RedisResult, Script, aio::MultiplexedConnection};
use tokio::time::timeout;

use super::{Inner, Nodes, lease::lease_ms, lock};
use crate::{
    access::ReaderIdentity,
    streams::{Refused, StreamLimits},
};

static TAKE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/take.lua")));

/// How long the question for a place may take before the gateway's own limit is enough.
const PATIENCE: Duration = Duration::from_secs(1);

/// A stream's place among those of its owner and its address. Dropping it gives it back.
pub(crate) struct Place {
    inner: Arc<Inner>,
    fields: Vec<String>,
}

/// How many streams each has on this gateway, as the others are to know.
#[derive(Default)]
pub(super) struct Held {
    counts: HashMap<String, usize>,
    /// Whose count has changed since it was told.
    changed: HashSet<String>,
}

impl Nodes {
    /// Takes a place for a stream of this reader. Where Redis does not answer there is always one: the gateway's own limit
    /// holds.
    ///
    /// # Errors
    /// [`Refused`]: over all gateways there are as many as may be.
    pub(crate) async fn take(&self, reader: &ReaderIdentity, limits: StreamLimits) -> Result<Place, Refused> {
        let inner = &self.inner;
        let owner = (reader.owner.clone(), limits.per_owner);
        let address = reader
            .address
            .map(|address| (format!("address {address}"), limits.per_address));
        let limited: Vec<_> = std::iter::once(owner).chain(address).collect();
        let mut call = TAKE.key(inner.keys.nodes());
        call.arg(inner.keys.prefix())
            .arg(inner.me.to_string())
            .arg(lease_ms());
        // From here on it counts, so that of two at once each knows of the other.
        let place = Place::new(
            inner.clone(),
            limited.iter().map(|(field, _)| field.clone()).collect(),
        );
        {
            let held = lock(&inner.held);
            for (field, most) in &limited {
                let mine = held.counts.get(field).copied().unwrap_or_default();
                call.arg(field).arg(mine).arg(*most);
            }
        }
        let Some(mut connection) = inner.connection() else {
            return Ok(place);
        };
        match timeout(PATIENCE, call.invoke_async(&mut connection)).await {
            Ok(Ok(0)) => Ok(place),
            Ok(Ok(1)) => Err(Refused::PerOwner(limits.per_owner)),
            Ok(Ok(_)) => Err(Refused::PerAddress(limits.per_address)),
            Ok(Err(_)) | Err(_) => Ok(place),
        }
    }
}

impl Place {
    fn new(inner: Arc<Inner>, fields: Vec<String>) -> Self {
        let mut held = lock(&inner.held);
        for field in &fields {
            *held.counts.entry(field.clone()).or_default() += 1;
        }
        drop(held);
        Self { inner, fields }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Held { counts, changed } = &mut *lock(&self.inner.held);
        for field in self.fields.drain(..) {
            if let Some(count) = counts.get_mut(&field) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(&field);
                }
            }
            changed.insert(field);
        }
        self.inner.changed.notify_one();
    }
}

impl Held {
    /// What has changed since it was told.
    pub(super) fn take_changed(&mut self) -> Vec<(String, usize)> {
        let changed = std::mem::take(&mut self.changed).into_iter();
        let counted = |field: String| {
            let count = self.counts.get(&field).copied().unwrap_or_default();
            (field, count)
        };
        changed.map(counted).collect()
    }

    /// All there is, which need not be told again.
    pub(super) fn all(&mut self) -> Vec<(String, usize)> {
        self.changed.clear();
        self.counts
            .iter()
            .map(|(field, count)| (field.clone(), *count))
            .collect()
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
