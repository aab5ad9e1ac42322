//! The gateway side by side with what people would use instead, under the same load, in figures.
//!
//! - [`wire`]: how a server is spoken to, and what a record says
//! - [`server`]: one that runs
//! - [`targets`]: those that are measured side by side
//! - [`outcome`]: what a run under load gave

pub mod outcome;
pub mod server;
pub mod targets;
pub mod wire;
