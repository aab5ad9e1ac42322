//! Whether the clocks agree.

use std::time::Instant;

use logs_shared::event::Connection;

use crate::{
    cli::doctor::finding::{Check, Finding},
    engine::now_ms,
};

/// What the gateway allows a token's times to differ by.
const LEEWAY_MS: u64 = 30_000;

/// The gateway's clock beside the one of this machine. What it takes to come here counts as a difference too.
pub(in crate::cli::doctor) fn check(connection: &Connection, came: Instant) -> Finding {
    let age = u64::try_from(came.elapsed().as_millis()).unwrap_or_default();
    let here = now_ms().saturating_sub(age);
    let there = u64::try_from(connection.timestamp.unix_ms()).unwrap_or_default();
    let apart = here.abs_diff(there);
    if apart < LEEWAY_MS {
        let seconds = apart / 1_000;
        return Finding::ok(
            Check::Clock,
            format!("the gateway's and this machine's agree within {} s", seconds + 1),
        );
    }
    let direction = if there < here { "behind" } else { "ahead of" };
    Finding::warn(Check::Clock, format!("the gateway's is {} s {direction} this machine's", apart / 1_000))
        .change("set both by NTP: tokens end at the gateway's time, records are ordered by it, and `since` is read by it")
}
