//! What is measured side by side, each started with the settings of somebody who likes it.

pub mod express;
pub mod nchan;
mod pinned;
