//! Whether a page's content policy lets it read the stream.

use axum::http::{Method, header};
use logs_shared::api::WIDGET_PATH;

use crate::cli::doctor::{
    csp::{Policy, allows},
    finding::{Check, Finding},
    hop::Hop,
    probe::Probe,
};

/// Loads the page, and holds its policies, of headers and of `<meta>`, against the stream and the widget's script.
pub(in crate::cli::doctor) async fn check(page: &Probe, address: &str, stream: &Hop) -> Finding {
    let shown = address.split(['?', '#']).next().unwrap_or_default();
    let uri = address.split('#').next().unwrap_or_default();
    let answer = match page.ask(Method::GET, uri, &[("accept", "text/html")], "").await {
        Ok(answer) => answer,
        Err(error) => return Finding::blocked(Check::Csp, format!("{shown} does not answer: {error}")),
    };
    if !answer.status.is_success() {
        return Finding::blocked(Check::Csp, format!("{shown} answers {}", answer.status.as_u16()))
            .change("the page's address, or --header 'Cookie: …' of somebody who is signed in");
    }
    if page.hop.is_tls() && !stream.is_tls() && !matches!(stream.host(), "localhost" | "127.0.0.1" | "::1") {
        return Finding::fail(
            Check::Csp,
            "the page is https and the stream http: browsers load no mixed content",
        )
        .change("https for the stream too, or a path on the page's own origin");
    }
    let html = String::from_utf8_lossy(&answer.body);
    let headers = answer.headers.get_all(header::CONTENT_SECURITY_POLICY).iter();
    let headers = headers.filter_map(|value| value.to_str().ok());
    let mut policies: Vec<Policy> = headers.flat_map(Policy::of_header).collect();
    policies.extend(metas(&html).iter().map(|text| Policy::parse(text)));
    if policies.is_empty() {
        return Finding::ok(Check::Csp, "the page has no content policy");
    }
    let origin = page.hop.web_origin();
    let script = script(&html, &page.hop);
    let (faults, wanted) = faults(&policies, &origin, stream, script.as_deref());
    if faults.is_empty() {
        let with = if script.is_some() {
            " and run the widget"
        } else {
            ""
        };
        return Finding::ok(
            Check::Csp,
            format!("the page's policy lets it read the stream{with}"),
        );
    }
    Finding::fail(
        Check::Csp,
        format!("the page's policy forbids it: {}", faults.join("; ")),
    )
    .change(format!(
        "the page's Content-Security-Policy: {}",
        wanted.join("; ")
    ))
}

/// What is forbidden, and what has to be in the policy for it not to be.
fn faults(
    policies: &[Policy],
    origin: &str,
    stream: &Hop,
    script: Option<&str>,
) -> (Vec<String>, Vec<String>) {
    const CONNECT: [&str; 2] = ["connect-src", "default-src"];
    const SCRIPT: [&str; 3] = ["script-src-elem", "script-src", "default-src"];
    const COMPILE: [&str; 2] = ["script-src", "default-src"];
    let (mut faults, mut wanted) = (Vec::<String>::new(), Vec::<String>::new());
    let mut add = |fault: String, change: String| {
        if !faults.contains(&fault) {
            faults.push(fault);
            wanted.push(change);
        }
    };
    let source = |of: &str| {
        if of == origin {
            "'self'".to_owned()
        } else {
            of.to_owned()
        }
    };
    for policy in policies {
        if let Some((name, sources)) = policy.ruling(&CONNECT)
            && !allows(sources, origin, &stream.stream())
        {
            let of = stream.web_origin();
            add(
                format!("{name} does not have {of}"),
                format!("connect-src {}", source(&of)),
            );
        }
        let Some(script) = script else { continue };
        let strict = |sources: &[String]| {
            sources
                .iter()
                .any(|source| source.eq_ignore_ascii_case("'strict-dynamic'"))
        };
        if let Some((name, sources)) = policy.ruling(&SCRIPT)
            && !strict(sources)
            && !allows(sources, origin, script)
            && let Ok(of) = Hop::parse(script)
        {
            let of = of.web_origin();
            add(
                format!("{name} does not have {of}, where the widget is"),
                format!("script-src {}", source(&of)),
            );
        }
        if let Some((name, sources)) = policy.ruling(&COMPILE) {
            let lets = |wanted: &str| sources.iter().any(|source| source.eq_ignore_ascii_case(wanted));
            if !lets("'wasm-unsafe-eval'") && !lets("'unsafe-eval'") {
                add(
                    format!("{name} does not have 'wasm-unsafe-eval', which the widget needs"),
                    "script-src 'wasm-unsafe-eval'".to_owned(),
                );
            }
        }
    }
    (faults, wanted)
}

