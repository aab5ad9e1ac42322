//! Whether a hop can be reached: DNS, TCP, TLS.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{CertificateError, Error as TlsError, pki_types::ServerName},
};

use super::{
    certificate,
    finding::{Check, Finding},
    hop::Hop,
    probe::ms,
};
use crate::{
    cause,
    cli::{client::tls_error, connector},
    engine::now_ms,
};

const WITHIN: Duration = Duration::from_secs(5);
/// Less than this is left, and somebody has forgotten to renew it.
const SOON_DAYS: u64 = 14;
const DAY_S: u64 = 24 * 60 * 60;

/// What reaching a hop has shown.
pub(super) struct Reached {
    pub(super) findings: Vec<Finding>,
    /// Whether HTTP can be asked.
    pub(super) is_there: bool,
    /// Whether a browser would speak HTTP/2 with it.
    pub(super) speaks_h2: bool,
}

/// Looks the host up, connects, and shakes hands.
pub(super) async fn reach(hop: &Hop) -> Reached {
    let mut reached = Reached {
        findings: Vec::new(),
        is_there: false,
        speaks_h2: false,
    };
    match connect(hop).await {
        Err(finding) => reached.findings.push(finding),
        Ok((socket, seen)) => {
            reached.findings.push(Finding::ok(Check::Reach, seen));
            reached.is_there = true;
            if hop.is_tls() {
                let (finding, speaks_h2) = shake_hands(hop, socket).await;
                reached.is_there = finding.status != super::finding::Status::Fail;
                reached.speaks_h2 = speaks_h2;
                reached.findings.push(finding);
            }
        }
    }
    reached
}

async fn connect(hop: &Hop) -> Result<(TcpStream, String), Finding> {
    let (host, port) = (hop.host(), hop.port());
    let blocked = |seen: String| Finding::blocked(Check::Reach, seen);
    let found = match timeout(WITHIN, lookup_host((host, port))).await {
        Ok(Ok(found)) => found.collect::<Vec<SocketAddr>>(),
        Ok(Err(error)) => {
            let seen = format!("the name {host} leads nowhere ({error})");
            return Err(blocked(seen).change("the address, or the DNS entry"));
        }
        Err(_) => {
            return Err(blocked(format!(
                "no answer of DNS for {host} within {} s",
                WITHIN.as_secs()
            )));
        }
    };
    let mut failed = Vec::new();
    for address in found {
        let started = Instant::now();
        match timeout(WITHIN, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => {
                let before = if failed.is_empty() {
                    String::new()
                } else {
                    format!(", after {}", failed.join(", "))
                };
                return Ok((socket, format!("{address} in {}{before}", ms(started))));
            }
            Ok(Err(error)) => failed.push(format!("{address}: {}", cause::innermost(&error))),
            Err(_) => failed.push(format!("{address}: no answer within {} s", WITHIN.as_secs())),
        }
    }
    let seen = format!("no connection ({})", failed.join(", "));
    let change = if seen.contains("refused") {
        "nothing listens there: is it running, and is it the right port?"
    } else {
        "a firewall, a security group or a wrong address lets nothing through"
    };
    Err(blocked(seen).change(change))
}

async fn shake_hands(hop: &Hop, socket: TcpStream) -> (Finding, bool) {
    let fail = |seen: String, change: &str| (Finding::fail(Check::Tls, seen).change(change), false);
    let Ok(name) = ServerName::try_from(hop.host().to_owned()) else {
        return fail(
            format!("{} is no name that a certificate can have", hop.host()),
            "the address",
        );
    };
    let mut config = connector::tls();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let shaken = timeout(WITHIN, TlsConnector::from(Arc::new(config)).connect(name, socket)).await;
    let stream = match shaken {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            let (seen, change) = refused(&error);
            return fail(seen, change);
        }
        Err(_) => {
            return fail(
                format!("no TLS within {} s", WITHIN.as_secs()),
                "is it https that is spoken there?",
            );
        }
    };
    let tls = stream.get_ref().1;
    let speaks_h2 = tls.alpn_protocol() == Some(b"h2");
    let spoken = tls
        .protocol_version()
        .and_then(|version| version.as_str())
        .unwrap_or("TLS");
    let spoken = spoken.replace('_', ".").replace("TLSv", "TLS ");
    let http = if speaks_h2 { "HTTP/2" } else { "HTTP/1.1" };
    let ends = tls
        .peer_certificates()
        .and_then(|all| certificate::ends_at(all.first()?));
    let days = ends.map(|ends| ends.saturating_sub(now_ms() / 1_000) / DAY_S);
    let finding = match days {
        Some(days) if days < SOON_DAYS => Finding::warn(
            Check::Tls,
            format!("{spoken}, trusted, and the certificate ends in {days} days"),
        )
        .change("renew the certificate (the gateway reads its files again at SIGHUP)"),
        Some(days) => Finding::ok(
            Check::Tls,
            format!("{spoken}, a trusted certificate for {days} more days, {http} offered"),
        ),
        None => Finding::ok(
            Check::Tls,
            format!("{spoken}, a trusted certificate, {http} offered"),
        ),
    };
    (finding, speaks_h2)
}

/// Why no TLS came to be, and what to change.
fn refused(error: &std::io::Error) -> (String, &'static str) {
    let words = cause::innermost(error);
    match cause::chain(error).find_map(tls_error) {
        Some(TlsError::InvalidCertificate(why)) => match why {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
                format!("the certificate has expired ({why}): a browser refuses it"),
                "renew the certificate",
            ),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
                format!("the certificate is for another name ({why}): a browser refuses it"),
                "a certificate that names this host",
            ),
            _ => (
                format!(
                    "the certificate is not trusted ({why}): a browser refuses it, without a word to the page"
                ),
                "a certificate of an authority that browsers trust, sent with those between; for one of your own, SSL_CERT_FILE names \
                 who is trusted here",
            ),
        },
        Some(TlsError::InvalidMessage(_)) => (
            "what is spoken there is not TLS".to_owned(),
            "http:// in the address, or TLS_CERT and TLS_KEY at the gateway",
        ),
        _ => (format!("TLS fails: {words}"), "is it https that is spoken there?"),
    }
}
