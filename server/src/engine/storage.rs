//! [`Storage`]: where records are kept, and [`Retention`]: how much is.

use std::path::{Path, PathBuf};

use super::{Durability, RedisSettings};

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Records per channel.
    pub records: u64,
    /// Milliseconds.
    pub age_ms: u64,
    /// Bytes over all channels: on disk before compression, or in memory.
    pub bytes: u64,
}

/// Where records are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// In memory: they are gone when the process ends.
    Memory,
    /// On disk.
    Disk {
        /// The folder, which no other process may use.
        dir: PathBuf,
        /// When an acknowledged record is safe.
        durability: Durability,
    },
    /// In Redis, where other gateways find them too.
    Redis(RedisSettings),
}

impl Storage {
    /// The folder, where there is one.
    #[must_use]
    pub fn dir(&self) -> Option<&Path> {
        match self {
            Self::Memory | Self::Redis(_) => None,
            Self::Disk { dir, .. } => Some(dir),
        }
    }
}
