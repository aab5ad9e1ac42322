//! Redis as the place where records are kept, so that several gateways share them.
//!
//! In the order a record meets them:
//!
//! - [`writer`]: takes what is to be appended, as a batch ([`append`]) of blocks ([`block`])
//! - [`scripts`]: what Redis does with it, in one step for everybody
//! - [`follower`]: hears what every gateway has appended, of what readers want ([`followed`]) on which [`topics`]
//! - [`portion`], [`channels`]: what readers ask for that is in no tail; [`marks`]: where the log stands
//! - [`sweeper`]: lets go of what is not to be kept
//!
//! What they ask with: [`store`] on the connections of a [`pool`], which [`connect`] makes as the [`url`] says and [`check`]
//! looks at. What is wrong with Redis is a [`trouble`]; [`standing`] knows since when, and what ends it.

mod append;
mod block;
mod channels;
mod check;
mod connect;
mod followed;
mod follower;
mod marks;
mod pool;
mod portion;
mod scripts;
mod standing;
mod store;
mod sweeper;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod topics;
mod trouble;
mod url;
mod writer;

pub(crate) use self::connect::{PATIENCE, connect_live};
pub(crate) use self::trouble::Trouble;
pub use self::url::{RedisUrl, RedisUrlError};
pub(in crate::engine) use self::{
    block::Block,
    followed::Followed,
    marks::{MARKS, Marks},
    portion::Portion,
    standing::Trying,
    store::{Away, RedisStore},
    sweeper::RedisSweeper,
    writer::RedisWriter,
};

use std::{io, sync::Arc, thread::JoinHandle};

use tokio::sync::mpsc;

use self::follower::Follower;
use super::{Log, group::Command, spawn};

/// Begins the threads of a log that is kept in Redis.
pub(in crate::engine) fn begin(
    log: &Arc<Log>,
    store: &Arc<RedisStore>,
    commands: &mpsc::Sender<Command>,
    receiver: mpsc::Receiver<Command>,
) -> Vec<io::Result<JoinHandle<()>>> {
    let writer = RedisWriter::new(log.clone(), store.clone(), receiver);
    let sweeper = RedisSweeper::new(log.clone(), store.clone(), commands.downgrade());
    let follower = Follower::new(log.clone(), store.clone());
    vec![
        spawn("writer", move || writer.run()),
        spawn("sweeper", move || sweeper.run()),
        spawn("follower", move || follower.run()),
    ]
}

/// How records are kept in Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisSettings {
    /// Where it is.
    pub url: RedisUrl,
    /// How every key and topic of these gateways begins. Topics are those of all databases.
    pub prefix: String,
    /// How many replicas must have a record before it is acknowledged.
    pub replicas: u32,
}
