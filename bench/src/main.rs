//! `logs-bench`: see `cargo xtask bench -- --help`.

fn main() {}
