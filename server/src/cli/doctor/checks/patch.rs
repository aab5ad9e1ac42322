//! Whether an open stream can be changed.

use axum::http::{Method, StatusCode};
use logs_shared::{api::JSON_TYPE, problem::code};

use crate::{
    cli::doctor::{
        advice,
        finding::{Check, Finding},
        party::Party,
        probe::Probe,
    },
    random,
};

/// Changes a stream that nobody has: where that is said in the gateway's words, it was asked.
pub(in crate::cli::doctor) async fn check(probe: &Probe, party: Party) -> Finding {
    let uri = probe.open_stream(&random::hex());
    let body = r#"{"add":["logs:platform:doctor"]}"#;
    let answer = match probe
        .ask(Method::PATCH, &uri, &[("content-type", JSON_TYPE)], body)
        .await
    {
        Ok(answer) => answer,
        Err(error) => {
            return Finding::fail(Check::Patch, format!("no answer to PATCH: {error}"))
                .change(advice::with_patch(party));
        }
    };
    let told = answer.told();
    match answer.refusal() {
        Some(refusal) if answer.status == StatusCode::NOT_FOUND && refusal.code == code::UNKNOWN_STREAM => {
            Finding::ok(Check::Patch, "a change of a stream reaches the gateway")
        }
        Some(_) if answer.status == StatusCode::UNAUTHORIZED => Finding::fail(
            Check::Patch,
            format!("the gateway takes the caller for a stream and not for its change: {told}"),
        )
        .change("what is in front of the gateway sends the same identity headers with PATCH as with GET"),
        _ => Finding::fail(
            Check::Patch,
            format!("a change of a stream is answered {told}: a page opens another stream for each change"),
        )
        .change(advice::with_patch(party)),
    }
}
