//! Whether a page of another origin may read.

use axum::http::{HeaderMap, Method, header};

use super::delivery::PLAIN;
use crate::{
    cli::doctor::{
        advice,
        finding::{Check, Finding},
        party::Party,
        probe::Probe,
    },
    random,
};

/// Asks as a page of that origin: the stream itself, and whether it may be changed (Fetch Standard, sections 3.3 and 4.8).
pub(in crate::cli::doctor) async fn check(
    probe: &Probe,
    party: Party,
    origin: Option<&str>,
    with_credentials: bool,
) -> Finding {
    let Some(origin) = origin else {
        return Finding::skipped(
            Check::Cors,
            "for a page of another origin: --origin https://app.example.com, or --page",
        );
    };
    if origin == probe.hop.web_origin() {
        return Finding::ok(
            Check::Cors,
            format!("not needed: the stream is on the page's own origin, {origin}"),
        );
    }
    let actual = match probe.open(&[], &[PLAIN, ("origin", origin)]).await {
        Ok(response) => allowed(response.headers(), origin, with_credentials),
        Err(error) => Err(error),
    };
    if let Err(why) = actual {
        return Finding::fail(Check::Cors, format!("a page of {origin} gets no stream: {why}"))
            .change(advice::with_cors(party, origin));
    }
    let mut asks = vec![("origin", origin), ("access-control-request-method", "PATCH")];
    let headers = if probe.has_token() {
        "authorization,content-type"
    } else {
        "content-type"
    };
    asks.push(("access-control-request-headers", headers));
    let uri = probe.hop.open_stream(&random::hex());
    // A browser asks without any credential.
    let preflight = match probe.without_token().ask(Method::OPTIONS, &uri, &asks, "").await {
        Ok(answer) if !answer.status.is_success() => Err(format!("OPTIONS is answered {}", answer.told())),
        Ok(answer) => allowed(&answer.headers, origin, with_credentials)
            .and_then(|()| lists(&answer.headers, &header::ACCESS_CONTROL_ALLOW_METHODS, "PATCH"))
            .and_then(|()| {
                let mut headers = headers.split(',');
                headers
                    .try_for_each(|name| lists(&answer.headers, &header::ACCESS_CONTROL_ALLOW_HEADERS, name))
            }),
        Err(error) => Err(error),
    };
    match preflight {
        Ok(()) => {
            let cookies = if with_credentials { ", with cookies" } else { "" };
            Finding::ok(
                Check::Cors,
                format!("a page of {origin} may read and change its stream{cookies}"),
            )
        }
        Err(why) => Finding::fail(
            Check::Cors,
            format!("a page of {origin} may read, but not change its stream: {why}"),
        )
        .change(format!(
            "{}; OPTIONS goes through to the gateway",
            advice::with_cors(party, origin)
        )),
    }
}

fn allowed(headers: &HeaderMap, origin: &str, with_credentials: bool) -> Result<(), String> {
    let values: Vec<_> = headers
        .get_all(header::ACCESS_CONTROL_ALLOW_ORIGIN)
        .iter()
        .collect();
    let value = match *values {
        [] => return Err("access-control-allow-origin is missing".to_owned()),
        [value] => value.to_str().unwrap_or_default(),
        _ => {
            return Err(format!(
                "access-control-allow-origin is there {} times, and browsers take it once",
                values.len()
            ));
        }
    };
    if value != origin && (value != "*" || with_credentials) {
        return Err(format!("access-control-allow-origin is {value:?}"));
    }
    let credentials = headers.get(header::ACCESS_CONTROL_ALLOW_CREDENTIALS);
    if with_credentials && credentials.is_none_or(|value| value != "true") {
        return Err("access-control-allow-credentials is missing, so no cookie goes along".to_owned());
    }
    Ok(())
}

fn lists(headers: &HeaderMap, name: &header::HeaderName, wanted: &str) -> Result<(), String> {
    let values = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut listed = values.flat_map(|value| value.split(','));
    if listed.any(|listed| listed.trim() == "*" || listed.trim().eq_ignore_ascii_case(wanted)) {
        Ok(())
    } else {
        Err(format!("{name} does not have {wanted}"))
    }
}
