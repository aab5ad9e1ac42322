//! [`Quotas`]: how much each publisher and reader may do.

use std::{collections::HashSet, net::IpAddr, num::NonZeroU32};

use logs_shared::Channel;

use crate::{
    access::{HashedToken, ReaderIdentity},
    config::Config,
    quota::{Over, Quota},
    token_channels::TokenChannels,
};

/// How much each publisher and reader may do.
pub(crate) struct Quotas {
    /// Records by token, where that is limited.
    records: Option<Quota<HashedToken>>,
    channels: Option<TokenChannels>,
    /// Streams that are opened, by who opens them.
    opened: Option<Quota<String>>,
    /// The same by address, where who opens them may call itself what it likes.
    opened_by_address: Option<Quota<IpAddr>>,
}

/// So many streams may be opened at once, whatever the rate: a browser's tabs all come back together.
const LEAST_OPENED_AT_ONCE: usize = 100;
/// One address may be that of many people.
const PEOPLE_PER_ADDRESS: u32 = 10;

impl Quotas {
    pub(crate) fn new(config: &Config) -> Self {
        // A second's worth may come at once.
        let records = config.publish_rate.map(|rate| Quota::new(rate, rate));
        let at_once = config.stream_limits.per_owner.max(LEAST_OPENED_AT_ONCE);
        let at_once = u32::try_from(at_once)
            .ok()
            .and_then(NonZeroU32::new)
            .unwrap_or(NonZeroU32::MAX);
        let people = NonZeroU32::new(PEOPLE_PER_ADDRESS).unwrap_or(NonZeroU32::MIN);
        let by_address =
            |rate: NonZeroU32| Quota::new(rate.saturating_mul(people), at_once.saturating_mul(people));
        Self {
            records,
            channels: Some(config.max_channels_per_token)
                .filter(|most| *most > 0)
                .map(TokenChannels::new),
            opened: config.stream_rate.map(|rate| Quota::new(rate, at_once)),
            opened_by_address: config.stream_rate.map(by_address),
        }
    }

    /// Counts records that this token publishes.
    pub(crate) fn publish(&self, token: &HashedToken, records: usize) -> Result<(), Over> {
        let count = u32::try_from(records).unwrap_or(u32::MAX);
        self.records
            .as_ref()
            .map_or(Ok(()), |quota| quota.take(token, count))
    }

    /// Which of these channels the token may not use, because it uses as many others as it may; and how many those are.
    pub(crate) fn refused_channels<'a>(
        &self,
        token: &HashedToken,
        channels: impl Iterator<Item = &'a Channel>,
    ) -> (HashSet<&'a Channel>, usize) {
        match &self.channels {
            Some(counts) => (counts.refused(token, channels), counts.most()),
            None => (HashSet::new(), 0),
        }
    }

    /// Counts a stream that this reader opens.
    pub(crate) fn open(&self, reader: &ReaderIdentity) -> Result<(), Over> {
        if let Some(quota) = &self.opened {
            quota.take(&reader.owner, 1)?;
        }
        match (&self.opened_by_address, reader.address) {
            (Some(quota), Some(address)) => quota.take(&address, 1),
            _ => Ok(()),
        }
    }

    pub(crate) fn forget_idle(&self) {
        if let Some(quota) = &self.records {
            quota.forget_idle();
        }
        if let Some(quota) = &self.opened {
            quota.forget_idle();
        }
        if let Some(quota) = &self.opened_by_address {
            quota.forget_idle();
        }
    }
}
