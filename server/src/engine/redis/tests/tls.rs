//! Redis over TLS.

use std::process::Command;

use super::*;

/// Where a run of this test that trusts the certificate finds the server.
const URL: &str = "LOGS_GATEWAY_TEST_REDIS_TLS";

/// Which certificates are trusted, the environment of the process says: so it runs itself once more.
#[test]
fn tls_is_spoken_with_who_has_a_trusted_certificate() {
    if let Ok(url) = std::env::var(URL) {
        let mut settings = RedisServer::shared().settings();
        settings.url = url.parse().unwrap();
        let node = Node::new(&settings);
        node.append(records("logs:a:w", 0..3));
        assert_eq!(node.messages("logs:a:w"), numbers(0..3));
        return;
    }
    let dir = tempfile::TempDir::new().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let write = |name: &str, text: String| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let certificate = write("cert.pem", made.cert.pem());
    let key = write("key.pem", made.signing_key.serialize_pem());
    let port = super::super::testing::free_port();
    let server = RedisServer::with(&[
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &certificate,
        "--tls-auth-clients",
        "no",
    ]);
    let url = format!("rediss://localhost:{port}");
    let mut settings = server.settings();
    settings.url = url.parse().unwrap();
    let node = Node::new(&settings);
    assert_eq!(
        node.try_append(records("logs:a:w", 0..1), None),
        Err(AppendError::Away)
    );
    let said = node.store.trouble().unwrap().to_string();
    assert!(said.contains("certificate"), "{said}");
    let itself = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "engine::redis::tests::tls::tls_is_spoken_with_who_has_a_trusted_certificate",
        ])
        .env(URL, url)
        .env("SSL_CERT_FILE", &certificate)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&itself.stdout);
    assert!(itself.status.success() && said.contains("1 passed"), "{said}");
}
