//! Whether long addresses and large headers get through.

use axum::http::StatusCode;

use super::delivery::PLAIN;
use crate::cli::doctor::{
    advice,
    finding::{Check, Finding},
    party::Party,
    probe::{self, Probe},
};

/// A hundred channels and a token.
const ADDRESS: usize = 6 * 1024;
/// What a site's cookies may come to. It is no cookie here: a sign-on might take it for its own.
const HEADER: usize = 3 * 1024;

/// Opens a stream with a long address, and one with a large header.
pub(in crate::cli::doctor) async fn check(probe: &Probe, party: Party) -> Finding {
    let (address, header) = ("x".repeat(ADDRESS), "x".repeat(HEADER));
    let long = attempt(probe, &[("doctor", &address)], &[PLAIN]).await;
    let large = attempt(probe, &[], &[PLAIN, ("x-doctor", &header)]).await;
    let told = [
        long.map_err(|why| format!("an address of {} KiB is answered {why}", ADDRESS / 1024)),
        large.map_err(|why| format!("a header of {} KiB is answered {why}", HEADER / 1024)),
    ];
    let refused: Vec<_> = told.into_iter().filter_map(Result::err).collect();
    if refused.is_empty() {
        let seen = format!(
            "an address of {} KiB and a header of {} KiB are taken",
            ADDRESS / 1024,
            HEADER / 1024
        );
        return Finding::ok(Check::LongRequests, seen);
    }
    Finding::fail(Check::LongRequests, refused.join("; ")).change(advice::with_room(party))
}

async fn attempt(probe: &Probe, parameters: &[(&str, &str)], headers: &[(&str, &str)]) -> Result<(), String> {
    let response = probe.open(parameters, headers).await?;
    if response.status() == StatusCode::OK {
        return Ok(());
    }
    Err(probe::read(response).await?.told())
}
