//! [`Head`]: the head of a request that is plainly a publication.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use logs_shared::api::{IDEMPOTENCY_KEY_HEADER, PUBLISH_PATH, SERVICE_TOKEN_HEADER, STREAM_ALIAS_PATH};

/// The head of a request that is plainly a publication: HTTP/1.1, its body as long as it says, and nothing asked for that
/// has to do with anything but what is published.
pub(super) struct Head {
    bytes: Vec<u8>,
    path: &'static str,
    body_len: usize,
    /// Those that say who publishes, and how.
    headers: HeaderMap,
}

/// A larger head or body is not plain.
const HEAD_BYTES: usize = 4 * 1024;
const HEADERS: usize = 32;
pub(super) const BODY_BYTES: usize = 256 * 1024;

const BEGINNINGS: [(&str, &str); 2] = [
    ("POST /api/logs/publish HTTP/1.1\r\n", PUBLISH_PATH),
    ("POST /logs/stream HTTP/1.1\r\n", STREAM_ALIAS_PATH),
];

impl Head {
    /// Whether what begins so may be a publication.
    pub(super) fn may_be(begin: &[u8]) -> bool {
        path(begin).is_some()
    }

    /// The head that this begins with; `None` where that is not plainly a publication, `Some(None)` where more must come.
    #[expect(clippy::option_option)]
    pub(super) fn read(begin: &[u8]) -> Option<Option<Self>> {
        let Some(path) = path(begin)? else {
            return Some(None);
        };
        let mut fields = [httparse::EMPTY_HEADER; HEADERS];
        let mut request = httparse::Request::new(&mut fields);
        let len = match request.parse(begin).ok()? {
            httparse::Status::Complete(len) => len,
            httparse::Status::Partial if begin.len() < HEAD_BYTES => return Some(None),
            httparse::Status::Partial => return None,
        };
        let mut headers = HeaderMap::with_capacity(4);
        let mut body_len = None;
        for field in request.headers {
            let is = |name: &str| field.name.eq_ignore_ascii_case(name);
            let of_publisher = [
                HeaderName::from_static(SERVICE_TOKEN_HEADER),
                HeaderName::from_static(IDEMPOTENCY_KEY_HEADER),
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
            ];
            if let Some(name) = of_publisher.into_iter().find(|name| is(name.as_str())) {
                headers.append(name, HeaderValue::from_bytes(field.value).ok()?);
            } else if is("content-length") {
                // Two that say the same are for others to judge.
                let digits = field.value;
                let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
                let number = std::str::from_utf8(digits).ok().filter(|_| is_number)?;
                let number = number.parse().ok().filter(|number| *number <= BODY_BYTES)?;
                if body_len.replace(number).is_some() {
                    return None;
                }
            } else if is("connection") {
                field.value.eq_ignore_ascii_case(b"keep-alive").then_some(())?;
            } else if UNUSUAL.into_iter().any(is) {
                return None;
            }
        }
        Some(Some(Self {
            bytes: begin[..len].to_vec(),
            path,
            body_len: body_len?,
            headers,
        }))
    }

    /// Whether this begins with the same head once more.
    pub(super) fn is_again(&self, begin: &[u8]) -> bool {
        begin.starts_with(&self.bytes)
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn body_len(&self) -> usize {
        self.body_len
    }

    /// With its body.
    pub(super) fn request_len(&self) -> usize {
        self.bytes.len() + self.body_len
    }

    pub(super) fn path(&self) -> &'static str {
        self.path
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

/// What asks for more than to publish, or says that the body is not as it is: origins are asked about by CORS.
const UNUSUAL: [&str; 6] = [
    "content-encoding",
    "expect",
    "origin",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Where it publishes; `Some(None)` where that is not known yet, `None` where it does not.
#[expect(clippy::option_option)]
fn path(begin: &[u8]) -> Option<Option<&'static str>> {
    let mut may_be = false;
    for (beginning, path) in BEGINNINGS {
        let both = begin.len().min(beginning.len());
        if begin[..both] == beginning.as_bytes()[..both] {
            if both == beginning.len() {
                return Some(Some(path));
            }
            may_be = true;
        }
    }
    may_be.then_some(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str, headers: &[&str]) -> String {
        format!("{line}\r\nhost: test\r\n{}\r\n\r\n", headers.join("\r\n"))
    }

    fn read(begin: &str) -> Option<Option<Head>> {
        Head::read(begin.as_bytes())
    }

    const LINE: &str = "POST /api/logs/publish HTTP/1.1";
    const LENGTH: &str = "Content-Length: 12";

    #[test]
    fn the_beginnings_are_those_of_the_paths() {
        for (beginning, path) in BEGINNINGS {
            assert_eq!(beginning, format!("POST {path} HTTP/1.1\r\n"));
        }
    }

    #[test]
    fn a_plain_publication_is_read_however_little_of_it_has_come() {
        let whole = request(
            LINE,
            &[
                LENGTH,
                "X-Service-Token: t",
                "connection: Keep-Alive",
                "accept: */*",
            ],
        );
        for len in 0..whole.len() {
            assert!(matches!(read(&whole[..len]), Some(None)), "{len}");
        }
        let head = read(&format!("{whole}{{}}")).flatten().expect("it is one");
        assert_eq!((head.len(), head.body_len()), (whole.len(), 12));
        assert_eq!(head.path(), PUBLISH_PATH);
        assert_eq!(head.headers().len(), 1);
        assert!(head.is_again(whole.as_bytes()) && !head.is_again(whole.to_uppercase().as_bytes()));
        let alias = request("POST /logs/stream HTTP/1.1", &[LENGTH]);
        assert_eq!(
            read(&alias).flatten().map(|head| head.path()),
            Some(STREAM_ALIAS_PATH)
        );
    }

    #[test]
    fn whatever_is_unusual_is_for_others() {
        for line in [
            "GET /api/logs/publish HTTP/1.1",
            "POST /api/logs/publish HTTP/1.0",
            "POST /api/logs/publish?a=b HTTP/1.1",
            "POST /api/logs/publishing HTTP/1.1",
            "POST http://test/api/logs/publish HTTP/1.1",
            "POST  /api/logs/publish HTTP/1.1",
            "post /api/logs/publish HTTP/1.1",
        ] {
            assert!(read(&request(line, &[LENGTH])).is_none(), "{line}");
        }
        let many: Vec<String> = (0..HEADERS).map(|number| format!("x-{number}: y")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let long = format!("x: {}", "y".repeat(HEAD_BYTES));
        for headers in [
            &["accept: */*"][..],
            &[LENGTH, LENGTH],
            &["content-length: +12"],
            &["content-length: "],
            &["content-length: 12, 12"],
            &["content-length: 999999999"],
            &["content-length: 99999999999999999999999"],
            &["content-length : 12"],
            &[LENGTH, "Transfer-Encoding: chunked"],
            &[LENGTH, "connection: close"],
            &[LENGTH, "connection: upgrade", "upgrade: h2c"],
            &[LENGTH, "expect: 100-continue"],
            &[LENGTH, "origin: https://example.com"],
            &[LENGTH, "content-encoding: gzip"],
            &[LENGTH, " folded: line"],
            &[LENGTH, "no colon"],
            &many,
            &[&long[..]],
        ] {
            assert!(read(&request(LINE, headers)).is_none(), "{headers:?}");
        }
    }
}
