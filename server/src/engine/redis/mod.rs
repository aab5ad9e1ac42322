//! Redis as the place where records are kept, so that several gateways share them.

#![allow(dead_code, unused_imports)]

mod append;
mod block;
mod check;
mod connect;
mod pool;
mod scripts;
mod standing;
mod store;
mod sweeper;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod trouble;
mod url;
mod writer;

pub(crate) use self::connect::{connect, connect_live};
pub(crate) use self::trouble::Trouble;
pub use self::url::{RedisUrl, RedisUrlError};
pub(in crate::engine) use self::{
    block::{Block, Damaged},
    standing::Trying,
    store::{Away, MARKS, Marks, Portion, RedisStore},
    sweeper::RedisSweeper,
    writer::RedisWriter,
};

/// How records are kept in Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisSettings {
    /// Where it is.
    pub url: RedisUrl,
    /// How every key and topic of these gateways begins.
    pub prefix: String,
    /// How many replicas must have a record before it is acknowledged.
    pub replicas: u32,
}
