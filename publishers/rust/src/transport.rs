//! [`Transport`]: a request and its answer.

use std::{io, time::Duration};

use ureq::{Agent, Timeout};

use crate::{address::Address, batch::Batch};

/// The longest answer: a thousand rejections with their reasons are far less.
const MAX_ANSWER_BYTES: u64 = 4 * 1024 * 1024;
const AGENT: &str = concat!("logs-sse-publisher/", env!("CARGO_PKG_VERSION"), " (Rust)");

/// Makes requests of a gateway.
pub(crate) struct Transport {
    pub(crate) address: Address,
    token: Option<String>,
    timeout: Duration,
    /// Set up on the sender's thread, which may take its time.
    agent: Option<Agent>,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// No answer.
pub(crate) struct NoAnswer {
    pub(crate) problem: String,
    /// Whether the gateway may have got the request.
    pub(crate) may_have_arrived: bool,
}

impl Transport {
    pub(crate) fn new(url: &str, token: Option<String>, timeout: Duration) -> Self {
        let token = token.map(|token| token.trim().to_owned());
        Self {
            address: Address::new(url),
            token: token.filter(|token| !token.is_empty()),
            timeout,
            agent: None,
        }
    }

    pub(crate) fn send(&mut self, batch: &Batch) -> Result<Answer, NoAnswer> {
        let agent = self
            .agent
            .get_or_insert_with(|| agent(&self.address.url, self.timeout));
        let mut request = agent
            .post(&self.address.url)
            .header("Content-Type", "application/x-ndjson")
            .header("Idempotency-Key", &batch.key);
        if batch.is_gzip {
            request = request.header("Content-Encoding", "gzip");
        }
        if let Some(authorization) = &self.address.authorization {
            request = request.header("Authorization", authorization);
        }
        if let Some(token) = &self.token {
            request = request.header("X-Service-Token", token);
        }
        let answer = request.send(batch.body.as_slice()).and_then(|mut answer| {
            let retry_after = answer.headers().get("Retry-After");
            let retry_after = retry_after
                .and_then(|seconds| seconds.to_str().ok())
                .map(ToOwned::to_owned);
            let body = answer
                .body_mut()
                .with_config()
                .limit(MAX_ANSWER_BYTES)
                .read_to_vec()?;
            Ok(Answer {
                status: answer.status().as_u16(),
                retry_after,
                body,
            })
        });
        answer.map_err(|error| NoAnswer {
            problem: format!("no answer: {}", describe(&error)),
            may_have_arrived: may_have_arrived(&error),
        })
    }
}

/// In words that have nothing of the request in them: an address may have a password.
fn describe(error: &ureq::Error) -> String {
    match error {
        ureq::Error::BadUri(_) => "its address is none".to_owned(),
        ureq::Error::Http(_) => "the address is none, such as http://localhost:3002, or the token has characters that it cannot have".to_owned(),
        other => other.to_string(),
    }
}

fn may_have_arrived(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::BadUri(_)
        | ureq::Error::Http(_)
        | ureq::Error::Tls(_)
        | ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => false,
        ureq::Error::Io(error) => !matches!(
            error.kind(),
            io::ErrorKind::ConnectionRefused
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::AddrNotAvailable
                // A certificate that is not trusted.
                | io::ErrorKind::InvalidData
        ),
        _ => true,
    }
}

fn agent(url: &str, timeout: Duration) -> Agent {
    let config = Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .max_redirects(0)
        // The gateway is one's own; a proxy that the environment names would get the token.
        .proxy(None)
        .user_agent(AGENT);
    #[cfg(feature = "tls")]
    let config = if url.starts_with("https:") {
        config.tls_config(tls())
    } else {
        config
    };
    #[cfg(not(feature = "tls"))]
    let _ = url;
    config.build().new_agent()
}

/// The roots that the system trusts, or those in the file that `SSL_CERT_FILE` names.
#[cfg(feature = "tls")]
fn tls() -> ureq::tls::TlsConfig {
    use std::sync::Arc;
    use ureq::tls::{Certificate, RootCerts, TlsConfig};

    let roots = rustls_native_certs::load_native_certs().certs;
    let roots = roots.iter().map(|root| Certificate::from_der(root).to_owned());
    TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .root_certs(RootCerts::from(roots))
        .build()
}
