//! Whether there is a stream: status and content type, and who says no.

use std::time::{Duration, Instant};

use axum::http::{HeaderMap, Method, Response, StatusCode, header};
use hyper::body::Incoming;
use logs_shared::{
    api::{EVENT_STREAM_TYPE, JSON_TYPE},
    problem::code,
};
use tokio::time::timeout;

use super::delivery::{HELD, PAUSE, PIECE, PIECES, noise};

use crate::cli::doctor::{
    advice,
    finding::{Check, Finding},
    party::Party,
    probe::{self, Answer, Probe},
    publisher::Publisher,
};

/// What a browser takes. Of these only gzip can be read here.
pub(in crate::cli::doctor) const BROWSERS: (&str, &str) = ("accept-encoding", "gzip, deflate, br, zstd");
/// What a caller may see of everything.
const EVERYTHING: &str = "channels=logs%3A*%3A*%3A*";

/// A stream that has been opened as a browser opens it.
pub(in crate::cli::doctor) struct Opened {
    pub(in crate::cli::doctor) response: Response<Incoming>,
    pub(in crate::cli::doctor) took: Duration,
    pub(in crate::cli::doctor) party: Party,
    /// Whether it follows what was meant, and not all that the caller sees in its place.
    pub(in crate::cli::doctor) is_as_meant: bool,
}

/// Opens the stream. Where the reader's token gets through in the query alone, it stays there; where doctor's own channel may not
/// be read, everything is followed that may.
///
/// # Errors
/// What was answered in place of a stream, and who stands there as far as that tells.
pub(in crate::cli::doctor) async fn open(
    probe: &mut Probe,
    is_own: bool,
    publisher: Option<&Publisher>,
) -> Result<Opened, (Finding, Party)> {
    let mut is_as_meant = true;
    loop {
        let started = Instant::now();
        let response = match head(probe, publisher.filter(|_| is_as_meant)).await {
            Ok(Head::Came(response)) => response,
            Ok(Head::Pushed(bytes, party)) => return Err((pushed(bytes, party), party)),
            Err(error) => return Err(silent(probe, &error).await),
        };
        let took = started.elapsed();
        let party = Party::of(response.headers());
        if response.status() == StatusCode::OK && is_stream(response.headers()) {
            return Ok(Opened {
                response,
                took,
                party,
                is_as_meant,
            });
        }
        if response.status() == StatusCode::OK {
            return Err((no_stream(response.headers(), party), party));
        }
        let answer = match probe::read(response).await {
            Ok(answer) => answer,
            Err(error) => return Err((unanswered(&error), party)),
        };
        let refused = answer.refusal().map(|refusal| refusal.code).unwrap_or_default();
        if answer.status == StatusCode::UNAUTHORIZED && probe.has_token() && !probe.token_in_query {
            probe.token_in_query = true;
        } else if refused == code::FORBIDDEN_CHANNEL && is_own && is_as_meant {
            is_as_meant = false;
            EVERYTHING.clone_into(&mut probe.selection);
        } else {
            return Err((refusal(&answer, party, probe), party));
        }
    }
}

/// That it is one, in words.
pub(in crate::cli::doctor) fn told(opened: &Opened) -> Finding {
    let version = format!("{:?}", opened.response.version());
    let via = opened
        .party
        .name()
        .map(|name| format!(", through {name}"))
        .unwrap_or_default();
    let seen = format!(
        "200 {EVENT_STREAM_TYPE} after {}, {version}{via}",
        probe::took(opened.took)
    );
    Finding::ok(Check::Stream, seen)
}

fn is_stream(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| {
        kind.trim_start()
            .to_ascii_lowercase()
            .starts_with(EVENT_STREAM_TYPE)
    })
}

/// How an answer began.
enum Head {
    Came(Response<Incoming>),
    /// Not before so many bytes were published.
    Pushed(usize, Party),
}

/// Waits for the head of the answer; where it does not come, records may push it out.
async fn head(probe: &Probe, publisher: Option<&Publisher>) -> Result<Head, String> {
    let opening = probe.open(&[], &[BROWSERS]);
    tokio::pin!(opening);
    if let Ok(opened) = timeout(HELD, &mut opening).await {
        return opened.map(Head::Came);
    }
    if let Some(publisher) = publisher {
        for pieces in 1..=PIECES {
            publisher.publish(&noise()).await?;
            if let Ok(opened) = timeout(PAUSE, &mut opening).await {
                return opened.map(|response| Head::Pushed(pieces * PIECE, Party::of(response.headers())));
            }
        }
    }
    opening.await.map(Head::Came)
}

fn pushed(bytes: usize, party: Party) -> Finding {
    let seen = format!(
        "not even the head of the stream's answer came before {} KiB had been published: held back (buffered)",
        bytes.div_ceil(1024)
    );
    Finding::fail(Check::Delivery, seen).change(advice::unbuffered(party))
}

/// Nothing came: because nothing is reached, or because it is held back, which another question tells.
async fn silent(probe: &Probe, error: &str) -> (Finding, Party) {
    let uri = probe.open_stream("doctor");
    let headers = [("content-type", JSON_TYPE)];
    match probe.ask(Method::PATCH, &uri, &headers, r#"{"add":[]}"#).await {
        Ok(answer)
            if answer
                .refusal()
                .is_some_and(|refusal| code::known(&refusal.code).is_some()) =>
        {
            let party = Party::of(&answer.headers);
            let seen = format!(
                "the gateway answers a question, and of a stream not even the head comes ({error}): held back (buffered)"
            );
            (
                Finding::fail(Check::Delivery, seen).change(advice::unbuffered(party)),
                party,
            )
        }
        Ok(answer) => (unanswered(error), Party::of(&answer.headers)),
        Err(_) => (unanswered(error), Party::Unknown),
    }
}

