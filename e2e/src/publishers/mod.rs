//! What the publishers of all languages are held against: their drivers, and a proxy that is no good.
//!
//! - [`Language`]: a publisher, and the driver that is a program of its user
//! - [`Running`]: a driver at work, and [`Outcome`]: what it said in the end
//! - [`FaultyProxy`]: stands in front of the real gateway, and does one [`Fault`] after the other

mod faulty_proxy;
mod language;
mod outcome;
mod request;

pub use faulty_proxy::{Fault, FaultyProxy, Seen};
pub use language::Language;
pub use outcome::{Outcome, Running};
