//! Which gateways there are, and how many streams follow a channel on all of them.

use std::{collections::HashMap, sync::LazyLock, time::Duration};

use logs_shared::{
    Timestamp,
    overview::{ChannelOverview, NodeOverview},
};
use redis::{RedisResult, Script};
use tokio::time::timeout;

use super::{Inner, NodeId, Nodes};
use crate::gateway::{VERSION, now};

static READERS: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/readers.lua")));
static LIVE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/live.lua")));

/// How long what is only told may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// Of how many channels the readers are asked for at once.
const AT_ONCE: usize = 1_000;

impl Nodes {
    /// What this one says of itself.
    pub(crate) fn row(&self) -> NodeOverview {
        let Inner { me, about, .. } = &*self.inner;
        NodeOverview {
            node: me.to_string(),
            host: about.host.clone(),
            address: about.address.clone(),
            version: VERSION.to_owned(),
            ..NodeOverview::default()
        }
    }

    /// Every gateway whose lease has not ended, as it says of itself; `None` where Redis does not answer.
    pub(crate) async fn live(&self) -> Option<Vec<(NodeId, NodeOverview)>> {
        let inner = &*self.inner;
        let mut connection = inner.connection()?;
        let mut call = LIVE.key(inner.keys.nodes());
        call.arg(inner.keys.prefix());
        let asked = timeout(PATIENCE, call.invoke_async(&mut connection)).await;
        let rows: Vec<HashMap<String, String>> = asked.ok()?.ok()?;
        let row = |mut said: HashMap<String, String>| {
            let mut take = |name: &str| said.remove(name).unwrap_or_default();
            let node = take("node");
            let started = take("started").parse::<Timestamp>().ok();
            let up_ms = started.map_or(0, |started| now().unix_ms() - started.unix_ms());
            let row = NodeOverview {
                host: take("host"),
                address: take("address"),
                version: take("version"),
                uptime_s: u64::try_from(up_ms / 1_000).unwrap_or_default(),
                ..NodeOverview::default()
            };
            let id = node.parse().ok()?;
            Some((id, NodeOverview { node, ..row }))
        };
        Some(rows.into_iter().filter_map(row).collect())
    }

    /// Puts in how many streams follow each channel on all gateways. Where Redis does not answer, those of this one stay.
    pub(crate) async fn count_readers(&self, channels: &mut [ChannelOverview]) {
        let Some(mut connection) = self.inner.connection() else {
            return;
        };
        let counting = async {
            for channels in channels.chunks_mut(AT_ONCE) {
                let mut call = READERS.key(self.inner.keys.nodes());
                call.arg(self.inner.keys.prefix());
                for channel in &*channels {
                    call.arg(channel.channel.to_string());
                }
                let sums: Vec<usize> = call.invoke_async(&mut connection).await?;
                for (channel, sum) in channels.iter_mut().zip(sums) {
                    // What is told a moment later is not told less of.
                    channel.readers = channel.readers.max(sum);
                }
            }
            RedisResult::Ok(())
        };
        // Not all, where it takes too long.
        let _ = timeout(PATIENCE, counting).await;
    }
}
