//! [`Party`]: who has answered.

use axum::http::{HeaderMap, header};
use logs_shared::problem::{code, legible};
use serde::Deserialize;

/// What stands at a hop, as its answers tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Party {
    Nginx,
    Apache,
    HaProxy,
    Cloudflare,
    Aws,
    Envoy,
    Caddy,
    Express,
    /// Nothing tells: a gateway itself, or who says nothing of itself.
    #[default]
    Unknown,
}

impl Party {
    /// Who stands nearest, of those that say so.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| {
            let values = headers.get_all(name).iter();
            let values: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
            values.join(",").to_ascii_lowercase()
        };
        let (server, via) = (text(header::SERVER.as_str()), text(header::VIA.as_str()));
        let named = |name: &str| server.contains(name) || via.contains(name);
        if headers.contains_key("cf-ray") || named("cloudflare") {
            Self::Cloudflare
        } else if named("nginx") || named("openresty") {
            Self::Nginx
        } else if named("apache") {
            Self::Apache
        } else if named("awselb") || named("cloudfront") {
            Self::Aws
        } else if named("haproxy") {
            Self::HaProxy
        } else if named("envoy") || headers.contains_key("x-envoy-upstream-service-time") {
            Self::Envoy
        } else if named("caddy") {
            Self::Caddy
        } else if text("x-powered-by").contains("express") {
            Self::Express
        } else {
            Self::Unknown
        }
    }

    /// Its name, where it is known.
    pub(super) const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Nginx => "nginx",
            Self::Apache => "Apache",
            Self::HaProxy => "HAProxy",
            Self::Cloudflare => "Cloudflare",
            Self::Aws => "AWS",
            Self::Envoy => "Envoy",
            Self::Caddy => "Caddy",
            Self::Express => "Express",
            Self::Unknown => return None,
        })
    }

    /// Its name, or that it has none.
    pub(super) fn or_somebody(self) -> &'static str {
        self.name().unwrap_or("somebody in front of the gateway")
    }
}

/// What only a proxy of ours says.
const PROXIES: [&str; 4] = [
    code::proxy::IDENTITY_REFUSED,
    code::proxy::IDENTITY_UNAVAILABLE,
    code::proxy::UPSTREAM_UNREACHABLE,
    code::proxy::UPSTREAM_TIMEOUT,
];

/// A refusal that a gateway or one of its proxies has put into words.
#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    /// Which one: stable.
    pub(super) code: String,
    /// A sentence without secrets.
    pub(super) detail: String,
}

impl Refusal {
    /// Reads the body of an answer; of anybody else's it is none.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let mut refusal: Self = serde_json::from_slice(body).ok()?;
        // It may be anybody's words, and as many as they like.
        refusal.detail = legible(&refusal.detail);
        let is_known = code::known(&refusal.code).is_some() || PROXIES.contains(&&*refusal.code);
        is_known.then_some(refusal)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn who_is_nearest_is_who_answered() {
        for (headers, party) in [
            (&[("server", "nginx/1.26.3")][..], Party::Nginx),
            (
                &[("server", "cloudflare"), ("via", "1.1 nginx")],
                Party::Cloudflare,
            ),
            (&[("server", "Apache/2.4")], Party::Apache),
            (&[("server", "awselb/2.0")], Party::Aws),
            (&[("x-powered-by", "Express")], Party::Express),
            (&[("server", "something")], Party::Unknown),
            (&[], Party::Unknown),
        ] {
            let headers: HeaderMap = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            assert_eq!(Party::of(&headers), party, "{headers:?}");
        }
    }

    #[test]
    fn a_refusal_is_ours_when_it_has_one_of_our_codes() {
        let ours = br#"{"status":401,"success":false,"code":"invalid_token","detail":"d"}"#;
        assert_eq!(Refusal::read(ours).unwrap().code, "invalid_token");
        let others = br#"{"status":401,"title":"t","success":false,"code":"theirs","detail":"d"}"#;
        assert!(Refusal::read(others).is_none() && Refusal::read(b"<html>").is_none());
        let long = format!(
            r#"{{"code":"invalid_token","detail":"\u001b[2J{}"}}"#,
            "x".repeat(9_000)
        );
        let detail = Refusal::read(long.as_bytes()).unwrap().detail;
        assert!(detail.len() < 600 && !detail.contains('\u{1b}'), "{detail}");
    }
}