/// The policies in the document. What is looked for is the attribute as people write it, not all that HTML allows.
fn metas(html: &str) -> Vec<String> {
    tags(html, "meta")
        .filter(|tag| {
            attribute(tag, "http-equiv")
                .is_some_and(|name| name.eq_ignore_ascii_case("content-security-policy"))
        })
        .filter_map(|tag| {
            attribute(tag, "content").map(|text| text.replace("&#39;", "'").replace("&apos;", "'"))
        })
        .collect()
}

/// Where the page loads the widget from, as a whole address.
fn script(html: &str, page: &Hop) -> Option<String> {
    let source = tags(html, "script").find_map(|tag| {
        let source = attribute(tag, "src")?;
        source
            .split(['?', '#'])
            .next()?
            .ends_with(WIDGET_PATH)
            .then_some(source)
    })?;
    Some(match source {
        whole if whole.starts_with("http://") || whole.starts_with("https://") => whole.to_owned(),
        host if host.starts_with("//") => format!("{}:{host}", if page.is_tls() { "https" } else { "http" }),
        path => format!("{}/{}", page.origin(), path.trim_start_matches('/')),
    })
}

fn tags<'a>(html: &'a str, name: &'static str) -> impl Iterator<Item = &'a str> {
    let begins = |rest: &str| {
        rest.get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name))
            && rest[name.len()..].starts_with(|next: char| next.is_ascii_whitespace() || next == '/')
    };
    html.split('<')
        .skip(1)
        .filter(move |rest| begins(rest))
        .map(end_of_tag)
}

/// A policy has no `>` outside of quotes, and so has an address.
fn end_of_tag(rest: &str) -> &str {
    let mut quote = None;
    for (at, char) in rest.char_indices() {
        match (quote, char) {
            (None, '>') => return &rest[..at],
            (None, '"' | '\'') => quote = Some(char),
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
    }
    rest
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let lower = tag.to_ascii_lowercase();
    let mut from = 0;
    while let Some(at) = lower[from..].find(name) {
        let (start, end) = (from + at, from + at + name.len());
        from = end;
        let is_whole = start == 0 || lower.as_bytes()[start - 1].is_ascii_whitespace();
        let Some(value) = tag[end..].trim_start().strip_prefix('=') else {
            continue;
        };
        if !is_whole {
            continue;
        }
        let value = value.trim_start();
        return match value.chars().next()? {
            quote @ ('"' | '\'') => value[1..].split(quote).next(),
            _ => value.split(|c: char| c.is_ascii_whitespace()).next(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_and_the_widget_are_found_in_the_document() {
        let html = r#"<!DOCTYPE html><META content="connect-src 'self' https://a" HTTP-EQUIV='Content-Security-Policy'>
            <meta name=viewport content=x><script data-src="/x" type=module src=/logs-widget.js?v=1></script>"#;
        assert_eq!(metas(html), ["connect-src 'self' https://a"]);
        let page = Hop::parse("https://app.example.com/x").unwrap();
        assert_eq!(
            script(html, &page).as_deref(),
            Some("https://app.example.com/logs-widget.js?v=1")
        );
        assert_eq!(
            script("<script src='//logs.example/logs-widget.js'>", &page).as_deref(),
            Some("https://logs.example/logs-widget.js")
        );
        assert_eq!(script("<p>/logs-widget.js", &page), None);
    }

    #[test]
    fn every_policy_has_to_let_it() {
        let stream = Hop::parse("https://logs.example").unwrap();
        let policies = [
            Policy::parse("connect-src https://logs.example"),
            Policy::parse("default-src 'self'"),
        ];
        let (found, wanted) = faults(&policies, "https://app.example", &stream, None);
        assert_eq!(found, ["default-src does not have https://logs.example"]);
        assert_eq!(wanted, ["connect-src https://logs.example"]);
        let script = "https://app.example/logs-widget.js";
        let (found, _) = faults(
            &policies[1..],
            "https://app.example",
            &Hop::parse("https://app.example").unwrap(),
            Some(script),
        );
        assert_eq!(
            found,
            ["default-src does not have 'wasm-unsafe-eval', which the widget needs"]
        );
    }
}
