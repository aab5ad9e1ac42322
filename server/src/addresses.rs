//! [`TrustedProxies`]: whose word is taken for where a request comes from; [`whose`]: who is there.

use std::{
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

use axum::http::HeaderMap;
use ipnet::IpNet;

/// The proxies whose word is taken for where a request comes from (`X-Forwarded-For`); without any, it comes from
/// where its connection does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

const FORWARDED_FOR: &str = "x-forwarded-for";

impl TrustedProxies {
    /// Whether it is one of them.
    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address))
    }

    /// Where a request comes from: the last address on its way that is not one of a trusted proxy. What is further ahead
    /// in the list anybody may have written.
    pub(crate) fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut origin = peer.to_canonical();
        let lists = headers.get_all(FORWARDED_FOR).iter().rev();
        let mut hops = lists.flat_map(|list| list.to_str().unwrap_or_default().rsplit(','));
        while self.contain(origin) {
            let Some(hop) = hops.next().and_then(|hop| address(hop.trim())) else {
                break;
            };
            origin = hop.to_canonical();
        }
        origin
    }
}

/// What an address counts for: with IPv6 one host has a whole network of 64 bits (RFC 4291, section 2.5.4), and could be another
/// one with every request.
pub(crate) fn host(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

/// An address as proxies write it: bare, in brackets, or with a port.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || {
        text.parse::<std::net::SocketAddr>()
            .ok()
            .map(|address| address.ip())
    };
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    bare.parse().ok().or_else(with_port)
}

impl FromStr for TrustedProxies {
    type Err = String;

    /// Addresses and networks (`10.0.0.0/8`), apart by commas.
    fn from_str(text: &str) -> Result<Self, String> {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        let nets = items.map(|item| {
            let net = item.parse().or_else(|_| item.parse::<IpAddr>().map(IpNet::from));
            net.map_err(|_| format!("{item:?} is neither an address nor a network such as 10.0.0.0/8"))
        });
        nets.collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(trusted: &str, peer: &str, lists: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for list in lists {
            headers.append(FORWARDED_FOR, list.parse().unwrap());
        }
        let trusted: TrustedProxies = trusted.parse().unwrap();
        trusted.origin(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_what_a_trusted_proxy_says_is_believed() {
        let cases: [(&str, &str, &[&str], &str); 10] = [
            ("", "1.1.1.1", &["9.9.9.9"], "1.1.1.1"),
            ("10.0.0.0/8", "1.1.1.1", &["9.9.9.9"], "1.1.1.1"),
            ("10.0.0.0/8", "10.0.0.1", &["9.9.9.9"], "9.9.9.9"),
            ("10.0.0.0/8", "10.0.0.1", &["6.6.6.6, 9.9.9.9"], "9.9.9.9"),
            (
                "10.0.0.0/8",
                "10.0.0.1",
                &["6.6.6.6", "9.9.9.9, 10.0.0.2"],
                "9.9.9.9",
            ),
            ("10.0.0.0/8", "10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.0/8", "10.0.0.1", &["nonsense"], "10.0.0.1"),
            (
                "127.0.0.1,::1",
                "::ffff:127.0.0.1",
                &["[2001:db8::7]:443"],
                "2001:db8::7",
            ),
            ("::1", "::1", &["[2001:db8::7]"], "2001:db8::7"),
            ("10.0.0.1", "10.0.0.2", &["9.9.9.9"], "10.0.0.2"),
        ];
        for (trusted, peer, lists, expected) in cases {
            assert_eq!(
                origin(trusted, peer, lists),
                expected,
                "{trusted} {peer} {lists:?}"
            );
        }
        assert!("10.0.0.0/40".parse::<TrustedProxies>().is_err());
    }
}
