//! The lease: a gateway is there as long as it says so.

use std::{sync::LazyLock, time::Duration};

use logs_shared::Timestamp;
use redis::{RedisResult, Script, aio::MultiplexedConnection};
use rustix::system::uname;

use super::Inner;
use crate::{config::Config, gateway::VERSION};

/// How long a gateway counts as there after it last said so.
const LEASE: Duration = Duration::from_secs(10);
/// How often it does.
pub(super) const RENEWED: Duration = Duration::from_secs(1);

static RENEW: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/renew.lua")));

/// What a gateway says of itself.
pub(crate) struct About {
    pub(crate) host: String,
    /// Where it listens, as it was told to.
    pub(crate) address: String,
    pub(crate) started: Timestamp,
}

impl About {
    pub(crate) fn new(config: &Config, started: Timestamp) -> Self {
        let (host, port) = &config.listen;
        Self {
            host: uname().nodename().to_string_lossy().into_owned(),
            address: format!("{host}:{port}"),
            started,
        }
    }
}

/// How long, as scripts take it.
pub(super) fn lease_ms() -> u64 {
    crate::quantity::millis(LEASE)
}

/// What a gateway learns when it says that it is there.
pub(super) struct Renewed {
    /// Whether it was to all others until now.
    pub(super) was_there: bool,
    /// Another text whenever somebody was revoked or let in again.
    pub(super) revocations: Vec<u8>,
}

/// Says that this gateway is there.
pub(super) async fn renew(connection: &mut MultiplexedConnection, inner: &Inner) -> RedisResult<Renewed> {
    let Inner { me, keys, about, .. } = inner;
    let (was_there, revocations) = RENEW
        .key(keys.nodes())
        .key(keys.node(*me))
        .key(keys.users(*me))
        .key(keys.readers(*me))
        .key(keys.revocations())
        .arg(me.to_string())
        .arg(lease_ms())
        .arg(&["host", &about.host, "address", &about.address])
        .arg(&["version", VERSION, "started", &about.started.to_string()])
        .invoke_async(connection)
        .await?;
    Ok(Renewed {
        was_there,
        revocations,
    })
}

/// Says that this gateway is not there any more.
pub(super) async fn end(connection: &mut MultiplexedConnection, inner: &Inner) -> RedisResult<()> {
    let Inner { me, keys, .. } = inner;
    redis::pipe()
        .atomic()
        .zrem(keys.nodes(), me.to_string())
        .ignore()
        .del(&[keys.node(*me), keys.users(*me), keys.readers(*me)])
        .ignore()
        .query_async(connection)
        .await
}
