//! [`Policy`]: what a page's content policy lets it load (Content Security Policy Level 3, sections 6.7.2 and 6.8).

use axum::http::Uri;

/// One policy: its directives by name. Of one that is there twice the first counts.
pub(super) struct Policy(Vec<(String, Vec<String>)>);

/// A page's origin and what it asks for, as a policy compares them.
struct Place {
    scheme: String,
    host: String,
    port: u16,
    path: String,
}

impl Policy {
    /// The policies of a header's value; a comma separates them.
    pub(super) fn of_header(value: &str) -> Vec<Self> {
        value
            .split(',')
            .map(Self::parse)
            .filter(|policy| !policy.0.is_empty())
            .collect()
    }

    /// One policy.
    pub(super) fn parse(text: &str) -> Self {
        let mut directives: Vec<(String, Vec<String>)> = Vec::new();
        for directive in text.split(';') {
            let mut words = directive.split_ascii_whitespace().map(str::to_owned);
            let Some(name) = words.next().map(|name| name.to_ascii_lowercase()) else {
                continue;
            };
            if !directives.iter().any(|(there, _)| *there == name) {
                directives.push((name, words.collect()));
            }
        }
        Self(directives)
    }

    /// The directive that rules in this order of names, with its sources.
    pub(super) fn ruling(&self, names: &[&str]) -> Option<(&str, &[String])> {
        names.iter().find_map(|wanted| {
            let found = self.0.iter().find(|(name, _)| name == wanted)?;
            Some((found.0.as_str(), found.1.as_slice()))
        })
    }
}

/// Whether one of these sources lets a page of `origin` load `url`.
pub(super) fn allows(sources: &[String], origin: &str, url: &str) -> bool {
    let (Some(page), Some(target)) = (Place::of(origin), Place::of(url)) else {
        return false;
    };
    sources.iter().any(|source| matches(source, &page, &target))
}

impl Place {
    fn of(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        Some(Self {
            port: uri.port_u16().unwrap_or_else(|| own_port(&scheme)),
            host: uri.host()?.to_ascii_lowercase(),
            path: uri.path().to_owned(),
            scheme,
        })
    }
}

fn own_port(scheme: &str) -> u16 {
    if scheme == "https" { 443 } else { 80 }
}

/// A page that was loaded insecurely may be given the same securely.
fn scheme_matches(allowed: &str, scheme: &str) -> bool {
    allowed == scheme || (allowed == "http" && scheme == "https")
}

fn matches(source: &str, page: &Place, target: &Place) -> bool {
    let lower = source.to_ascii_lowercase();
    if lower == "*" {
        return matches!(&*target.scheme, "http" | "https");
    }
    if lower == "'self'" {
        let upgraded =
            page.scheme == "http" && target.scheme == "https" && page.port == 80 && target.port == 443;
        let same = page.scheme == target.scheme && page.port == target.port;
        return page.host == target.host && (same || upgraded);
    }
    if lower.starts_with('\'') {
        return false;
    }
    if let Some(scheme) = lower.strip_suffix(':') {
        return scheme_matches(scheme, &target.scheme);
    }
    let (scheme, rest) = match source.split_once("://") {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
        None => (page.scheme.clone(), source),
    };
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port == "*" || port.bytes().all(|b| b.is_ascii_digit()) => (host, Some(port)),
        _ => (authority, None),
    };
    let host = host.to_ascii_lowercase();
    let host_fits = match host.strip_prefix('*') {
        Some("") => true,
        Some(end) => target.host.len() > end.len() && target.host.ends_with(end),
        None => target.host == host,
    };
    let port_fits = match port {
        Some("*") => true,
        Some(port) => port == target.port.to_string() || (port == "80" && target.port == 443),
        None => target.port == own_port(&target.scheme),
    };
    let path_fits = match path {
        "" | "/" => true,
        folder if folder.ends_with('/') => target.path.starts_with(folder),
        file => target.path == file,
    };
    scheme_matches(&scheme, &target.scheme) && host_fits && port_fits && path_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_lets_load_what_it_names() {
        let page = "https://app.example.com";
        let stream = "https://logs.example.com/api/logs/stream";
        for (source, lets) in [
            ("'self'", false),
            ("'none'", false),
            ("*", true),
            ("https:", true),
            ("http:", true),
            ("wss:", false),
            ("logs.example.com", true),
            ("https://logs.example.com", true),
            ("HTTPS://Logs.Example.Com:443", true),
            ("https://logs.example.com:8443", false),
            ("https://logs.example.com:*", true),
            ("https://*.example.com", true),
            ("*.logs.example.com", false),
            ("https://logs.example.com/api/", true),
            ("https://logs.example.com/api", false),
            ("https://logs.example.com/api/logs/stream", true),
            ("http://localhost:3002", false),
        ] {
            assert_eq!(allows(&[source.to_owned()], page, stream), lets, "{source}");
        }
        assert!(allows(
            &["'self'".to_owned()],
            page,
            "https://app.example.com/api/logs/stream"
        ));
        let local = "http://localhost:8080";
        assert!(!allows(
            &["'self'".to_owned()],
            local,
            "http://localhost:3002/api/logs/stream"
        ));
        assert!(allows(
            &["localhost:3002".to_owned()],
            local,
            "http://localhost:3002/api/logs/stream"
        ));
    }

    #[test]
    fn the_first_of_a_name_counts_and_others_stand_in() {
        let policies = Policy::of_header("default-src 'self'; DEFAULT-SRC *, connect-src a b;; ,");
        assert_eq!(policies.len(), 2);
        let names = ["connect-src", "default-src"];
        let (name, sources) = policies[0].ruling(&names).unwrap();
        assert_eq!((name, sources), ("default-src", &["'self'".to_owned()][..]));
        assert_eq!(policies[1].ruling(&names).unwrap().0, "connect-src");
        assert!(policies[1].ruling(&["script-src"]).is_none());
    }
}
