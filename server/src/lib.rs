//! The Logs SSE Gateway: takes log records from services and streams them, in order and without loss.
//!
//! In the order a record meets them:
//!
//! - [`http`]: paths, and everything that can be refused; [`access`] says who may
//! - [`gateway`]: everything the gateway can do, behind one handle
//! - [`engine`]: the log: one writer gives ids (Redis, where several gateways share one), the channels' tails keep records,
//!   watches wake readers
//! - `reader`: a cursor that moves through the channels it follows; `newest` finds where it begins
//! - `history`: a reader that stops, for looking back
//! - `stream`: one reader's response body; `streams` knows which are open
//! - `page`: the pages, built into the binary
//! - `nodes`: the gateways that share a Redis, which behave as one
//! - `metrics`: what is counted, for Prometheus; `histogram`, `rate`, `lately` and `services` count
//!
//! Below HTTP: [`serve()`](serve::serve) (start and stop), `connections` (from a socket to its requests: who has room,
//! who is cut), `stalled` (sockets that take nothing), [`tls`].
//!
//! Around them: [`config`] (flags and environment), [`start`] (what a program does before it serves), [`reload`] (what may
//! change while it runs), and [`cli`] (the other commands of the same binary, which are clients of a gateway). One of them
//! serves too: [`proxy`], the gateway on a page's own origin.

pub mod access;
mod addresses;
mod cause;
pub mod cli;
pub mod config;
mod connections;
pub mod engine;
pub mod gateway;
mod histogram;
mod history;
pub mod http;
mod lately;
#[cfg(feature = "measured")]
pub mod measured;
mod metrics;
mod named;
mod newest;
mod nodes;
pub mod origins;
mod page;
mod process;
pub mod proxy;
mod quantity;
mod quota;
mod quotas;
mod random;
mod rate;
mod reader;
mod rejections;
pub mod reload;
pub mod serve;
mod services;
mod stalled;
pub mod start;
mod stream;
mod streams;
pub mod summary;
pub mod tls;
mod token_channels;

pub use streams::{Refused, StreamLimits};
