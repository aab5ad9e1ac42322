//! [`Keeping`]: where a log's records are, besides its tails.

use std::sync::Arc;

use super::{
    redis::{Away, RedisStore},
    store::Store,
};

/// Where a log's records are, besides its tails.
pub(super) enum Keeping {
    /// Nowhere: what leaves a tail is gone.
    Memory,
    /// On disk, where this process alone changes them.
    Disk(Store),
    /// In Redis, where every gateway changes them.
    Redis(Arc<RedisStore>),
}

/// What is kept cannot be looked at now; later it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the gateway does not reach its store")]
pub(crate) struct StoreAway;

impl From<Away> for StoreAway {
    fn from(Away: Away) -> Self {
        Self
    }
}

impl Keeping {
    pub(super) const fn disk(&self) -> Option<&Store> {
        match self {
            Self::Disk(store) => Some(store),
            Self::Memory | Self::Redis(_) => None,
        }
    }

    pub(super) const fn redis(&self) -> Option<&Arc<RedisStore>> {
        match self {
            Self::Redis(store) => Some(store),
            Self::Memory | Self::Disk(_) => None,
        }
    }

    /// Whether a tail can be let go of and nothing is lost.
    pub(super) const fn has_more_than_tails(&self) -> bool {
        !matches!(self, Self::Memory)
    }
}
