//! What is looked at, an item a file.

pub(super) mod caching;
pub(super) mod clock;
pub(super) mod connections;
pub(super) mod cors;
pub(super) mod delivery;
pub(super) mod health;
pub(super) mod long_requests;
pub(super) mod page;
pub(super) mod patch;
pub(super) mod quiet;
pub(super) mod resume;
pub(super) mod stream;
pub(super) mod token;
