//! What single steps of a record's way take: `cargo xtask bench micro`.

#[path = "../common/mod.rs"]
mod common;
mod log;
mod records;

fn main() {
    divan::main();
}

/// What cannot be set up cannot be measured.
fn set_up<T>(result: anyhow::Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{error:#}"))
}
