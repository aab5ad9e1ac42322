//! Several gateways that share a Redis: what one is asked for, whichever has it does.

mod away;
#[cfg(test)]
mod gateways;
mod leases;
mod limits;
mod revoking;
mod statistics;
mod streams;
// The same server that tests within the crate start.
#[cfg(test)]
#[expect(dead_code, reason = "not everything of it is needed here")]
#[path = "../../src/engine/redis/testing.rs"]
mod testing;

use logs_gateway::engine::{RedisSettings, RedisUrl};
