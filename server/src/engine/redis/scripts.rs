//! The scripts that Redis carries out: each is one step for everybody who looks.

use std::sync::LazyLock;

use redis::Script;

/// A script and what all know, under a first line that says what Redis may expect of it.
macro_rules! script {
    ($flags:literal, $file:literal) => {
        LazyLock::new(|| {
            Script::new(concat!(
                "#!lua flags=",
                $flags,
                "\n",
                include_str!("scripts/log.lua"),
                include_str!($file)
            ))
        })
    };
}

/// Refused where memory is full.
pub(super) static APPEND: LazyLock<Script> = script!("", "scripts/append.lua");
pub(super) static READ: LazyLock<Script> = script!("no-writes", "scripts/read.lua");
/// Makes room, so it is done where memory is full too.
pub(super) static SWEEP: LazyLock<Script> = script!("allow-oom", "scripts/sweep.lua");