fn unanswered(error: &str) -> Finding {
    Finding::fail(Check::Stream, format!("the stream's answer does not begin: {error}")).change(
        "it does not reach what is behind it, or waits for the end of the answer, which a stream does not have: --via asks what \
         is behind it",
    )
}

fn no_stream(headers: &HeaderMap, party: Party) -> Finding {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let seen = format!(
        "200, but {} and not {EVENT_STREAM_TYPE}: an EventSource gives up at once",
        kind.unwrap_or("without a content type")
    );
    let change = match kind {
        Some(kind) if kind.contains("html") => {
            "this is a page: the path is not led to the gateway (a single-page application answers for every path)"
        }
        _ => "the content type goes through as the gateway sends it",
    };
    Finding::fail(Check::Stream, seen).change(format!("{}: {change}", party.or_somebody()))
}

/// A refusal, and what to do about it.
fn refusal(answer: &Answer, party: Party, probe: &Probe) -> Finding {
    let told = answer.told();
    let blocked = |change: &str| Finding::blocked(Check::Stream, &told).change(change);
    let fail = |change: &str| Finding::fail(Check::Stream, &told).change(change);
    let Some(ours) = answer.refusal() else {
        return others(answer, party, probe.hop.is_tls());
    };
    match &*ours.code {
        code::MISSING_TOKEN | code::INVALID_TOKEN | code::EXPIRED_TOKEN | code::REVOKED => {
            blocked(if probe.has_token() {
                "what was sent is --token, or LOGS_GATEWAY_TOKEN: it must be a reader's token, not a service's (`logs-gateway token` makes one for trying out)"
            } else {
                "--token with a reader's token (`logs-gateway token` makes one for trying out)"
            })
        }
        code::AUTH_NOT_CONFIGURED => fail("the gateway: AUTH=jwt, AUTH=proxy or, for everybody, AUTH=open"),
        code::MISSING_IDENTITY | code::INVALID_IDENTITY => blocked(
            "at a proxy, who is signed in: --header 'Cookie: …'; at a gateway with AUTH=proxy, what its proxy sends: \
             --header 'X-Proxy-Token: …' --header 'X-User-Id: …' --header 'X-Workspace-Id: …'",
        ),
        code::FORBIDDEN_CHANNEL => blocked("--channel with one that this reader may see"),
        code::proxy::IDENTITY_REFUSED => blocked("somebody who may read: --header 'Cookie: …'"),
        code::TOO_MANY_STREAMS_PER_USER | code::TOO_MANY_STREAMS_PER_ADDRESS | code::TOO_MANY_STREAMS => {
            fail(
                "MAX_STREAMS, MAX_STREAMS_PER_USER, MAX_STREAMS_PER_ADDRESS; behind a proxy also TRUSTED_PROXIES",
            )
        }
        code::STREAM_RATE_EXCEEDED => fail("STREAM_RATE, or whatever opens streams so often"),
        code::NOT_FOUND => {
            fail("the path: a gateway has its stream at /api/logs/stream, a proxy below its own prefix")
        }
        code::proxy::UPSTREAM_UNREACHABLE | code::proxy::UPSTREAM_TIMEOUT => fail(
            "SSE_BACKEND_URL of the proxy, or `proxy_pass`: is the gateway running, and can it be reached from there?",
        ),
        code::proxy::IDENTITY_UNAVAILABLE => fail("the sign-on that the proxy asks (PROXY_IDENTITY_URL)"),
        _ => fail("what the sentence says"),
    }
}

/// What has been said by somebody who is no gateway.
fn others(answer: &Answer, party: Party, is_tls: bool) -> Finding {
    let who = party.or_somebody();
    let told = answer.told();
    match answer.status.as_u16() {
        // What a server says whose port is for TLS.
        400 if !is_tls => Finding::fail(Check::Stream, told).change("https:// in the address, if that is what is spoken there"),
        401 | 403 | 407 => Finding::blocked(Check::Stream, told)
            .change(format!("{who} asks who is there: --header 'Cookie: …' of somebody who is signed in, or its rule for this path")),
        300..=399 => {
            let to = answer.headers.get(header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
            let to = to.split(['?', '#']).next().unwrap_or_default();
            Finding::blocked(Check::Stream, format!("{told}: leads to {to}"))
                .change("that address, or --header 'Cookie: …' of somebody who is signed in")
        }
        404 | 405 => Finding::fail(Check::Stream, told)
            .change(format!("{who}: lead this path to the gateway's /api/logs/stream; or the address, if it was not meant")),
        429 => Finding::fail(Check::Stream, told).change(format!("{who}: its limit of requests or connections")),
        502..=504 => Finding::fail(Check::Stream, told)
            .change(format!("{who} does not reach what is behind it: is that running, at the address that it has (`proxy_pass`)?")),
        _ => Finding::fail(Check::Stream, told).change(format!("{who}: its log has the reason")),
    }
}
