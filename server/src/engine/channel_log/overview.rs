//! What there is to say about a channel.

use logs_shared::{Channel, RecordId, overview::ChannelOverview};

use super::{ChannelLog, State};
use crate::engine::{read, store::Kept};

/// Over how many milliseconds a rate is told.
const RATE_MS: u64 = 10_000;

impl ChannelLog {
    pub(in crate::engine) fn overview(&self, now_ms: u64) -> ChannelOverview {
        let state = read(&self.state);
        ChannelOverview {
            per_second: state.per_second(now_ms),
            ..overview(&self.channel, &state.kept, state.links.len())
        }
    }
}

impl State {
    /// Records that came per second lately: counted in the tail, as far as it reaches back.
    #[expect(clippy::cast_precision_loss)]
    fn per_second(&self, now_ms: u64) -> f64 {
        let from_ms = now_ms.saturating_sub(RATE_MS);
        let records = self.tail.count_after(RecordId::before_ms(from_ms));
        // Ids may be ahead of a clock that was set back.
        let ms = now_ms.saturating_sub(from_ms.max(self.tail_from.ms)).max(1_000);
        records as f64 * 1_000.0 / ms as f64
    }
}

/// What there is to say about a channel.
pub(in crate::engine) fn overview(channel: &Channel, kept: &Kept, readers: usize) -> ChannelOverview {
    let has_records = kept.records > 0;
    ChannelOverview {
        channel: channel.clone(),
        service: channel.service().to_owned(),
        workspace_id: channel.workspace_id().to_owned(),
        resource_id: channel.resource_id().map(str::to_owned),
        records: usize::try_from(kept.records).unwrap_or(usize::MAX),
        first_id: has_records.then_some(kept.first_id),
        last_id: has_records.then_some(kept.last_id),
        readers,
        bytes: kept.bytes,
        per_second: 0.0,
    }
}
