//! What came out, for people: tables and a picture.

mod document;
mod machine;
mod plot;
mod units;

pub use machine::Machine;
