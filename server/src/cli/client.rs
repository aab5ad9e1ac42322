//! [`GatewayClient`]: a gateway as the commands see it.

use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::http::{Method, Request, Response, StatusCode, Uri, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use logs_shared::{
    Channel, Problem, StreamQuery,
    api::{
        DEMO_TOKENS, IDEMPOTENCY_KEY_HEADER, NDJSON_TYPE, PUBLISH_PATH, SERVICE_TOKEN_HEADER, STREAM_PATH,
    },
    problem::code,
    publish::BatchAnswer,
};
use tokio::time::{sleep, timeout};
use tokio_rustls::rustls;

use super::{Target, backoff::Backoff, connector};
use crate::{cause, random};

/// A gateway as the commands see it.
#[derive(Clone)]
pub(super) struct GatewayClient {
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base: String,
    token: Option<String>,
}

/// What became of a batch.
pub(super) enum Settled {
    /// It was stored, or some of it.
    Stored(BatchAnswer),
    /// The gateway says that it will not take it, now or later.
    Refused(Problem),
}

/// What became of one try.
enum Outcome {
    Stored(BatchAnswer),
    Refused(Problem),
    /// No answer, or one that will pass; the reason.
    TryAgain(String),
}

/// Longer than any gateway that is well needs for a batch, or to open a stream.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Refusals are short; what is longer is none of ours.
const LONGEST_ANSWER: usize = 1024 * 1024;

impl GatewayClient {
    pub(super) fn new(target: &Target) -> anyhow::Result<Self> {
        let base = target.url.trim_end_matches('/').to_owned();
        let uri: Uri = base
            .parse()
            .with_context(|| format!("{base:?} is not a gateway's address"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            bail!(
                "{base:?} is not a gateway's address such as {}",
                super::DEFAULT_URL
            );
        }
        Ok(Self {
            http: connector::client(),
            base,
            token: target.token.clone(),
        })
    }

    /// The gateway's address.
    pub(super) fn url(&self) -> &str {
        &self.base
    }

    /// Publishes NDJSON whose records all belong to one service, however long that takes. Says once on
    /// standard error when the gateway does not answer or takes nothing, and when it is back.
    pub(super) async fn publish(&self, channel: &Channel, ndjson: Bytes) -> Settled {
        let (mut backoff, mut away) = (Backoff::default(), false);
        // With the same key it is the same publication, and stored once.
        let key = random::hex();
        loop {
            let settled = match self.try_to_publish(channel, ndjson.clone(), &key).await {
                Outcome::Stored(answer) => Settled::Stored(answer),
                Outcome::Refused(problem) => Settled::Refused(problem),
                Outcome::TryAgain(reason) => {
                    if !std::mem::replace(&mut away, true) {
                        eprintln!(
                            "{} takes nothing ({reason}); trying again until it does",
                            self.base
                        );
                    }
                    sleep(backoff.next()).await;
                    continue;
                }
            };
            if away {
                eprintln!("{} is back", self.base);
            }
            return settled;
        }
    }

    async fn try_to_publish(&self, channel: &Channel, ndjson: Bytes, key: &str) -> Outcome {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}{PUBLISH_PATH}", self.base))
            .header(header::CONTENT_TYPE, NDJSON_TYPE)
            .header(IDEMPOTENCY_KEY_HEADER, key);
        if let Some(token) = self.token.as_deref().or_else(|| demo_token(channel)) {
            request = request.header(SERVICE_TOKEN_HEADER, token);
        }
        let request = match request.body(Full::new(ndjson)) {
            Ok(request) => request,
            Err(error) => return Outcome::TryAgain(error.to_string()),
        };
        let answer = timeout(ANSWER_WITHIN, async {
            let response = self
                .http
                .request(request)
                .await
                .map_err(|error| unanswered(&error))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), LONGEST_ANSWER).collect().await;
            let body = body.map_err(|error| Outcome::TryAgain(error.to_string()))?;
            Ok((status, body.to_bytes()))
        });
        match answer.await {
            Err(_) => Outcome::TryAgain(no_answer()),
            Ok(Err(outcome)) => outcome,
            Ok(Ok((status, body))) => outcome(status, &body),
        }
    }

    /// Opens a stream. Its body comes as it arrives.
    ///
    /// # Errors
    /// Outside: the gateway will not answer this, now or later. Inside: no connection, or it will pass.
    pub(super) async fn stream(
        &self,
        query: &StreamQuery,
    ) -> anyhow::Result<Result<Response<hyper::body::Incoming>, String>> {
        let mut request = Request::builder().uri(format!("{}{STREAM_PATH}?{}", self.base, query.to_query()));
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let answer = self.http.request(request.body(Full::default())?);
        let response = match timeout(ANSWER_WITHIN, answer).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => match unanswered(&error) {
                Outcome::TryAgain(reason) => return Ok(Err(reason)),
                Outcome::Refused(problem) => bail!("{}: {}", self.base, problem.detail),
                Outcome::Stored(_) => return Ok(Err(no_answer())),
            },
            Err(_) => return Ok(Err(no_answer())),
        };
        let status = response.status();
        if status == StatusCode::OK {
            return Ok(Ok(response));
        }
        let body = Limited::new(response.into_body(), LONGEST_ANSWER).collect().await;
        let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        match outcome(status, &body) {
            Outcome::Refused(problem) => bail!("{}: {}", self.base, problem.detail),
            Outcome::TryAgain(reason) => Ok(Err(reason)),
            Outcome::Stored(_) => Ok(Err(format!("an unexpected answer ({status})"))),
        }
    }
}

