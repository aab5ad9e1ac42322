//! [`Tls`]: the gateway's certificate, and connections that are encrypted with it.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::{ClientHello, ResolvesServerCert},
        sign::CertifiedKey,
    },
    server::TlsStream,
};

use crate::named::Named;

/// The gateway's certificate, and connections that are encrypted with it: TLS 1.2 and 1.3, for HTTP/2 and HTTP/1.1 by
/// what the peer can (ALPN). A cheap handle: clones share the certificate, which can be replaced while it is used.
#[derive(Clone)]
pub struct Tls {
    certificate: Arc<Certificate>,
    config: Arc<ServerConfig>,
}

/// A certificate that is read from files, and read again.
struct Certificate {
    cert: PathBuf,
    key: PathBuf,
    now: RwLock<Arc<CertifiedKey>>,
}

/// Why a connection is not encrypted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotEncrypted {
    /// The peer went away, or what it speaks is no TLS that is taken.
    #[error(transparent)]
    Failed(#[from] io::Error),
    /// The peer speaks no TLS.
    #[error("it speaks plain HTTP, or nothing of the kind")]
    Plain,
    /// The peer takes too long.
    #[error("it took too long")]
    TooSlow,
}

impl Tls {
    /// Reads the certificate with those that lead to it, and its private key: PEM files.
    ///
    /// # Errors
    /// A sentence for each file that cannot be read or is none such, or one where the key is not that of the
    /// certificate. Nothing of the key is in it.
    pub fn load(cert: &Path, key: &Path) -> Result<Self, Vec<String>> {
        let certificate = Arc::new(Certificate {
            cert: cert.to_owned(),
            key: key.to_owned(),
            now: RwLock::new(Arc::new(read(cert, key)?)),
        });
        let of_library = |error: tokio_rustls::rustls::Error| vec![format!("TLS: {error}")];
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(of_library)?
            .with_no_client_auth()
            .with_cert_resolver(certificate.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // Whoever comes back, after a restart of everything in between for example, comes back cheaply.
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(of_library)?;
        Ok(Self {
            certificate,
            config: Arc::new(config),
        })
    }

    /// Reads the files again. Connections from now on get what is in them; open ones stay as they are.
    ///
    /// # Errors
    /// As [`Self::load`], in one sentence; the certificate stays the one that it was.
    pub fn reload(&self) -> Result<(), String> {
        let Certificate { cert, key, now } = &*self.certificate;
        let new = read(cert, key).map_err(|errors| errors.join("; "))?;
        *now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        Ok(())
    }

    pub(crate) async fn accept<S>(&self, socket: S) -> Result<TlsStream<S>, NotEncrypted>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        Ok(TlsAcceptor::from(self.config.clone()).accept(socket).await?)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("cert", &self.certificate.cert)
            .field("key", &self.certificate.key)
            .finish()
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.now.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

fn read(cert: &Path, key: &Path) -> Result<CertifiedKey, Vec<String>> {
    match (certificates(cert), private_key(key)) {
        (Ok(chain), Ok(private)) => CertifiedKey::from_der(chain, private, &aws_lc_rs::default_provider())
            .map_err(|error| {
                let (cert, key) = (Named(cert), Named(key));
                vec![format!(
                    "TLS_CERT, TLS_KEY: {cert} and {key} do not go together: {error}"
                )]
            }),
        (chain, private) => Err([chain.err(), private.err()].into_iter().flatten().collect()),
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let wrong = |what: &dyn fmt::Display| format!("TLS_CERT: {}: {what}", Named(path));
    let pem = fs::read(path).map_err(|error| wrong(&error))?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|_| wrong(&"not a PEM file"))?;
    if chain.is_empty() {
        return Err(wrong(&"there is no certificate in it"));
    }
    Ok(chain)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let wrong = |what: &dyn fmt::Display| format!("TLS_KEY: {}: {what}", Named(path));
    let pem = fs::read(path).map_err(|error| wrong(&error))?;
    // What is wrong with it is not told: it may be a secret.
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| wrong(&"there is no private key in it, as PEM"))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use tempfile::TempDir;

    use super::*;

    /// Writes a certificate for `name` and its key.
    fn write(dir: &TempDir, name: &str) -> (PathBuf, PathBuf) {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).unwrap();
        let paths = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
        fs::write(&paths.0, cert.pem()).unwrap();
        fs::write(&paths.1, signing_key.serialize_pem()).unwrap();
        paths
    }

    fn now(tls: &Tls) -> Vec<u8> {
        let now = tls.certificate.now.read().unwrap().clone();
        now.cert[0].to_vec()
    }

    #[test]
    fn what_is_wrong_is_told_of_both_files_and_nothing_of_what_is_in_them() {
        let dir = TempDir::new().unwrap();
        let (cert, key) = write(&dir, "localhost");
        Tls::load(&cert, &key).unwrap();
        let missing = dir.path().join("missing");
        let errors = Tls::load(&missing, &cert).unwrap_err();
        assert!(
            errors.len() == 2 && errors[0].starts_with("TLS_CERT: ") && errors[0].contains("No such file"),
            "{errors:?}"
        );
        assert!(
            errors[1].starts_with("TLS_KEY: ") && errors[1].contains("no private key"),
            "{errors:?}"
        );
        fs::write(&missing, "secret words").unwrap();
        let errors = Tls::load(&missing, &missing).unwrap_err().join("\n");
        assert!(
            errors.contains("no certificate") && !errors.contains("secret"),
            "{errors}"
        );
        // The key of another certificate.
        let other = TempDir::new().unwrap();
        let errors = Tls::load(&cert, &write(&other, "localhost").1).unwrap_err();
        assert!(
            errors.len() == 1 && errors[0].contains("do not go together"),
            "{errors:?}"
        );
    }

    #[test]
    fn a_certificate_is_replaced_by_one_that_is_good_only() {
        let dir = TempDir::new().unwrap();
        let (cert, key) = write(&dir, "localhost");
        let tls = Tls::load(&cert, &key).unwrap();
        let first = now(&tls);
        write(&dir, "localhost");
        fs::write(&key, "half a file").unwrap();
        assert!(tls.reload().unwrap_err().starts_with("TLS_KEY: "));
        assert_eq!(now(&tls), first);
        write(&dir, "localhost");
        tls.reload().unwrap();
        assert_ne!(now(&tls), first);
        let shown = format!("{tls:?}");
        assert!(
            shown.contains("cert.pem") && !shown.contains("PRIVATE") && shown.len() < 400,
            "{shown}"
        );
    }
}
