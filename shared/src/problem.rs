//! [`Problem`]: what a refusal says (RFC 9457), and the codes it may carry.

use serde::{Deserialize, Serialize};

/// What a refusal says, as `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The HTTP status, again.
    pub status: u16,
    /// The status in words.
    pub title: String,
    /// Always false; an answer that is no refusal says true.
    pub success: bool,
    /// Which refusal it is: stable, one of [`code`].
    pub code: String,
    /// A sentence that names the offending value and never a secret.
    pub detail: String,
    /// For a batch: what was refused, by record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<Rejection>,
}

/// Why one record of a batch was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// Which: counted from 0, without blank lines, `logData` arrays unrolled.
    pub index: usize,
    /// One of [`code`].
    pub code: String,
    /// A sentence that names the offending value.
    pub detail: String,
}

impl Rejection {
    /// A refusal of one record, in a sentence that is made [`legible`].
    #[must_use]
    pub fn new(index: usize, code: &str, detail: &str) -> Self {
        Self {
            index,
            code: code.to_owned(),
            detail: legible(detail),
        }
    }
}

/// A refusal's sentence as it may be sent. It names what a stranger sent, who may have sent characters that the
/// terminal of whoever reads it would obey, or a flood: the former are escaped, and after 500 characters it ends.
#[must_use]
pub fn legible(sentence: &str) -> String {
    const LONGEST: usize = 500;
    let mut text = String::with_capacity(sentence.len().min(4 * LONGEST));
    for (position, char) in sentence.chars().enumerate() {
        match char {
            _ if position == LONGEST => {
                text.push('…');
                break;
            }
            '\n' => text.push(' '),
            control if control.is_control() => text.extend(control.escape_default()),
            char => text.push(char),
        }
    }
    text
}

/// The codes of refusals. Stable: programs compare them.
pub mod code {
    /// 400: the request names no channel.
    pub const MISSING_CHANNELS: &str = "missing_channels";
    /// 400: a channel or pattern that is none.
    pub const INVALID_CHANNEL: &str = "invalid_channel";
    /// 400: more channels than a stream may follow.
    pub const TOO_MANY_CHANNELS: &str = "too_many_channels";
    /// 400: a level that is none.
    pub const INVALID_LEVEL: &str = "invalid_level";
    /// An entry of a stream's set that cannot be read: neither a channel nor an object that names one, or
    /// with conditions that are none.
    pub const INVALID_INTEREST: &str = "invalid_interest";
    /// 400: a query parameter that cannot be read.
    pub const INVALID_QUERY: &str = "invalid_query";
    /// 400: the body or one of its lines is not JSON.
    pub const BROKEN_JSON: &str = "broken_json";
    /// 400: JSON, but not what the path takes.
    pub const INVALID_BODY: &str = "invalid_body";
    /// 400: a publication without `logData`, or with one that is neither object, text nor array.
    pub const INVALID_LOG_DATA: &str = "invalid_log_data";
    /// 400: values nest too deep.
    pub const TOO_DEEP: &str = "too_deep";
    /// 400: a batch without a record.
    pub const EMPTY_BATCH: &str = "empty_batch";
    /// 400: an encoded record is over its limit.
    pub const RECORD_TOO_LARGE: &str = "record_too_large";
    /// 400: an idempotency key that cannot be one.
    pub const INVALID_IDEMPOTENCY_KEY: &str = "invalid_idempotency_key";
    /// 422: an idempotency key that was used for another publication.
    pub const IDEMPOTENCY_KEY_REUSED: &str = "idempotency_key_reused";
    /// 401: no token where one is needed.
    pub const MISSING_TOKEN: &str = "missing_token";
    /// 401: a token the gateway does not know.
    pub const INVALID_TOKEN: &str = "invalid_token";
    /// 401: a token whose time is over.
    pub const EXPIRED_TOKEN: &str = "expired_token";
    /// 401: what the caller holds was revoked.
    pub const REVOKED: &str = "revoked";
    /// 401: a proxy does not say who reads.
    pub const MISSING_IDENTITY: &str = "missing_identity";
    /// 401: a proxy says what cannot be.
    pub const INVALID_IDENTITY: &str = "invalid_identity";
    /// 401: no way to read has been opened.
    pub const AUTH_NOT_CONFIGURED: &str = "auth_not_configured";
    /// 401: no way to publish has been opened.
    pub const PUBLISHING_NOT_CONFIGURED: &str = "publishing_not_configured";
    /// 401: no way to administer has been opened.
    pub const ADMIN_NOT_CONFIGURED: &str = "admin_not_configured";
    /// 403: the caller is known and may not use this channel.
    pub const FORBIDDEN_CHANNEL: &str = "forbidden_channel";
    /// 404: no stream with this id is open, or it is another's.
    pub const UNKNOWN_STREAM: &str = "unknown_stream";
    /// 404: nothing is at this path.
    pub const NOT_FOUND: &str = "not_found";
    /// 405: the path does not take this method.
    pub const METHOD_NOT_ALLOWED: &str = "method_not_allowed";
    /// 408: the body came too slowly.
    pub const BODY_TOO_SLOW: &str = "body_too_slow";
    /// 413: the body is over its limit.
    pub const BODY_TOO_LARGE: &str = "body_too_large";
    /// 413: a publication has more records than one may.
    pub const TOO_MANY_RECORDS: &str = "too_many_records";
    /// 429, without `Retry-After`: a publication has more records than its token may publish in a second, so that it never
    /// comes through as it is.
    pub const BATCH_OVER_RATE: &str = "batch_over_rate";
    /// 414: the address with its query is over its limit.
    pub const URI_TOO_LONG: &str = "uri_too_long";
    /// 415: the body is of a kind that is not taken.
    pub const UNSUPPORTED_MEDIA_TYPE: &str = "unsupported_media_type";
    /// 429: the caller has as many streams open as one may.
    pub const TOO_MANY_STREAMS_PER_USER: &str = "too_many_streams_per_user";
    /// 429: the caller's address has as many streams open as one may.
    pub const TOO_MANY_STREAMS_PER_ADDRESS: &str = "too_many_streams_per_address";
    /// 429: the caller opens streams faster than it may.
    pub const STREAM_RATE_EXCEEDED: &str = "stream_rate_exceeded";
    /// 429: the token publishes faster than it may.
    pub const PUBLISH_RATE_EXCEEDED: &str = "publish_rate_exceeded";
    /// 429: the token uses as many channels as one may.
    pub const TOO_MANY_TOKEN_CHANNELS: &str = "too_many_token_channels";
    /// 431: the headers are over their limit, or too many.
    pub const HEADERS_TOO_LARGE: &str = "headers_too_large";
    /// 500: a mistake in the gateway itself.
    pub const INTERNAL: &str = "internal";
    /// 503: the gateway has as many streams open as it may.
    pub const TOO_MANY_STREAMS: &str = "too_many_streams";
    /// 503: the gateway has as many connections open as it may.
    pub const TOO_MANY_CONNECTIONS: &str = "too_many_connections";
    /// 503: the gateway's store fails or does not answer; whether the records are in it is not known, and a repeat under the same
    /// idempotency key is safe. Or what was revoked holds and cannot be kept.
    pub const STORAGE_FAILED: &str = "storage_failed";
    /// 503: the stream is on another gateway, which did not answer in time.
    pub const GATEWAY_SILENT: &str = "gateway_silent";
    /// 507: the gateway's disk, or the memory of Redis, is full.
    pub const STORAGE_FULL: &str = "storage_full";
    /// 503: the gateway is stopping.
    pub const SHUTTING_DOWN: &str = "shutting_down";

