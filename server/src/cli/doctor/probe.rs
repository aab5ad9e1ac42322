//! [`Probe`]: what asks one hop.

use std::{
    io::Read as _,
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use bytes::Bytes;
use flate2::read::GzDecoder;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use logs_shared::api::{EVENT_STREAM_TYPE, TOKEN_PARAMETER};
use tokio::time::timeout;

use super::{
    hop::Hop,
    party::{Party, Refusal},
    reading::encoding,
};
use crate::{cause, cli::connector};

/// Longer than anybody who is well needs to begin an answer.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const LONGEST_ANSWER: usize = 1024 * 1024;

/// What asks one hop, as one and the same caller.
#[derive(Clone)]
pub(super) struct Probe {
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    pub(super) hop: Hop,
    headers: Vec<(HeaderName, HeaderValue)>,
    token: Option<String>,
    /// Whether the token goes where an `EventSource` puts it.
    pub(super) token_in_query: bool,
    /// What is followed, as a query.
    pub(super) selection: String,
}

/// An answer whose body is no stream.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    /// The refusal, where one of ours has answered.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        Refusal::read(&self.body)
    }

    /// Who has answered, for a sentence: `404 not_found`, or `404 by nginx`.
    pub(super) fn told(&self) -> String {
        let status = self.status.as_u16();
        match self.refusal() {
            Some(refusal) => format!("{status} {} ({})", refusal.code, refusal.detail),
            None => match Party::of(&self.headers).name() {
                Some(name) => format!("{status} by {name}, not by the gateway"),
                None => format!("{status}, and not in the gateway's words"),
            },
        }
    }
}

impl Probe {
    pub(super) fn new(hop: Hop, token: Option<String>, headers: Vec<(HeaderName, HeaderValue)>) -> Self {
        Self {
            http: connector::client(),
            token: token.or_else(|| hop.token().map(str::to_owned)),
            token_in_query: false,
            selection: String::new(),
            headers,
            hop,
        }
    }

    /// The same without a reader's token.
    pub(super) fn without_token(&self) -> Self {
        Self {
            token: None,
            ..self.clone()
        }
    }

    /// Whether there is a reader's token.
    pub(super) const fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Opens a stream, with these parameters and headers too: the head of the answer, and a body that comes as it arrives.
    pub(super) async fn open(
        &self,
        parameters: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Result<Response<Incoming>, String> {
        let uri = format!("{}?{}", self.hop.stream(), self.query(parameters));
        let mut own = vec![("accept", EVENT_STREAM_TYPE), ("cache-control", "no-cache")];
        own.extend(headers);
        self.send(Method::GET, &uri, &own, Bytes::new()).await
    }

    fn query(&self, parameters: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(self.selection.clone());
        query.extend_pairs(parameters);
        if let (Some(token), true) = (&self.token, self.token_in_query) {
            query.append_pair(TOKEN_PARAMETER, token);
        }
        query.finish()
    }

    /// The address of what can change the stream with this id.
    pub(super) fn open_stream(&self, id: &str) -> String {
        let uri = self.hop.open_stream(id);
        match &self.token {
            Some(token) if self.token_in_query => {
                let mut query = form_urlencoded::Serializer::new(String::new());
                format!("{uri}?{}", query.append_pair(TOKEN_PARAMETER, token).finish())
            }
            _ => uri,
        }
    }

    /// Asks for something that is no stream.
    pub(super) async fn ask(
        &self,
        method: Method,
        uri: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer, String> {
        let response = self.send(method, uri, headers, body.into()).await?;
        read(response).await
    }

    async fn send(
        &self,
        method: Method,
        uri: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Response<Incoming>, String> {
        let mut request = Request::builder().method(method).uri(uri).body(Full::new(body));
        // An address is not told: it may have a token.
        let request = request
            .as_mut()
            .map_err(|_| "the request cannot be written".to_owned())?;
        let all = request.headers_mut();
        all.insert(
            header::USER_AGENT,
            HeaderValue::from_static("logs-gateway-doctor"),
        );
        for (name, value) in &self.headers {
            all.append(name.clone(), value.clone());
        }
        if let (Some(token), false) = (&self.token, self.token_in_query) {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| "the token has characters that no header may have".to_owned())?;
            value.set_sensitive(true);
            all.insert(header::AUTHORIZATION, value);
        }
        for (name, value) in headers {
            let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) else {
                return Err("a header cannot be written".to_owned());
            };
            // What is asked for here replaces what is always sent.
            all.insert(name, value);
        }
        let request = std::mem::take(request);
        match timeout(ANSWER_WITHIN, self.http.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(cause::innermost(&error)),
            Err(_) => Err(format!("no answer within {} s", ANSWER_WITHIN.as_secs())),
        }
    }
}

/// The whole of an answer that is short.
pub(super) async fn read(response: Response<Incoming>) -> Result<Answer, String> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, LONGEST_ANSWER).collect();
    let body = match timeout(ANSWER_WITHIN, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) => return Err(format!("{}, and then {error}", head.status)),
        Err(_) => return Err(format!("{}, and no end of it", head.status)),
    };
    let body = match encoding(&head.headers).as_deref() {
        Some("gzip") => unpacked(&body).unwrap_or(body),
        _ => body,
    };
    Ok(Answer {
        status: head.status,
        headers: head.headers,
        body,
    })
}

/// What a hop has packed, a refusal of the gateway among it.
fn unpacked(body: &[u8]) -> Option<Bytes> {
    let mut whole = Vec::new();
    GzDecoder::new(body)
        .take(LONGEST_ANSWER as u64)
        .read_to_end(&mut whole)
        .ok()?;
    Some(whole.into())
}

/// Milliseconds, for a sentence.
pub(super) fn ms(since: Instant) -> String {
    took(since.elapsed())
}

/// A length of time, for a sentence.
pub(super) fn took(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_refusal_that_a_hop_has_packed_is_read() -> std::io::Result<()> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(b"a refusal")?;
        assert_eq!(unpacked(&packed.finish()?).as_deref(), Some(&b"a refusal"[..]));
        assert_eq!(unpacked(b"a page that is not packed"), None);
        Ok(())
    }
}
