//! [`Address`]: where requests go.

use std::fmt;

/// Where requests go, without what may be a secret.
pub(crate) struct Address {
    pub(crate) url: String,
    /// Of the name and the password that the address had, for a proxy in front of the gateway.
    pub(crate) authorization: Option<String>,
}

impl fmt::Display for Address {
    /// As people know it: scheme, host and port. Of what is no address nothing is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self
            .url
            .split_once("://")
            .filter(|(scheme, _)| ["http", "https"].contains(scheme));
        match host {
            Some((scheme, rest)) => write!(
                f,
                "{scheme}://{}",
                rest.split(['/', '?', '#']).next().unwrap_or_default()
            ),
            None => f.write_str("the gateway"),
        }
    }
}

impl Address {
    pub(crate) fn new(url: &str) -> Self {
        let whole = |url: &str| format!("{}/api/logs/publish", url.trim_end_matches('/'));
        let parts = url.split_once("://").and_then(|(scheme, rest)| {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let at = rest[..end].rfind('@')?;
            Some((scheme, &rest[..at], &rest[at + 1..]))
        });
        let Some((scheme, user, rest)) = parts else {
            return Self {
                url: whole(url),
                authorization: None,
            };
        };
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        let said = [decoded(name), b":".to_vec(), decoded(password)].concat();
        Self {
            url: whole(&format!("{scheme}://{rest}")),
            authorization: Some(format!("Basic {}", base64(&said))),
        }
    }
}

/// With `%3A` and the like as the bytes that they stand for.
fn decoded(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((&first, others)) = rest.split_first() {
        let code = others.get(..2).filter(|_| first == b'%');
        let code = code.and_then(|digits| str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &others[2..];
            }
            None => {
                bytes.push(first);
                rest = others;
            }
        }
    }
    bytes
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let all = (0..3).fold(0_usize, |all, at| {
            all << 8 | usize::from(three.get(at).copied().unwrap_or_default())
        });
        for at in 0..4 {
            let digit = DIGITS[all >> (18 - 6 * at) & 63];
            text.push(if at <= three.len() { digit.into() } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_password_are_for_a_header_and_not_in_the_address() {
        for (given, url, authorization) in [
            ("http://a:1/", "http://a:1/api/logs/publish", None),
            ("https://a/b@c", "https://a/b@c/api/logs/publish", None),
            ("no address", "no address/api/logs/publish", None),
            (
                "http://ann:p%3Aw@a/b/",
                "http://a/b/api/logs/publish",
                Some("Basic YW5uOnA6dw=="),
            ),
            (
                "http://ann@[::1]:1",
                "http://[::1]:1/api/logs/publish",
                Some("Basic YW5uOg=="),
            ),
            (
                "http://a%zz:%ff%@b",
                "http://b/api/logs/publish",
                Some("Basic YSV6ejr/JQ=="),
            ),
        ] {
            let address = Address::new(given);
            let shown = address.to_string();
            assert!(
                shown == "the gateway" || (url.starts_with(&shown) && !shown.ends_with('/')),
                "{shown}"
            );
            assert_eq!(
                (address.url.as_str(), address.authorization.as_deref()),
                (url, authorization)
            );
        }
    }
}