    /// The code that is spelt so.
    #[must_use]
    pub fn known(text: &str) -> Option<&'static str> {
        ALL.into_iter().find(|code| *code == text)
    }

    /// All of them.
    pub const ALL: [&str; 46] = [
        MISSING_CHANNELS,
        INVALID_CHANNEL,
        TOO_MANY_CHANNELS,
        INVALID_LEVEL,
        INVALID_INTEREST,
        INVALID_QUERY,
        BROKEN_JSON,
        INVALID_BODY,
        INVALID_LOG_DATA,
        TOO_DEEP,
        EMPTY_BATCH,
        RECORD_TOO_LARGE,
        INVALID_IDEMPOTENCY_KEY,
        IDEMPOTENCY_KEY_REUSED,
        MISSING_TOKEN,
        INVALID_TOKEN,
        EXPIRED_TOKEN,
        REVOKED,
        MISSING_IDENTITY,
        INVALID_IDENTITY,
        AUTH_NOT_CONFIGURED,
        PUBLISHING_NOT_CONFIGURED,
        ADMIN_NOT_CONFIGURED,
        FORBIDDEN_CHANNEL,
        UNKNOWN_STREAM,
        NOT_FOUND,
        METHOD_NOT_ALLOWED,
        BODY_TOO_SLOW,
        BODY_TOO_LARGE,
        TOO_MANY_RECORDS,
        BATCH_OVER_RATE,
        URI_TOO_LONG,
        UNSUPPORTED_MEDIA_TYPE,
        TOO_MANY_STREAMS_PER_USER,
        TOO_MANY_STREAMS_PER_ADDRESS,
        STREAM_RATE_EXCEEDED,
        PUBLISH_RATE_EXCEEDED,
        TOO_MANY_TOKEN_CHANNELS,
        HEADERS_TOO_LARGE,
        INTERNAL,
        TOO_MANY_STREAMS,
        TOO_MANY_CONNECTIONS,
        STORAGE_FAILED,
        GATEWAY_SILENT,
        STORAGE_FULL,
        SHUTTING_DOWN,
    ];

    /// The codes of `logs-gateway proxy`, beside those of the gateway behind it.
    pub mod proxy {
        /// 403: who knows the callers says that this one may not.
        pub const IDENTITY_REFUSED: &str = "identity_refused";
        /// 502: who knows the callers does not answer as it should.
        pub const IDENTITY_UNAVAILABLE: &str = "identity_unavailable";
        /// 502: the gateway does not answer.
        pub const UPSTREAM_UNREACHABLE: &str = "upstream_unreachable";
        /// 504: the gateway's answer did not begin in time.
        pub const UPSTREAM_TIMEOUT: &str = "upstream_timeout";
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{code, legible};

    #[test]
    fn no_code_is_there_twice() {
        assert_eq!(code::ALL.iter().collect::<HashSet<_>>().len(), code::ALL.len());
    }

    #[test]
    fn a_sentence_has_no_character_that_a_terminal_obeys_and_an_end() {
        assert_eq!(
            legible("caf\u{e9} \u{1b}[2J\u{9b}2J\r\0\u{7f}"),
            "café \\u{1b}[2J\\u{9b}2J\\r\\u{0}\\u{7f}"
        );
        assert_eq!(legible("one\ntwo"), "one two");
        let long = "é".repeat(501);
        assert_eq!(legible(&long).chars().count(), 501);
        assert!(legible(&long).ends_with("é…"));
        assert_eq!(legible(&long[2..]), long[2..]);
    }
}
