//! The gateway side by side with what people would use instead, under the same load, in figures.
//!
//! By hand, of one built with `cargo build --release -p logs-bench -p logs-gateway`:
//!
//! ```sh
//! logs-bench list                                   # scenarios and targets
//! logs-bench run --scenario fan-out --target gateway --target floor-one-write --quick
//! LOGS_GATEWAY_BIN=/elsewhere/logs-gateway logs-bench run --scenario publish --target gateway
//! ```
//!
//! Each run starts the target anew on the first core, lets the load on another, and prints a line; all of them are in
//! `target/bench/results.json` then (`--out`), as a list of [`run::Measured`].
//!
//! - [`wire`]: how a server is spoken to, and what a record says
//! - [`targets`]: who is measured, and how one is started; [`server`]: one that runs
//! - [`load`]: the load generator, a process of its own; [`outcome`]: what a run under load gave
//! - [`floor`]: the bare loop that writes the same bytes to the same sockets
//! - [`scenarios`]: what is measured, as data; [`run`]: does it
//! - [`figures`]: what is told of an outcome; [`cpu`]: what processes use
//! - [`report`]: what came out, for people

pub mod cpu;
pub mod figures;
pub mod floor;
pub mod load;
pub mod outcome;
mod poll;
pub mod report;
pub mod run;
pub mod scenarios;
pub mod server;
pub mod targets;
pub mod wire;
