//! Publishes log records to a logs gateway from behind the program.
//!
//! A call costs about a microsecond: it puts a record into a bounded queue, and a thread of its own sends. Whatever the gateway
//! does, a call neither waits nor fails nor panics; what cannot be sent is counted and the gateway is told of it later. It needs
//! no runtime, and does not mind one.
//!
//! ```no_run
//! use logs_publisher::Publisher;
//!
//! let publisher = Publisher::builder().service("etl").workspace_id("workspace123").build();
//! publisher.info("loaded");
//! ```
//!
//! What is not given in code comes from the environment: `LOGS_GATEWAY_URL`, `LOGS_GATEWAY_TOKEN`, `LOGS_SERVICE`,
//! `LOGS_WORKSPACE_ID`, `LOGS_WORKFLOW_ID`.
//!
//! # The end of a program
//!
//! When the last clone of a [`Publisher`] goes, it waits for what is left to be sent, at most [`Builder::close_timeout`]. One in a
//! `static`, or in a layer that is installed for good, never goes: hold the guard that [`Publisher::close_on_drop`] gives in
//! `main`. [`std::process::exit`] runs no destructors: call [`Publisher::close`] before it. Where a panic aborts, what is left is
//! sent before, if there is such a guard. A process that was forked without another program has no thread of its own
//! and sends nothing.

mod address;
mod answer;
mod backoff;
mod batch;
mod builder;
mod core;
mod dropped;
#[cfg(feature = "tracing")]
mod layer;
mod level;
mod log_data;
mod problem;
mod publisher;
mod queue;
mod sender;
mod transport;

pub use builder::Builder;
pub use dropped::Dropped;
#[cfg(feature = "tracing")]
pub use layer::PublisherLayer;
pub use level::Level;
pub use log_data::LogData;
pub use publisher::{CloseGuard, Publisher, Stats};
