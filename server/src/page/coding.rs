//! [`Coding`]: how a file's bytes are packed on the wire, and which of them a browser wants.

use axum::http::{HeaderMap, header};

/// A content coding (RFC 9110, section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Brotli,
    Gzip,
    /// As it is: no `Content-Encoding`.
    Identity,
}

/// What an unnamed `identity` counts as: wanted by everyone, and less than anything that was named.
const UNNAMED_IDENTITY: f32 = 0.001;

impl Coding {
    /// The name in `Accept-Encoding` and `Content-Encoding`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
            Self::Identity => "identity",
        }
    }

    /// The most wanted of those that exist; of equally wanted ones, the first in `existing`.
    ///
    /// Follows `Accept-Encoding` with its weights (RFC 9110, section 12.5.3). A request that rules out
    /// everything gets [`Coding::Identity`], as the section allows: an answer helps it more than a 406.
    pub(super) fn choose(headers: &HeaderMap, existing: impl IntoIterator<Item = Self>) -> Self {
        let accepted = accepted(headers);
        let mut best = (Self::Identity, 0.0);
        for coding in existing {
            let weight = coding.weight(&accepted);
            if weight > best.1 {
                best = (coding, weight);
            }
        }
        best.0
    }

    fn weight(self, accepted: &[(&str, f32)]) -> f32 {
        let named = |name: &str| {
            let found = accepted
                .iter()
                .find(|(other, _)| other.eq_ignore_ascii_case(name));
            found.map(|(_, weight)| *weight)
        };
        let unnamed = if self == Self::Identity {
            UNNAMED_IDENTITY
        } else {
            0.0
        };
        named(self.name()).or_else(|| named("*")).unwrap_or(unnamed)
    }
}

/// The header's items. One whose weight cannot be read is left out.
fn accepted(headers: &HeaderMap) -> Vec<(&str, f32)> {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|item| {
            let (name, parameter) = item.split_once(';').unwrap_or((item, "q=1"));
            let (q, weight) = parameter.trim().split_once('=')?;
            let weight = weight
                .parse()
                .ok()
                .filter(|weight| (0.0..=1.0).contains(weight))?;
            q.eq_ignore_ascii_case("q").then(|| (name.trim(), weight))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn choose(accept: &str) -> Coding {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_str(accept).unwrap());
        Coding::choose(&headers, [Coding::Brotli, Coding::Gzip, Coding::Identity])
    }

    #[test]
    fn the_most_wanted_coding_wins_and_brotli_a_tie() {
        for (accept, expected) in [
            ("gzip, deflate, br, zstd", Coding::Brotli),
            ("gzip, deflate", Coding::Gzip),
            ("br;q=0.5, gzip;q=0.9", Coding::Gzip),
            ("BR;Q=0.5,GZIP;Q=0.5", Coding::Brotli),
            ("*", Coding::Brotli),
            ("*;q=0.1, br;q=0", Coding::Gzip),
            ("identity, gzip;q=0.5", Coding::Identity),
            ("gzip;q=0.001", Coding::Gzip),
            ("deflate", Coding::Identity),
            ("", Coding::Identity),
        ] {
            assert_eq!(choose(accept), expected, "{accept:?}");
        }
    }

    #[test]
    fn a_request_that_rules_everything_out_gets_the_plain_bytes() {
        assert_eq!(choose("*;q=0"), Coding::Identity);
        assert_eq!(choose("identity;q=0"), Coding::Identity);
    }

    #[test]
    fn a_weight_that_cannot_be_read_asks_for_nothing() {
        for accept in ["br;q=2", "br;q=-1", "br;q=nan", "br;q", "br;level=1", "br;q=x"] {
            assert_eq!(choose(accept), Coding::Identity, "{accept:?}");
        }
    }

    #[test]
    fn no_header_gets_the_plain_bytes() {
        let coding = Coding::choose(&HeaderMap::new(), [Coding::Brotli, Coding::Identity]);
        assert_eq!(coding, Coding::Identity);
    }
}
