//! [`client`]: the HTTP client of the commands, for `http` and `https`.

use std::time::Duration;

use axum::body::HttpBody;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};

/// How long a connection may take to be there, before any TLS.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long a connection is kept for the next request: not as long as a gateway keeps it (75 s), which would otherwise close it
/// just when it is wanted.
const KEPT_FOR: Duration = Duration::from_secs(60);

/// A client for `http` and `https`, over HTTP/1.1: connections are kept and used again, a record does not wait for the
/// acknowledgement of the one before it, and who does not answer within 5 s is not there.
///
/// Whom `https` trusts is what this machine trusts, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name. They are read
/// here, once. Where there are none, `http` works and every certificate is refused.
pub(crate) fn client<B>() -> Client<HttpsConnector<HttpConnector>, B>
where
    B: HttpBody + Send,
    B::Data: Send,
{
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_connect_timeout(Some(CONNECT_WITHIN));
    connector.set_nodelay(true);
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls())
        .https_or_http()
        .enable_http1()
        .wrap_connector(connector);
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(KEPT_FOR)
        .build(connector)
}

/// Whom `https` trusts here.
pub(super) fn tls() -> ClientConfig {
    // Not installed again where it is there already.
    let _ = aws_lc_rs::default_provider().install_default();
    let trusted = ClientConfig::builder()
        .with_native_roots()
        .unwrap_or_else(|_| ClientConfig::builder().with_root_certificates(RootCertStore::empty()));
    trusted.with_no_client_auth()
}
