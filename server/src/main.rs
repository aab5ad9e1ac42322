//! `logs-gateway`.
fn main() {}
