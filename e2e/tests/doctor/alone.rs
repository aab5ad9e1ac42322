//! A gateway with nothing in front of it, or nothing at all.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use logs_e2e::TestGateway;
use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use crate::scene::{HEARTBEAT_MS, IDLE, Said, doctor, gateway, run};

#[tokio::test]
async fn a_gateway_is_well_and_a_person_is_told_so() -> Result<()> {
    let gateway = gateway(&[]).await?;
    let said = doctor(
        &gateway,
        &[&gateway.url(""), "--origin", "https://app.example.com"],
    )
    .await?;
    said.is_well();
    let url = gateway.url("");
    let output = gateway
        .command(&[&["doctor", &*url], &IDLE[..]].concat())
        .output()
        .await?;
    let text = String::from_utf8(output.stdout)?;
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains("✓ delivery      3 records came one by one") && text.ends_with("\nAll well.\n"),
        "{text}"
    );
    assert!(!text.contains("e2e-token"), "{text}");
    Ok(())
}

#[tokio::test]
async fn a_gateway_that_is_down_could_not_be_examined() -> Result<()> {
    let mut gateway = gateway(&[]).await?;
    gateway.kill().await?;
    let said = doctor(&gateway, &[&gateway.url("")]).await?;
    assert_eq!(
        (said.faults(), said.code),
        (vec![(0, "reach", "blocked")], 2),
        "{}",
        said.text
    );
    assert!(said.finding(0, "reach")?.change.contains("nothing listens there"));
    Ok(())
}

#[tokio::test]
async fn a_wrong_argument_could_not_be_examined_and_is_not_repeated() -> Result<()> {
    let gateway = gateway(&[]).await?;
    for arguments in [
        &["doctor", "no-address?token=s3cret"][..],
        &["doctor", "http://localhost:1", "--header", "s3cret"],
        &["doctor", "http://user:s3cret@localhost:1"],
    ] {
        let output = gateway.command(arguments).output().await?;
        let error = String::from_utf8(output.stderr)?;
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(
            error.starts_with("logs-gateway: ") && !error.contains("s3cret"),
            "{error}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_publishers_token_that_publishes_nothing_is_told() -> Result<()> {
    let gateway = gateway(&[]).await?;
    let said = doctor(&gateway, &[&gateway.url(""), "--publish-token", "wr0ng"]).await?;
    assert_eq!(
        (said.faults(), said.code),
        (vec![(0, "publish", "blocked")], 2),
        "{}",
        said.text
    );
    assert!(said.finding(0, "publish")?.seen.contains("401 invalid_token") && !said.text.contains("wr0ng"));
    Ok(())
}

/// A gateway with a certificate of its own making for this name, up to the end of this year; with the file for whoever trusts it.
async fn secured(name: &str, until: i32) -> Result<(TestGateway, TempDir, PathBuf)> {
    let dir = TempDir::new()?;
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new([name.to_owned()])?;
    params.not_after = rcgen::date_time_ymd(until, 12, 31);
    let (cert_path, key_path) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    fs::write(&cert_path, params.self_signed(&key)?.pem())?;
    fs::write(&key_path, key.serialize_pem())?;
    let text = |path: &Path| path.to_str().map(str::to_owned).context("a path is no text");
    let (cert, key) = (text(&cert_path)?, text(&key_path)?);
    let settings = [
        ("TLS_CERT", &*cert),
        ("TLS_KEY", &*key),
        ("HEARTBEAT_MS", HEARTBEAT_MS),
    ];
    Ok((TestGateway::start_with(&settings).await?, dir, cert_path))
}

/// What doctor says to somebody who trusts this certificate.
async fn trusting(gateway: &TestGateway, cert: &Path) -> Result<Said> {
    let url = gateway.url("");
    let mut command = gateway.command(&[&["doctor", "--json", &*url], &IDLE[..]].concat());
    command
        .env_remove("LOGS_GATEWAY_TOKEN")
        .env("SSL_CERT_FILE", cert);
    run(command).await
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_named() -> Result<()> {
    let (gateway, _dir, cert) = secured("127.0.0.1", 2999).await?;
    let url = gateway.url("");
    let said = doctor(&gateway, &[&url]).await?;
    said.names_only(0, "tls", "the certificate is not trusted", "SSL_CERT_FILE")?;
    // Whoever trusts it finds nothing wrong, and HTTP/2.
    let said = trusting(&gateway, &cert).await?;
    said.is_well();
    assert!(said.finding(0, "tls")?.seen.contains("HTTP/2"), "{}", said.text);
    Ok(())
}

#[tokio::test]
async fn a_certificate_that_has_expired_or_is_for_another_name_is_named() -> Result<()> {
    let (gateway, _dir, cert) = secured("127.0.0.1", 2020).await?;
    let said = trusting(&gateway, &cert).await?;
    said.names_only(0, "tls", "has expired", "renew the certificate")?;
    let (gateway, _dir, cert) = secured("elsewhere.example", 2999).await?;
    let said = trusting(&gateway, &cert).await?;
    said.names_only(0, "tls", "for another name", "names this host")
}

#[tokio::test]
async fn http_where_https_is_spoken_is_named_and_the_other_way_round() -> Result<()> {
    let (gateway, _dir, _) = secured("127.0.0.1", 2999).await?;
    let plain = gateway.url("").replace("https://", "http://");
    let said = doctor(&gateway, &[&plain]).await?;
    said.names_only(0, "stream", "400", "https://")?;
    let plain = crate::scene::gateway(&[]).await?;
    let said = doctor(&plain, &[&plain.url("").replace("http://", "https://")]).await?;
    said.names_only(0, "tls", "is not TLS", "http:// in the address")
}
