//! The head of an answer that is written by the gateway itself.

use std::time::SystemTime;

use axum::{
    http::{HeaderName, Version, header},
    response::Response,
};

/// What the connection says, whatever the answer does.
const OF_THE_CONNECTION: [HeaderName; 4] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::DATE,
    header::TRANSFER_ENCODING,
];

/// The head of an answer whose body is a stream, after which the connection ends (RFC 9112). In HTTP/1.1 the body is in chunks,
/// so that an end that is one can be told from one that is not; in HTTP/1.0 there are none.
pub(super) fn of_stream<B>(answer: &Response<B>, version: Version) -> Vec<u8> {
    let mut head = Vec::with_capacity(512);
    let (name, framing) = if version >= Version::HTTP_11 {
        ("HTTP/1.1", "transfer-encoding: chunked\r\n")
    } else {
        ("HTTP/1.0", "")
    };
    let status = answer.status();
    let reason = status.canonical_reason().unwrap_or_default();
    head.extend_from_slice(format!("{name} {} {reason}\r\n", status.as_str()).as_bytes());
    let headers = answer.headers().iter();
    for (name, value) in headers.filter(|(name, _)| !OF_THE_CONNECTION.contains(name)) {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    let date = httpdate::fmt_http_date(SystemTime::now());
    head.extend_from_slice(format!("{framing}connection: close\r\ndate: {date}\r\n\r\n").as_bytes());
    head
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::*;

    fn lines(version: Version) -> Vec<String> {
        let mut answer = Response::new(());
        let headers: &mut HeaderMap = answer.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/event-stream"),
        );
        headers.append(header::VARY, HeaderValue::from_static("origin"));
        headers.append(header::VARY, HeaderValue::from_static("accept"));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        let head = String::from_utf8(of_stream(&answer, version)).unwrap();
        let head = head.strip_suffix("\r\n\r\n").expect("it ends");
        head.split("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn every_header_of_the_answer_is_there_and_what_is_of_the_connection_once() {
        let mut lines = lines(Version::HTTP_11);
        let date = lines.pop().expect("a date");
        let date = date.strip_prefix("date: ").expect("the date is last");
        httpdate::parse_http_date(date).expect("it is a date");
        let expected = [
            "HTTP/1.1 200 OK",
            "content-type: text/event-stream",
            "vary: origin",
            "vary: accept",
            "transfer-encoding: chunked",
            "connection: close",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn http_1_0_knows_no_chunks() {
        let lines = lines(Version::HTTP_10);
        assert_eq!(lines[0], "HTTP/1.0 200 OK");
        assert!(
            lines.iter().all(|line| !line.starts_with("transfer-encoding")),
            "{lines:?}"
        );
    }
}