fn no_answer() -> String {
    format!("no answer within {} s", ANSWER_WITHIN.as_secs())
}

/// What became of a request that was not answered. What TLS says of the other end will not be another thing the next time.
fn unanswered(error: &(dyn std::error::Error + 'static)) -> Outcome {
    match cause::chain(error).find_map(tls_error) {
        Some(rustls::Error::InvalidMessage(_)) => Outcome::Refused(problem(
            0,
            "nothing speaks TLS at this address: is it http?".to_owned(),
        )),
        Some(error @ rustls::Error::InvalidCertificate(_)) => Outcome::Refused(problem(
            0,
            format!("its certificate is not trusted ({error}); SSL_CERT_FILE names a file with who is"),
        )),
        _ => Outcome::TryAgain(cause::innermost(error)),
    }
}

/// What TLS says, however often it is wrapped: a wrapper gives as its source what is behind the error that it wraps.
pub(super) fn tls_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let wrapped = || tls_error(error.downcast_ref::<std::io::Error>()?.get_ref()?);
    error.downcast_ref().or_else(wrapped)
}

/// A refusal that no gateway has put into words.
fn problem(status: u16, detail: String) -> Problem {
    Problem {
        status,
        title: String::new(),
        success: false,
        code: String::new(),
        detail,
        rejected: Vec::new(),
    }
}

fn outcome(status: StatusCode, body: &[u8]) -> Outcome {
    let will_pass = status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
        );
    match serde_json::from_slice::<Problem>(body) {
        // What is too much for a second is so for every one.
        Ok(problem) if problem.code == code::BATCH_OVER_RATE => Outcome::Refused(problem),
        Ok(problem) if will_pass => Outcome::TryAgain(problem.detail),
        Ok(problem) => Outcome::Refused(problem),
        Err(_) => match serde_json::from_slice::<BatchAnswer>(body) {
            Ok(answer) if status == StatusCode::OK => Outcome::Stored(answer),
            _ if will_pass => Outcome::TryAgain(status.to_string()),
            _ => Outcome::Refused(problem(
                status.as_u16(),
                format!("{status}, and not the answer of a logs gateway: is the address right?"),
            )),
        },
    }
}

/// The token that works for a channel in development.
pub(super) fn demo_token(channel: &Channel) -> Option<&'static str> {
    DEMO_TOKENS
        .iter()
        .find(|(_, service)| *service == channel.service())
        .map(|(token, _)| *token)
}
