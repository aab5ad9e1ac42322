//! [`Authority`]: whose certificates a test trusts.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use logs_e2e::TestGateway;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt, net::TcpStream, process::Child, time::timeout};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, ServerName},
    },
};

use crate::{CHANNEL, DRAIN_MS, PATIENCE};

/// An authority of one's own, and the files of a certificate that it gave to this machine.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
    dir: TempDir,
}

impl Authority {
    pub(crate) fn new() -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate()?;
        let root = params.self_signed(&key)?;
        let dir = TempDir::new()?;
        fs::write(dir.path().join("root.pem"), root.pem())?;
        let authority = Self {
            issuer: Issuer::new(params, key),
            root: root.der().clone(),
            dir,
        };
        authority.certify()?;
        Ok(authority)
    }

    /// Writes a new certificate and its key over those before.
    pub(crate) fn certify(&self) -> Result<()> {
        let key = KeyPair::generate()?;
        let params = CertificateParams::new(["127.0.0.1".to_owned(), "localhost".to_owned()])?;
        fs::write(self.cert(), params.signed_by(&key, &self.issuer)?.pem())?;
        fs::write(self.key(), key.serialize_pem())?;
        Ok(())
    }

    pub(crate) fn cert(&self) -> PathBuf {
        self.dir.path().join("cert.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.dir.path().join("key.pem")
    }

    pub(crate) async fn gateway(&self) -> Result<TestGateway> {
        let (cert, key) = (self.cert(), self.key());
        let text = |path: &Path| path.to_str().map(str::to_owned).context("a path is no text");
        let (cert, key) = (text(&cert)?, text(&key)?);
        TestGateway::start_with(&[("TLS_CERT", &cert), ("TLS_KEY", &key), ("DRAIN_MS", DRAIN_MS)]).await
    }

    /// A connection to the gateway, by somebody who trusts this authority and nobody else.
    pub(crate) async fn connect(
        &self,
        gateway: &TestGateway,
        protocol: &str,
    ) -> Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone())?;
        let mut config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let address = address(gateway)?;
        let name = ServerName::IpAddress(address.ip().into());
        let socket = TcpStream::connect(address).await?;
        Ok(TlsConnector::from(Arc::new(config)).connect(name, socket).await?)
    }

    /// The binary's own command line, which trusts this authority.
    pub(crate) fn command(&self, gateway: &TestGateway, args: &[&str]) -> Result<Child> {
        let mut command = gateway.command(args);
        Ok(command
            .env("SSL_CERT_FILE", self.dir.path().join("root.pem"))
            .spawn()?)
    }

    pub(crate) async fn publish(&self, gateway: &TestGateway, lines: &str) -> Result<()> {
        let mut publish = self.command(gateway, &["publish", CHANNEL])?;
        let mut stdin = publish.stdin.take().context("no standard input")?;
        stdin.write_all(lines.as_bytes()).await?;
        drop(stdin);
        let output = timeout(PATIENCE, publish.wait_with_output()).await??;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "{said}");
        Ok(())
    }
}

pub(crate) fn address(gateway: &TestGateway) -> Result<SocketAddr> {
    let url = gateway.url("");
    let address = url.strip_prefix("https://").with_context(|| url.clone())?;
    Ok(address.parse()?)
}
