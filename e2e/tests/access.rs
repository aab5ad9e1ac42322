//! Who may do what, asked of the real program: what changes while it runs, what it remembers, what it never says.

use std::{fs, time::Duration};

use anyhow::{Context, Result, ensure};
use logs_e2e::{SseReader, TestGateway, eventually};
use logs_shared::{ServerEvent, api};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};

const SECRET: &str = "a secret that the login and the gateway share";
const ADMIN: &str = "the-admins-own-token";
const PATIENCE: Duration = Duration::from_secs(30);
const CHANNEL: &str = "logs:etl:workspace123:workflow456";

async fn post(gateway: &TestGateway, path: &str, token: &str, body: &Value) -> Result<StatusCode> {
    let request = Client::new().post(gateway.url(path)).bearer_auth(token);
    Ok(request.body(body.to_string()).send().await?.status())
}

async fn publish(gateway: &TestGateway, token: &str) -> Result<StatusCode> {
    let record = json!({ "channel": CHANNEL, "logData": "m" });
    post(gateway, api::PUBLISH_PATH, token, &record).await
}

/// A reader's token, made as a person makes one.
async fn token(gateway: &TestGateway, args: &[&str]) -> Result<String> {
    let mut command = gateway.command(&[&["token"], args].concat());
    let output = command.env("JWT_SECRET", SECRET).output().await?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn history(gateway: &TestGateway, token: &str) -> RequestBuilder {
    let path = format!("{}?channels={CHANNEL}", api::HISTORY_PATH);
    Client::new().get(gateway.url(&path)).bearer_auth(token)
}

#[tokio::test]
async fn service_tokens_change_at_a_hangup_without_a_pause() -> Result<()> {
    let dir = tempfile::TempDir::new()?;
    let file = dir.path().join("tokens");
    fs::write(&file, "old=etl\n")?;
    let file_name = file.to_str().context("a path of text")?;
    let settings = [("SERVICE_TOKENS", ""), ("SERVICE_TOKENS_FILE", file_name)];
    let mut gateway = TestGateway::start_with(&settings).await?;
    ensure!(publish(&gateway, "old").await?.is_success() && !publish(&gateway, "new").await?.is_success());
    for (text, old, new) in [
        ("old=etl\nnew=etl\n", true, true),
        ("new=etl\n", false, true),
        ("broken", false, true),
    ] {
        fs::write(&file, text)?;
        gateway.hang_up()?;
        if text != "broken" {
            let count = async || {
                let old_counts = publish(&gateway, "old").await?.is_success();
                let new_counts = publish(&gateway, "new").await?.is_success();
                Ok(((old_counts, new_counts) == (old, new)).then_some(()))
            };
            eventually("the new tokens count", PATIENCE, count).await?;
        }
    }
    let told = async || Ok(gateway.printed("SERVICE_TOKENS_FILE stays as it was"));
    let line = eventually("what is wrong with the file is told", PATIENCE, told).await?;
    ensure!(!line.contains("broken"), "{line}");
    ensure!(
        publish(&gateway, "new").await?.is_success(),
        "what is wrong changes nothing"
    );
    gateway.ensure_running()
}

#[tokio::test]
async fn who_was_revoked_stays_so_when_the_gateway_is_killed() -> Result<()> {
    let settings = [("AUTH", "jwt"), ("JWT_SECRET", SECRET), ("ADMIN_TOKEN", ADMIN)];
    let mut gateway = TestGateway::start_with(&settings).await?;
    let (ann, bob) = (
        token(&gateway, &["--user", "ann"]).await?,
        token(&gateway, &["--user", "bob"]).await?,
    );
    let url = format!("{}&token={ann}", gateway.stream_url(CHANNEL));
    let mut reader = SseReader::open(&url).await?;
    let revocation = json!({ "user": "ann" });
    ensure!(
        !post(&gateway, api::REVOKE_PATH, "wrong", &revocation)
            .await?
            .is_success()
    );
    ensure!(history(&gateway, &ann).send().await?.status().is_success());
    ensure!(
        post(&gateway, api::REVOKE_PATH, ADMIN, &revocation)
            .await?
            .is_success()
    );
    loop {
        if let ServerEvent::Close(close) = reader.next().await?.event {
            ensure!(close.reason == "revoked" && close.retry_ms.is_none(), "{close:?}");
            break;
        }
    }
    gateway.kill().await?;
    gateway.restart().await?;
    for (token, status) in [(&ann, 401), (&bob, 200)] {
        let answer = history(&gateway, token).send().await?;
        ensure!(answer.status() == status, "{}", answer.text().await?);
    }
    Ok(())
}

#[tokio::test]
async fn no_secret_is_ever_said_however_much_the_gateway_says() -> Result<()> {
    let settings = [
        ("AUTH", "jwt"),
        ("JWT_SECRET", SECRET),
        ("JWT_COOKIE", "login"),
        ("ADMIN_TOKEN", ADMIN),
        ("LOG_LEVEL", "trace"),
    ];
    let gateway = TestGateway::start_with(&settings).await?;
    let ann = token(&gateway, &["--user", "ann"]).await?;
    let bob = token(&gateway, &["--user", "bob"]).await?;
    let mut reader = SseReader::open(&format!("{}&token={ann}", gateway.stream_url(CHANNEL))).await?;
    let ServerEvent::Connection(connection) = reader.next().await?.event else {
        anyhow::bail!("a stream begins with its connection");
    };
    ensure!(publish(&gateway, "e2e-token").await?.is_success());
    ensure!(!publish(&gateway, "a-wrong-secret").await?.is_success());
    let broken = format!("{ann}broken");
    for request in [
        history(&gateway, &ann),
        history(&gateway, &broken),
        history(&gateway, ADMIN),
    ] {
        request.header("cookie", format!("login={ann}")).send().await?;
    }
    ensure!(
        post(&gateway, api::REVOKE_PATH, ADMIN, &json!({ "token": bob }))
            .await?
            .is_success()
    );
    let stats = Client::new().get(gateway.url(api::STATS_PATH)).bearer_auth(ADMIN);
    let stats = stats.send().await?.text().await?;
    let metrics = Client::new()
        .get(gateway.url(api::METRICS_PATH))
        .bearer_auth(ADMIN);
    let metrics = metrics.send().await?.text().await?;
    ensure!(stats.contains("\"ann\"") && metrics.contains("invalid_token"));
    let secrets = [
        SECRET,
        ADMIN,
        "e2e-token",
        "a-wrong-secret",
        &ann,
        &bob,
        &connection.stream_id,
    ];
    for secret in secrets {
        // A token is known by any part of it that is not the same in every one.
        let part = secret.rsplit('.').next().unwrap_or(secret);
        ensure!(
            !stats.contains(part) && !metrics.contains(part),
            "{part} is in the statistics"
        );
        let said = gateway.printed(part);
        ensure!(said.is_none(), "{part} is in the log: {said:?}");
    }
    ensure!(
        gateway.printed("stream opens").is_some(),
        "the log says what happens"
    );
    Ok(())
}
