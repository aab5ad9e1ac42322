//! Which headers go on, in both directions.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use logs_shared::api::LAST_EVENT_ID_HEADER;

/// Of a request only these go on. Whatever else a browser sends is for the page's own origin, cookies above all, or would
/// speak in the proxy's name.
const PASSED_ON: [HeaderName; 10] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    header::CACHE_CONTROL,
    header::CONTENT_ENCODING,
    header::CONTENT_TYPE,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::USER_AGENT,
    HeaderName::from_static(LAST_EVENT_ID_HEADER),
];
const TRACED: [HeaderName; 3] = [
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static("x-request-id"),
];
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Of a connection, not of the answer (RFC 9110, section 7.6.1), beside those that `Connection` names.
const OF_A_CONNECTION: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];
const CORS: &str = "access-control-";

/// The headers of a request that go on, and where and how (`http`, `https`) it came.
pub(super) fn onward(request: &HeaderMap, peer: Option<SocketAddr>, scheme: &'static str) -> HeaderMap {
    let mut onward = HeaderMap::new();
    for name in PASSED_ON.iter().chain(&TRACED) {
        for value in request.get_all(name) {
            onward.append(name, value.clone());
        }
    }
    if let Some(peer) = peer {
        onward.insert(FORWARDED_FOR, forwarded_for(request, peer.ip().to_canonical()));
    }
    let proto = request.get(FORWARDED_PROTO).cloned();
    onward.insert(FORWARDED_PROTO, proto.unwrap_or(HeaderValue::from_static(scheme)));
    onward
}

/// Whom the request says it came from, and who has sent it here. Only the last one is known.
fn forwarded_for(request: &HeaderMap, peer: IpAddr) -> HeaderValue {
    let before = request
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let all: Vec<String> = before.map(str::to_owned).chain([peer.to_string()]).collect();
    // What was a header's value stays one, and so does an address.
    HeaderValue::from_str(&all.join(", ")).unwrap_or(HeaderValue::from_static("unknown"))
}

/// Takes out of an answer's headers what is of the connection to the gateway, and what the gateway allows pages of other
/// origins: here everything is of one.
pub(super) fn clean(answer: &mut HeaderMap) {
    let named: Vec<HeaderName> = answer
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let cors: Vec<HeaderName> = answer
        .keys()
        .filter(|name| name.as_str().starts_with(CORS))
        .cloned()
        .collect();
    for name in OF_A_CONNECTION.iter().chain(&named).chain(&cors) {
        answer.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(headers: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                value.parse().unwrap(),
            );
        }
        map
    }

    #[test]
    fn nothing_that_speaks_for_the_browsers_user_goes_on() {
        let request = map(&[
            ("cookie", "session=s"),
            ("authorization", "Bearer s"),
            ("x-user-id", "mallory"),
            ("x-workspace-id", "*"),
            ("x-proxy-token", "guess"),
            ("x-service-token", "guess"),
            ("connection", "last-event-id"),
            ("host", "app.example.com"),
            ("origin", "https://app.example.com"),
            ("last-event-id", "5-0"),
            ("accept", "text/event-stream"),
        ]);
        let onward = onward(&request, None, "http");
        let mut names: Vec<_> = onward.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "last-event-id", "x-forwarded-proto"]);
    }

    #[test]
    fn the_address_it_came_from_is_the_last_one() {
        let peer = Some(SocketAddr::from(([10, 0, 0, 7], 1234)));
        let first = onward(&HeaderMap::new(), peer, "http");
        assert_eq!(first[FORWARDED_FOR], "10.0.0.7");
        assert_eq!(first[FORWARDED_PROTO], "http");
        let behind_others = map(&[
            ("x-forwarded-for", "1.2.3.4, 5.6.7.8"),
            ("x-forwarded-for", "9.9.9.9"),
            ("x-forwarded-proto", "https"),
        ]);
        let behind_others = onward(&behind_others, peer, "http");
        assert_eq!(
            behind_others[FORWARDED_FOR],
            "1.2.3.4, 5.6.7.8, 9.9.9.9, 10.0.0.7"
        );
        assert_eq!(behind_others[FORWARDED_PROTO], "https");
    }

    #[test]
    fn an_answer_loses_what_is_of_the_connection_and_what_is_for_other_origins() {
        let mut answer = map(&[
            ("content-type", "text/event-stream"),
            ("cache-control", "no-store"),
            ("x-accel-buffering", "no"),
            ("retry-after", "2"),
            ("connection", "close, X-Of-This-Hop"),
            ("x-of-this-hop", "1"),
            ("transfer-encoding", "chunked"),
            ("keep-alive", "timeout=5"),
            ("access-control-allow-origin", "*"),
            ("access-control-expose-headers", "retry-after"),
        ]);
        clean(&mut answer);
        let mut names: Vec<_> = answer.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "cache-control",
                "content-type",
                "retry-after",
                "x-accel-buffering"
            ]
        );
    }
}
