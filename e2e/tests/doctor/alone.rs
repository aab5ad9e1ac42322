//! A gateway with nothing in front of it, or nothing at all.

use std::fs;

use anyhow::{Context, Result};
use logs_e2e::TestGateway;
use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use crate::scene::{HEARTBEAT_MS, IDLE, doctor, gateway, run};

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

#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_named() -> Result<()> {
    let dir = TempDir::new()?;
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(["127.0.0.1".to_owned()])?;
    params.not_after = rcgen::date_time_ymd(2999, 1, 1);
    let (cert_path, key_path) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    fs::write(&cert_path, params.self_signed(&key)?.pem())?;
    fs::write(&key_path, key.serialize_pem())?;
    let text = |path: &std::path::Path| path.to_str().map(str::to_owned).context("a path is no text");
    let (cert, key) = (text(&cert_path)?, text(&key_path)?);
    let settings = [
        ("TLS_CERT", &*cert),
        ("TLS_KEY", &*key),
        ("HEARTBEAT_MS", HEARTBEAT_MS),
    ];
    let gateway = TestGateway::start_with(&settings).await?;
    let url = gateway.url("");
    let said = doctor(&gateway, &[&url]).await?;
    said.names_only(0, "tls", "the certificate is not trusted", "SSL_CERT_FILE")?;

    // Whoever trusts it finds nothing wrong, and HTTP/2.
    let mut trusting = gateway.command(&[&["doctor", "--json", &*url], &IDLE[..]].concat());
    trusting
        .env_remove("LOGS_GATEWAY_TOKEN")
        .env("SSL_CERT_FILE", &cert_path);
    let said = run(trusting).await?;
    said.is_well();
    assert!(said.finding(0, "tls")?.seen.contains("HTTP/2"), "{}", said.text);

    let plain = url.replace("https://", "http://");
    let said = doctor(&gateway, &[&plain]).await?;
    assert_eq!(said.code, 1, "{}", said.text);
    Ok(())
}
