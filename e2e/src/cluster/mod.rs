//! Several gateways that share Redis, behind a load balancer.
//!
//! - [`Redis`]: a server of one's own, which can be killed, frozen and set; [`Sentinel`]: which server takes writes
//! - [`Relay`]: what is between a gateway and Redis, and can be cut and stall
//! - [`Balancer`]: haproxy or nginx in front of the gateways
//! - [`Cluster`]: the gateways with their balancer
//! - [`Load`]: publishers and readers who go on through everything; [`LoadReport`]: what came of it
//! - [`Kills`]: gateways and Redis are killed again and again under a load

mod balancer;
mod gateways;
mod kills;
mod load;
mod redis;
mod relay;
mod report;
mod sentinel;

pub use balancer::Balancer;
pub use gateways::{Cluster, is_ready};
pub use kills::{Kills, Victims};
pub use load::{Load, Selection};
pub use redis::Redis;
pub use relay::{Direction, Relay};
pub use report::LoadReport;
pub use sentinel::Sentinel;
