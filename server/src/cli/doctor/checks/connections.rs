//! How many streams there may be at once.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use axum::http::StatusCode;
use tokio::{task::JoinSet, time::timeout_at};

use super::delivery::PLAIN;
use crate::cli::doctor::{
    advice,
    finding::{Check, Finding},
    party::{Party, Refusal},
    probe::{self, Probe},
};

/// How long all of them together may take to open.
const WITHIN: Duration = Duration::from_secs(8);

/// Opens so many streams at once, and closes them.
pub(in crate::cli::doctor) async fn check(
    probe: &Probe,
    party: Party,
    streams: usize,
    speaks_h2: bool,
) -> Finding {
    let mut opening = JoinSet::new();
    for _ in 0..streams {
        let probe = probe.clone();
        opening.spawn(async move {
            let response = probe.open(&[], &[PLAIN]).await?;
            if response.status() == StatusCode::OK {
                return Ok(response);
            }
            let answer = probe::read(response).await?;
            Err(match answer.refusal() {
                // The sentence may differ from one to the next, its code does not.
                Some(Refusal { code, .. }) => format!("{} {code}", answer.status.as_u16()),
                None => answer.told(),
            })
        });
    }
    let until = Instant::now() + WITHIN;
    let mut open = Vec::new();
    let mut refused = BTreeMap::<String, usize>::new();
    while let Ok(Some(opened)) = timeout_at(until.into(), opening.join_next()).await {
        match opened {
            Ok(Ok(stream)) => open.push(stream),
            Ok(Err(why)) => *refused.entry(why).or_default() += 1,
            Err(_) => {}
        }
    }
    let waiting = opening.len();
    if waiting > 0 {
        refused.insert(format!("no answer within {} s", WITHIN.as_secs()), waiting);
    }
    if refused.is_empty() {
        let browsers = if speaks_h2 {
            "; over HTTP/2 a browser has them on one connection"
        } else {
            "; over HTTP/1.1 a browser opens six connections to a host, so a seventh tab waits: scope=\"browser\", or HTTPS with HTTP/2"
        };
        return Finding::ok(Check::Connections, format!("{streams} streams at once{browsers}"));
    }
    let given = open.len();
    let why: Vec<_> = refused
        .iter()
        .map(|(why, count)| format!("{count} × {why}"))
        .collect();
    let ours = why
        .iter()
        .any(|why| why.contains("too_many_") || why.contains("stream_rate"));
    let change = if ours {
        "the gateway: MAX_STREAMS_PER_USER, MAX_STREAMS_PER_ADDRESS, STREAM_RATE; TRUSTED_PROXIES, where all come from one proxy's address"
    } else {
        advice::with_streams(party)
    };
    Finding::fail(
        Check::Connections,
        format!(
            "{given} of {streams} streams at once; the others: {}",
            why.join(", ")
        ),
    )
    .change(change)
}
