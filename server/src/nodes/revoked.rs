//! Who may no more, as all gateways know it.

use std::{collections::HashMap, sync::LazyLock};

use redis::{RedisResult, Script, aio::MultiplexedConnection};

use super::{Here, Inner, Nodes, ask::NoAnswer};
pub(crate) use crate::access::Mark;

static REVOKE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/revoke.lua")));

impl Nodes {
    /// Keeps what was revoked or lifted where all gateways find it.
    ///
    /// # Errors
    /// Redis did not take it.
    pub(crate) async fn keep(&self, marks: &[(String, Mark)]) -> Result<(), NoAnswer> {
        let mut connection = self.inner.connection().ok_or(NoAnswer::Away)?;
        let kept = keep(&mut connection, &self.inner, marks).await;
        kept.map_err(|error| {
            tracing::error!(%error, "Redis does not keep what was revoked");
            NoAnswer::Away
        })
    }
}

async fn keep(
    connection: &mut MultiplexedConnection,
    inner: &Inner,
    marks: &[(String, Mark)],
) -> RedisResult<()> {
    let mut call = REVOKE.key(inner.keys.revoked());
    call.key(inner.keys.revocations());
    for (field, mark) in marks {
        call.arg(field).arg(mark.at_ms).arg(mark.until_ms);
    }
    call.invoke_async(connection).await
}

/// Brings both sides to what is the newest of each: what was said while this gateway was cut off, and what it was told
/// meanwhile, or still knows after Redis has lost it.
pub(super) async fn settle(
    connection: &mut MultiplexedConnection,
    inner: &Inner,
    here: &dyn Here,
) -> RedisResult<()> {
    let kept: HashMap<String, Vec<u8>> = redis::cmd("HGETALL")
        .arg(inner.keys.revoked())
        .query_async(connection)
        .await?;
    let (mut theirs, mut over) = (HashMap::new(), Vec::new());
    for (field, text) in kept {
        let mark = std::str::from_utf8(&text).ok().and_then(read);
        let mark = mark.unwrap_or_else(|| {
            tracing::error!("something in Redis of who was revoked cannot be read: who it is stays out");
            Mark::FOR_GOOD
        });
        if mark.is_over() {
            over.push(field);
        } else {
            theirs.insert(field, mark);
        }
    }
    let newer: Vec<_> = here
        .revoked()
        .marks()
        .into_iter()
        .filter(|(field, mark)| theirs.get(field).is_none_or(|theirs| theirs.at_ms < mark.at_ms))
        .collect();
    for newer in newer.chunks(1_000) {
        keep(connection, inner, newer).await?;
    }
    if !over.is_empty() {
        let mut forget = redis::cmd("HDEL");
        forget.arg(inner.keys.revoked()).arg(over);
        forget.query_async::<()>(connection).await?;
    }
    here.shut_out(theirs.into_iter().collect());
    Ok(())
}

fn read(text: &str) -> Option<Mark> {
    let (at, until) = text.split_once(' ')?;
    Some(Mark {
        at_ms: at.parse().ok()?,
        until_ms: until.parse().ok()?,
    })
}
