//! Whether the reader's token comes through both ways.

use axum::http::StatusCode;

use super::delivery::PLAIN;
use crate::cli::doctor::{
    finding::{Check, Finding},
    party::Party,
    probe::{self, Probe},
};

/// An `EventSource` can only put it into the address; everything else that a page asks has it in a header.
pub(in crate::cli::doctor) async fn check(probe: &Probe, party: Party) -> Finding {
    if !probe.has_token() {
        return Finding::skipped(Check::Token, "none was given");
    }
    let mut refused = Vec::new();
    for (in_query, how) in [(false, "Authorization: Bearer"), (true, "?token=")] {
        let mut probe = probe.clone();
        probe.token_in_query = in_query;
        let told = match probe.open(&[], &[PLAIN]).await {
            Ok(response) if response.status() == StatusCode::OK => continue,
            Ok(response) => probe::read(response)
                .await
                .map_or_else(|error| error, |answer| answer.told()),
            Err(error) => error,
        };
        refused.push((how, told));
    }
    let who = party.or_somebody();
    match &*refused {
        [] => Finding::ok(Check::Token, "it comes through in Authorization and in ?token="),
        [(how, told), ..] => Finding::fail(
            Check::Token,
            format!("with {how} the answer is {told}, and the other way a stream"),
        )
        .change(format!(
            "{who}: Authorization and the query go through to the gateway as they are"
        )),
    }
}
