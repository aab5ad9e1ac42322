//! [`AllowedOrigins`]: which pages of other origins may call.

use std::str::FromStr;

/// Which pages of other origins may call (Fetch Standard, section 3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// Every page, without credentials.
    Any,
    /// The pages of these origins, with credentials.
    List(Vec<AllowedOrigin>),
}

/// One origin, or all subdomains of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedOrigin {
    /// Up to where a wildcard stands, or the whole origin.
    start: String,
    /// What follows the wildcard: `.example.com`, with the port where there is one.
    end: Option<String>,
}

impl AllowedOrigins {
    /// Whether a page of this origin may call.
    #[must_use]
    pub fn allows(&self, origin: &str) -> bool {
        match self {
            Self::Any => true,
            Self::List(list) => list.iter().any(|allowed| allowed.allows(origin)),
        }
    }
}

impl AllowedOrigin {
    fn allows(&self, origin: &str) -> bool {
        let Some(end) = &self.end else {
            return origin == self.start;
        };
        let subdomain = origin
            .strip_prefix(&self.start)
            .and_then(|rest| rest.strip_suffix(end.as_str()));
        // Only labels may stand for the wildcard: a port, a path or another scheme would leave the domain.
        subdomain.is_some_and(|labels| {
            !labels.is_empty()
                && labels
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
        })
    }
}

impl FromStr for AllowedOrigins {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let origins: Vec<&str> = text
            .split(',')
            .map(str::trim)
            .filter(|origin| !origin.is_empty())
            .collect();
        if origins == ["*"] {
            return Ok(Self::Any);
        }
        origins
            .into_iter()
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map(Self::List)
    }
}

impl FromStr for AllowedOrigin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad =
            || format!("{text:?} is no origin such as https://app.example.com or https://*.example.com");
        // Browsers send scheme and host in lower case.
        let origin = text.to_ascii_lowercase();
        let host = origin
            .strip_prefix("https://")
            .or_else(|| origin.strip_prefix("http://"))
            .ok_or_else(bad)?;
        let (start, end) = match host.strip_prefix('*') {
            None => (origin.clone(), None),
            Some(domain) if domain.starts_with('.') => (
                origin[..origin.len() - host.len()].to_owned(),
                Some(domain.to_owned()),
            ),
            Some(_) => return Err(bad()),
        };
        let host = end.as_deref().map_or(host, |end| &end[1..]);
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b':' | b'[' | b']');
        if host.is_empty() || !host.bytes().all(plain) {
            Err(bad())
        } else {
            Ok(Self { start, end })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_allowed_exactly_or_as_a_subdomain() {
        let origins: AllowedOrigins = "https://app.example.com, https://*.example.org,http://localhost:3000"
            .parse()
            .unwrap();
        let cases = [
            ("https://app.example.com", true),
            ("http://app.example.com", false),
            ("https://app.example.com:8443", false),
            ("https://evil-app.example.com", false),
            ("https://a.example.org", true),
            ("https://a.b.example.org", true),
            ("https://example.org", false),
            ("https://.example.org", false),
            ("https://evil.com/.example.org", false),
            ("https://evil.com:1.example.org", false),
            ("https://evilexample.org", false),
            ("http://localhost:3000", true),
            ("null", false),
        ];
        for (origin, allowed) in cases {
            assert_eq!(origins.allows(origin), allowed, "{origin}");
        }
        assert!(
            "*".parse::<AllowedOrigins>()
                .unwrap()
                .allows("https://anything.test")
        );
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "example.com",
            "https://",
            "https://*",
            "https://*example.com",
            "https://a/b",
            "*,https://a.b",
            "ftp://a",
        ] {
            assert!(text.parse::<AllowedOrigins>().is_err(), "{text}");
        }
    }
}
